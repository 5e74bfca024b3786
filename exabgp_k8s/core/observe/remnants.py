"""A session ends without our withdrawal: what its router may still have of it, and until when.

For the hold time where the router has not noticed, and for the restart time as well where graceful
restart was negotiated (RFC 4724 section 4.2). What the router knows is the pair of addresses: a
session from another local address is another neighbor to it and clears nothing.
"""

from __future__ import annotations

import dataclasses

from exabgp_k8s.core.facts import model
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
    key = Remnant(peer=peer, local=session.local, name=session.name)
    if is_cleared(world, key) and not _has_routes(world, peer, session):
        return world
    until = now + session.hold_time + _restart_time(world, peer, session)
    return dataclasses.replace(world, remnants={**world.remnants, key: until})


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
    asked = restart_time(world, peer, is_ours=bool(session.name))
    return max(session.restart_time, asked)


def restart_time(world: World, peer: model.Address, *, is_ours: bool = True) -> int:
    """Return for how long a router is asked to keep our routes, in seconds.

    Args:
        world: what is known.
        peer: the router's address, which several peers of the settings may have.
        is_ours: this agent configured the session, so it is of a peer that the labels select.
    """
    running = world.running.get(peer)
    asked = [running.graceful_restart] if running is not None else []
    named = [each for each in world.peers if each.address == peer]
    mine = [each for each in named if is_ours and each.selector.matches(world.in_use.labels)]
    # Before the labels are known, or after they changed, it may be any of them.
    # An edit may have just changed it, and which of the two the session had is not known.
    asked += [each.graceful_restart for each in (world.in_use.labels and mine) or named]
    return max((each for each in asked if each is not None), default=0)


def is_cleared(world: World, remnant: Remnant) -> bool:
    """Return whether the session is back and the router has forgotten all else of it."""
    session, held = world.sessions.get(remnant.peer), (world.rib or {}).get(remnant.peer)
    if session is None or held is None or not session.is_up or session.local != remnant.local:
        return False
    if remnant.name not in ("", session.name):
        return False
    if session.is_restartable is False:
        return True
    neighbor = world.running.get(remnant.peer)
    is_bridged = neighbor is not None and neighbor.graceful_restart is not None
    return session.families <= held.ended or not is_bridged
