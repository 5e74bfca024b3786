"""From the sessions that ExaBGP has to those that are wanted, and the node is never out by it.

ExaBGP takes a new configuration at once and whole. It closes what is not in it any more without a
word, so that with graceful restart a router keeps the routes of a neighbor that never comes back;
and it closes all sessions whose parameters changed in the same moment. So it is given the new
configuration in stages, and which stage is due follows from what is known now:

- a session that ends for good, or that the router will see come back as another neighbor, has its
  routes withdrawn first;
- sessions that are up are made anew one after the other, the next one when the one before is back
  and has its routes;
- all else is taken at once: new peers, and sessions that are down anyway.

Nobody is waited for without a limit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import Reset, World

LEAVE_LIMIT = 10.0
"""Seconds that a session which ends waits for its withdrawals: two tries (``plan.OVERDUE``)."""
RESET_LIMIT = 30.0
"""Seconds that the next session waits for one that was made anew and does not come back."""

Neighbors = tuple[model.Neighbor, ...]
Wanted = Mapping[tuple[model.Address, model.Network], model.Route]
"""``policy.Wanted``."""


def is_reset(before: model.Neighbor, after: model.Neighbor) -> bool:
    """Return whether ExaBGP makes the session anew: all but the words for people matters."""
    return dataclasses.replace(before, name=after.name, description=after.description) != after


def is_moved(before: model.Neighbor, after: model.Neighbor) -> bool:
    """Return whether the router will take what comes back for another neighbor, or refuse it."""
    return (before.local_address, before.port, before.local_asn, before.peer_asn) != (
        after.local_address,
        after.port,
        after.local_asn,
        after.peer_asn,
    )


def speaking(world: World, wanted: Neighbors) -> Neighbors:
    """Return the sessions that get routes now: as they run now, and none that ends."""
    running = _running(world)
    return tuple(
        dataclasses.replace(
            running.get(each.address, each), name=each.name, description=each.description
        )
        for each in wanted
        if each.address not in world.leaving
    )


def leaving(
    world: World, wanted: Neighbors | None, routes: Wanted | None, now: float
) -> Mapping[model.Address, float]:
    """Return the peers whose routes are withdrawn because their session ends, and since when."""
    if wanted is None or world.rib is None:
        return world.leaving
    named = {each.address: each for each in wanted}
    if world.neighbors is None:
        ending = set(_strangers(world, named))
    else:
        running = _running(world)
        due = _due(world, wanted, routes, now)
        ending = {peer for peer in running if peer not in named}
        ending |= {peer for peer in due if is_moved(running[peer], named[peer])}
    return {peer: world.leaving.get(peer, now) for peer in ending}


def stage(
    world: World, wanted: Neighbors | None, routes: Wanted | None, now: float
) -> Neighbors | None:
    """Return what ExaBGP shall be configured with now; None: too little is known for a change."""
    if wanted is None or world.rib is None:
        return None
    if world.neighbors is None:
        # An earlier agent's sessions: what ends of them is withdrawn before anything else.
        return wanted if all(_is_gone(world, peer, now) for peer in world.leaving) else None
    running, due = _running(world), _due(world, wanted, routes, now)

    def is_next(each: model.Neighbor) -> bool:
        before = running.get(each.address)
        if before is None or not is_reset(before, each):
            return True
        is_free = not is_moved(before, each) or _is_gone(world, each.address, now)
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
        and is_reset(now[each.address], each)
    )


def reset(world: World, neighbors: Neighbors, now: float) -> Mapping[model.Address, Reset]:
    """Return the sessions that ExaBGP makes anew, those included that are not back from before."""
    running = _running(world)
    kept = {peer: begun for peer, begun in world.resets.items() if now < begun.since + RESET_LIMIT}
    return kept | {
        each.address: Reset(since=now, times_up=world.sessions[each.address].times_up)
        for each in neighbors
        if _is_up(world, each.address)
        and each.address in running
        and is_reset(running[each.address], each)
    }


def deadlines(world: World) -> Iterator[float]:
    """Yield the moments at which nobody is waited for any longer."""
    yield from (since + LEAVE_LIMIT for since in world.leaving.values())
    yield from (begun.since + RESET_LIMIT for begun in world.resets.values())


def _running(world: World) -> Mapping[model.Address, model.Neighbor]:
    return {each.address: each for each in world.neighbors or ()}


def _due(
    world: World, wanted: Neighbors, routes: Wanted | None, now: float
) -> frozenset[model.Address]:
    """Return the peers whose session may be made anew now: at most one of them is up."""
    running = _running(world)
    changed = [
        each.address
        for each in wanted
        if each.address in running and is_reset(running[each.address], each)
    ]
    free = frozenset(peer for peer in changed if not _is_up(world, peer))
    if any(
        peer in running and not _is_over(world, peer, begun, routes, now)
        for peer, begun in world.resets.items()
    ):
        return free
    # One that has begun goes on, whatever an edit of the meantime puts before it.
    begun = [peer for peer in changed if peer in world.leaving]
    up = [peer for peer in changed if peer not in free]
    return free | frozenset((begun or up)[:1])


def _is_over(
    world: World, peer: model.Address, begun: Reset, routes: Wanted | None, now: float
) -> bool:
    """Return whether a session that was made anew is back with its routes, or given up."""
    if now >= begun.since + RESET_LIMIT:
        return True
    session, held = world.sessions.get(peer), (world.rib or {}).get(peer)
    if session is None or held is None or routes is None or not world.is_rib_current:
        return False
    is_back = session.is_up and session.times_up > begun.times_up
    has_all = all(
        held.routes.get(prefix) == route for (to, prefix), route in routes.items() if to == peer
    )
    return is_back and held.is_flushed and not held.pending and has_all


def _is_gone(world: World, peer: model.Address, now: float) -> bool:
    """Return whether a session has no route any more, or was waited for long enough."""
    since = world.leaving.get(peer)
    if since is None:
        return False
    held = (world.rib or {}).get(peer)
    return held is None or not (held.routes or held.pending) or now >= since + LEAVE_LIMIT


def _is_up(world: World, peer: model.Address) -> bool:
    return peer in world.sessions and world.sessions[peer].is_up


def _strangers(
    world: World, named: Mapping[model.Address, model.Neighbor]
) -> Iterator[model.Address]:
    """Yield the peers that an earlier agent configured and that go on otherwise, or not at all."""
    held: Collection[model.Address] = world.rib or ()
    for peer in held:
        row = world.sessions[peer].row if peer in world.sessions else None
        wanted = named.get(peer)
        if wanted is None or (
            row is not None
            and (row.local, row.local_asn, row.peer_asn)
            != (wanted.local_address, wanted.local_asn, wanted.peer_asn)
        ):
            yield peer
