"""The next hop of a peer's routes, where the settings name another than the session's address.

Beside a CNI that has a session with the same router from the node's own address, ours starts
elsewhere, and the traffic may still be meant for the node's own. An address that the host does
not have is never a next hop: the router would send to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

from exabgp_k8s.core.facts import config, in_use, model, places
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import addresses
from exabgp_k8s.core.judge import places as at


def is_named(peer: config.Peer, family: model.Family) -> bool:
    """Return whether the settings name the next hop of a family."""
    match peer.next_hop:
        case None:
            return False
        case config.LocalAddress() | places.OnInterface():
            return True
        case places.InSubnet(subnet=subnet):
            return model.family_of(subnet) is family
        case _:
            return model.family_of(peer.next_hop) is family


def named(
    world: World, peer: config.Peer, used: Mapping[model.Family, model.Address | None]
) -> Mapping[model.Family, model.Address | None]:
    """Return the next hops that the settings name; None: the host does not have it now.

    Args:
        world: with the host as it was seen last.
        peer: whose routes they are of.
        used: the ones until now, by family.
    """
    return {
        family: _named(world, peer, family, before)
        for family, before in used.items()
        if is_named(peer, family)
    }


def _named(
    world: World, peer: config.Peer, family: model.Family, used: model.Address | None
) -> model.Address | None:
    match peer.next_hop:
        case None:
            return None
        case config.LocalAddress():
            return _of_the_node(world, family, used)
        case places.OnInterface() | places.InSubnet():
            if at.found(world, peer.next_hop, family) is None:
                return used
            return at.choose(world, peer.next_hop, family, peer.address, used)
        case _:
            is_here = bool(world.host.addresses.get(peer.next_hop)) or (
                peer.next_hop == used and not addresses.is_gone(world, used)
            )
            return peer.next_hop if is_here else None


def _of_the_node(
    world: World, family: model.Family, used: model.Address | None
) -> model.Address | None:
    """Return an InternalIP that the host has; the one in use goes on while the host has it."""
    internal = world.node.internal_ips if world.node is not None else ()
    listed = [each for each in internal if model.family_of(each) is family]
    here = [each for each in listed if not addresses.is_gone(world, each)]
    if used in here or (not here and used is not None and not addresses.is_gone(world, used)):
        return used
    return next(iter(here), None)


def of(
    world: World, neighbor: model.Neighbor, peer: config.Peer, family: model.Family
) -> model.Address | model.Cause:
    """Return the next hop that the settings name for a family, or why there is none."""
    used: in_use.PeerInUse = world.in_use.peers[neighbor.name]
    is_own = model.family_of(neighbor.local_address) is family
    found = used.own_next_hop if is_own else used.next_hop
    detail = f"{family}: {_why_none(world, peer, family)}"
    return found or model.Cause(model.Reason.NO_NEXT_HOP, detail)


def _why_none(world: World, peer: config.Peer, family: model.Family) -> str:
    match peer.next_hop:
        case places.OnInterface() | places.InSubnet():
            return at.why_none(world, peer.next_hop, family)
        case config.LocalAddress():
            return "the Node names no such InternalIP that this host has"
        case _:
            return f"{peer.next_hop} is not on this host"
