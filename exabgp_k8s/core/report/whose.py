"""Whose session it is: ExaBGP knows routers by address, people know peers by name.

Several peers of the settings may have one address, on different nodes: a gateway that is called
the same in every rack. A node has one of them at most.
"""

from __future__ import annotations

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.core.facts.world import World


def at(world: World, address: model.Address) -> config.Peer | None:
    """Return the peer of the settings that a session with an address is with; None: it has none.

    Of several it is the one that runs, else the one that the node's labels select. Before either
    is known any of them stands for all.
    """
    named = [each for each in world.peers if each.address == address]
    if not named:
        return None
    running = world.running.get(address)
    mine = (each for each in named if running is not None and each.name == running.name)
    selected = (each for each in named if each.selector.matches(world.in_use.labels))
    found = next(mine, None) or next(selected, None)
    return named[0] if found is None and running is None else found
