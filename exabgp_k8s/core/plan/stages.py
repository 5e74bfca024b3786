"""What ExaBGP shall be configured with now, on the way to the sessions that are wanted.

ExaBGP takes a new configuration at once and whole, and closes all sessions whose parameters
changed in the same moment. So it is given the new one in stages; ``decide.changeover`` says whose
turn it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s.core.decide import changeover
from exabgp_k8s.core.decide.changeover import Neighbors
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World

LEAVE_LIMIT = 10.0
"""Seconds that a session which ends waits for its withdrawals: two tries (``changes.OVERDUE``)."""


def stage(world: World, wanted: Neighbors | None, now: float) -> Neighbors | None:
    """Return what ExaBGP shall be configured with now; None: too little is known for a change."""
    if wanted is None or world.rib is None:
        return None
    if world.asked is not None:
        return world.asked
    if world.neighbors is None:
        # An earlier agent's sessions: what ends of them is withdrawn before anything else.
        return wanted if all(_is_gone(world, peer, now) for peer in world.leaving) else None
    running, due = world.running, changeover.due(world, wanted, now)

    def is_next(each: model.Neighbor) -> bool:
        before = running.get(each.address)
        if before is None or not each.is_reset_from(before):
            return True
        is_free = not each.is_moved_from(before) or _is_gone(world, each.address, now)
        return each.address in due and is_free

    named = {each.address for each in wanted}
    return (
        *(each if is_next(each) else running[each.address] for each in wanted),
        *(
            each
            for each in world.neighbors
            if each.address not in named and not _is_gone(world, each.address, now)
        ),
    )


def waiting(world: World, wanted: Neighbors | None, staged: Neighbors | None) -> frozenset[str]:
    """Return the names of the peers that run with old parameters until it is their turn."""
    now = {each.address: each for each in staged or ()}
    return frozenset(
        each.name
        for each in wanted or ()
        if each.address in now
        and each.address not in world.leaving
        and each.is_reset_from(now[each.address])
    )


def deadlines(world: World) -> Iterator[float]:
    """Yield the moments at which nobody is waited for any longer."""
    yield from (since + LEAVE_LIMIT for since in world.leaving.values())
    yield from (changeover.over_at(begun) for begun in world.resets.values())


def _is_gone(world: World, peer: model.Address, now: float) -> bool:
    """Return whether a session has no route any more, or was waited for long enough."""
    since = world.leaving.get(peer)
    if since is None:
        return False
    held = (world.rib or {}).get(peer)
    return held is None or not (held.routes or held.pending) or now >= since + LEAVE_LIMIT
