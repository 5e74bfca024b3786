"""What a router may still have of a session that was lost.

A session that ends without our withdrawal leaves routes behind: for the hold time where the router
has not noticed, and for the restart time as well where graceful restart was negotiated (RFC 4724
section 4.2). Nothing can be told to it meanwhile, and a node that goes down now leaves a path to
nowhere. So a drain is not over before that time has passed, or before the session is back and the
router has heard what is true: it then forgets everything else at our End-of-RIB, or has forgotten
it by itself where graceful restart is off.

What the router knows is the pair of addresses: a session from another local address is another
neighbor to it and clears nothing. Of sessions before this agent's life it is not known whether
there were any, so every peer counts as one that had routes, until its session is there or that
time has passed since our start; also before it is known which of the peers are this node's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from exabgp_k8s.core.facts import lifecycle, model
from exabgp_k8s.core.facts.world import Remnant, Session, World

NOTIFIED = "notification received"
"""How ExaBGP's reason begins where the router ended the session: it keeps nothing then."""


def lost(world: World, peer: model.Address, session: Session, problem: str, now: float) -> World:
    """Return the world after a session that was up ended, whyever.

    One that ended before its End-of-RIB has cleared nothing: what an earlier session left, be it
    of an earlier process, is there still, although this one may have announced nothing.
    """
    if not session.is_up or problem.startswith(NOTIFIED):
        return world
    key = Remnant(peer=peer, local=session.local)
    if _is_cleared(world, key) and not _has_routes(world, peer, session):
        return world
    until = now + session.hold_time + _restart_time(world, peer, session)
    return dataclasses.replace(world, remnants={**world.remnants, key: until})


def standing(world: World, now: float) -> Mapping[Remnant, float]:
    """Return what may be left of lost sessions, and until when."""
    return {
        each: until
        for each, until in world.remnants.items()
        if now < until and not _is_cleared(world, each)
    }


def awaited(world: World, now: float) -> Mapping[Remnant, float]:
    """Return what a drain waits for; a pod that is replaced leaves the node in service."""
    if world.stop is lifecycle.Stop.ROLLOUT:
        return {}
    return {**_inherited(world, now), **world.remnants}


def _inherited(world: World, now: float) -> Mapping[Remnant, float]:
    """Return what an earlier process may have left at a router we have not spoken to yet."""
    found = {}
    for key, hold_time, restart_time in _possible(world):
        session = world.sessions.get(key.peer)
        is_known = session is not None and session.times_up > 0
        until = world.started + hold_time + (restart_time or 0)
        if not is_known and now < until:
            found[key] = until
    return found


def _possible(world: World) -> Iterator[tuple[Remnant, int, int | None]]:
    """Yield the sessions that an earlier process may have had, with hold and restart time."""
    for neighbor in world.neighbors or ():
        key = Remnant(peer=neighbor.address, local=neighbor.local_address)
        yield key, neighbor.hold_time, neighbor.graceful_restart
    if world.neighbors is None and world.config is not None:
        for peer in world.config.peers:
            # A Node that has not been seen yet may have any of them.
            if world.node is None or peer.selector.matches(world.node.labels):
                key = Remnant(peer=peer.address, local=None)
                yield key, peer.hold_time, peer.graceful_restart


def _has_routes(world: World, peer: model.Address, session: Session) -> bool:
    held = (world.rib or {}).get(peer)
    if held is None:
        # Not read yet: then nobody knows, and it may have.
        return world.rib is None
    prefixes = (*held.routes, *held.pending)
    return any(model.family_of(prefix) in session.families for prefix in prefixes)


def _restart_time(world: World, peer: model.Address, session: Session) -> int:
    """Return for how long the router was asked to keep the routes of a lost session."""
    if session.is_restartable is False:
        return 0
    return max(session.restart_time, restart_time(world, peer))


def restart_time(world: World, peer: model.Address) -> int:
    """Return for how long a router is asked to keep our routes, in seconds."""
    running = (each.graceful_restart for each in world.neighbors or () if each.address == peer)
    peers = world.config.peers if world.config else ()
    wanted = (each.graceful_restart for each in peers if each.address == peer)
    # An edit may have just changed it, and which of the two the session had is not known.
    return max((each for each in (*running, *wanted) if each is not None), default=0)


def _is_cleared(world: World, remnant: Remnant) -> bool:
    session, held = world.sessions.get(remnant.peer), (world.rib or {}).get(remnant.peer)
    if session is None or held is None or not session.is_up or session.local != remnant.local:
        return False
    if session.is_restartable is False:
        return True
    return session.families <= held.ended or not _has_graceful_restart(world, remnant.peer)


def _has_graceful_restart(world: World, peer: model.Address) -> bool:
    return any(
        each.address == peer and each.graceful_restart is not None
        for each in world.neighbors or ()
    )
