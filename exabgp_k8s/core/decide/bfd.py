"""Which BFD sessions this node has: one beside each BGP session whose peer asks for it.

A router that loses BFD drops the BGP session, so one is ended no sooner than what it watches. It
stays for as long as ExaBGP runs the session, at the address that ExaBGP uses, and for a peer that
is held back because something cannot be found now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import bfd, model
from exabgp_k8s.core.facts.world import World


def asked(world: World) -> Mapping[str, bfd.Timing]:
    """Return what the settings ask for, by the names of the peers."""
    entries = world.config.entries if world.config else ()
    return {each.name: each.bfd for each in entries if each.bfd is not None}


def wanted(
    world: World,
    decision: Decision,
    timings: Mapping[str, bfd.Timing],
    standing: Iterable[bfd.Wanted],
) -> tuple[bfd.Wanted, ...] | None:
    """Return the sessions to have; None: too little is known, what stands stays.

    Args:
        world: what is known.
        decision: what was decided.
        timings: what the settings ask for.
        standing: the sessions that the engine is configured with.
    """
    if decision.neighbors is None or world.neighbors is None:
        return None
    running = world.running
    found = {
        each.address: bfd.Wanted(
            name=each.name,
            address=each.address,
            local=running.get(each.address, each).local_address,
            timing=timings[each.name],
        )
        for each in decision.neighbors
        if each.name in timings
    }
    decided = {each.address for each in decision.neighbors}
    held = {
        each.name
        for each in decision.peers_held
        if each.name in timings and each.cause.reason is not model.Reason.NOT_SELECTED
    }
    for each in standing:
        is_leaving = each.address in running and each.address not in decided
        if is_leaving or each.name in held:
            found.setdefault(each.address, each)
    return tuple(found[address] for address in sorted(found, key=lambda key: (key.version, key)))
