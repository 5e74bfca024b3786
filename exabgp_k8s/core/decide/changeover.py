"""Whose session may end or be made anew now, so that the node is never out by a new configuration.

ExaBGP takes a new configuration at once and whole. It closes what is not in it any more without a
word, so that with graceful restart a router keeps the routes of a neighbor that never comes back;
and it closes all sessions whose parameters changed in the same moment. So it is given the new
configuration in stages (``plan.stages``), and which stage is due follows from what is known now:

- a session that ends for good, or that the router will see come back as another neighbor, has its
  routes withdrawn first;
- sessions that are up are made anew one after the other, the next one a second after the one
  before has all its routes again: an UPDATE that has left is not forwarded by yet;
- all else is taken at once: new peers, and sessions that are down anyway.

Nobody is waited for without a limit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping

from exabgp_k8s.core.facts import asns, model
from exabgp_k8s.core.facts.world import Reset, World
from exabgp_k8s.core.observe.reloads import RESET_LIMIT

Neighbors = tuple[model.Neighbor, ...]
Wanted = Mapping[tuple[model.Address, model.Network], model.Route]
"""``decision.Wanted``."""
INSTALL_TIME = 1.0
"""Seconds for a router's way from the last UPDATE to its kernel: measured are 2 to 100 ms."""


def speaking(world: World, wanted: Neighbors) -> Neighbors:
    """Return the sessions that get routes now: as they run now, and none that ends."""
    running = world.running
    return tuple(
        dataclasses.replace(
            running.get(each.address, each), name=each.name, description=each.description
        )
        for each in wanted
        if each.address not in world.leaving
    )


def served(world: World, routes: Wanted | None, now: float) -> World:
    """Return the world that knows since when the sessions made anew have all their routes."""
    resets = {
        peer: dataclasses.replace(begun, served_at=_served_at(world, peer, begun, routes, now))
        for peer, begun in world.resets.items()
    }
    return world if resets == world.resets else dataclasses.replace(world, resets=resets)


def leaving(world: World, wanted: Neighbors | None, now: float) -> Mapping[model.Address, float]:
    """Return the peers whose routes are withdrawn because their session ends, and since when."""
    if wanted is None or world.rib is None or world.asked is not None:
        # What ends by a configuration on its way stays withdrawn until that is taken or refused.
        return world.leaving
    named = {each.address: each for each in wanted}
    if world.neighbors is None:
        ending = set(_strangers(world, named))
    else:
        running = world.running
        now_due = due(world, wanted, now)
        ending = {peer for peer in running if peer not in named}
        ending |= {peer for peer in now_due if named[peer].is_moved_from(running[peer])}
    return {peer: world.leaving.get(peer, now) for peer in ending}


def due(world: World, wanted: Neighbors, now: float) -> frozenset[model.Address]:
    """Return the peers whose session may be made anew now: at most one of them is up."""
    running = world.running
    changed = [
        each.address
        for each in wanted
        if each.address in running and each.is_reset_from(running[each.address])
    ]
    free = frozenset(peer for peer in changed if not world.is_up(peer))
    if any(peer in running and now < over_at(begun) for peer, begun in world.resets.items()):
        return free
    # One that has begun goes on, whatever an edit of the meantime puts before it.
    begun = [peer for peer in changed if peer in world.leaving]
    up = [peer for peer in changed if peer not in free]
    return free | frozenset((begun or up)[:1])


def over_at(begun: Reset) -> float:
    """Return when the next session need not wait any longer for one that was made anew."""
    limit = begun.since + RESET_LIMIT
    return limit if begun.served_at is None else min(limit, begun.served_at + INSTALL_TIME)


def _served_at(
    world: World, peer: model.Address, begun: Reset, routes: Wanted | None, now: float
) -> float | None:
    if now >= begun.since + RESET_LIMIT:
        # Nobody waits for it any more, and it stays noted until the next edit.
        return begun.served_at
    if not _is_served(world, peer, begun, routes):
        return None
    return now if begun.served_at is None else begun.served_at


def _is_served(world: World, peer: model.Address, begun: Reset, routes: Wanted | None) -> bool:
    """Return whether a session that was made anew is back, and every UPDATE has left."""
    session, held = world.sessions.get(peer), (world.rib or {}).get(peer)
    if session is None or held is None or routes is None or not world.is_rib_current:
        return False
    is_back = session.is_up and session.times_up > begun.times_up
    has_all = all(
        held.routes.get(prefix) == route for (to, prefix), route in routes.items() if to == peer
    )
    return is_back and held.is_flushed and not held.pending and has_all


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
            and (
                (row.local, row.local_asn) != (wanted.local_address, wanted.local_asn)
                or wanted.peer_asn not in (asns.ANY_EXTERNAL, row.peer_asn)
            )
        ):
            yield peer
