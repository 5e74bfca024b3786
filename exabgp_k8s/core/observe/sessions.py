"""What ExaBGP says about its sessions, and what that means for the RIBs behind them."""

from __future__ import annotations

import dataclasses
from typing import assert_never

from exabgp_k8s.core.facts import asns, events, exchange, model
from exabgp_k8s.core.facts.world import PeerRib, Session, World
from exabgp_k8s.core.observe import disconnects, notifications, reloads, remnants, ribs

RELOAD_LIMIT = 20.0
"""Seconds that ExaBGP may take to run a configuration it is told to read every few seconds.

0.02 are usual; afterwards it is taken for broken and started anew.
"""

SessionEvent = (
    events.SessionChanged
    | events.Negotiated
    | events.NotificationReceived
    | events.UpdateSent
    | events.NeighborsRead
    | events.RibRead
)


def observe(world: World, event: SessionEvent, now: float) -> World:
    """Return the world after an event about a session or a RIB."""
    match event:
        case events.SessionChanged():
            return _changed(world, event, now)
        case events.Negotiated():
            session = dataclasses.replace(
                _session(world, event.peer, now),
                families=event.families,
                hold_time=event.hold_time,
                is_extended=event.is_extended,
            )
            return _with_session(world, event.peer, session)
        case events.NotificationReceived():
            ended = notifications.received(
                event.code, event.subcode, event.message, world.running.get(event.peer)
            )
            # That the session is down is the next event.
            session = dataclasses.replace(_session(world, event.peer, now), ended=ended)
            return _with_session(world, event.peer, session)
        case events.UpdateSent():
            rib = (world.rib or {}).get(event.peer, PeerRib())
            rib = ribs.acknowledged(event.peer, rib, event.announced, event.withdrawn)
            return ribs.with_peer(world, event.peer, rib)
        case events.NeighborsRead():
            return _read(world, event.rows, now)
        case events.RibRead():
            return ribs.read(world, event.routes)
        case _:
            assert_never(event)


def _session(world: World, peer: model.Address, now: float) -> Session:
    return world.sessions.get(peer, Session(since=now))


def _with_session(world: World, peer: model.Address, session: Session) -> World:
    return dataclasses.replace(world, sessions={**world.sessions, peer: session})


def _changed(world: World, event: events.SessionChanged, now: float) -> World:
    session = _session(world, event.peer, now)
    match event.state:
        case "up":
            running = world.running.get(event.peer)
            session = dataclasses.replace(
                session,
                name="" if running is None else running.name,
                is_up=True,
                is_restartable=None,
                restart_time=remnants.restart_time(world, event.peer),
                since=now,
                local=event.local,
                problem="",
                ended="",
                failed_attempts=0,
                times_up=session.times_up + 1,
            )
        case "down":
            world = remnants.lost(world, event.peer, session, event.problem, now)
            session = dataclasses.replace(
                session,
                is_up=False,
                failed_attempts=session.failed_attempts + (not session.is_up),
                is_restartable=None,
                since=now if session.is_up else session.since,
                families=frozenset(),
                hold_time=0,
                is_extended=False,
            )
            ended, problem = _why_down(session, event.problem, world.running.get(event.peer))
            session = _down_because(session, ended, problem, now)
            session = _with_flap(world.sessions.get(event.peer), session, now)
        case _:
            return world
    return _restart_rib(_with_session(world, event.peer, session), event.peer)


def _down_because(session: Session, ended: str, problem: str, now: float) -> Session:
    return dataclasses.replace(
        session, ended=ended, problem=problem, last_problem=problem, last_problem_at=now
    )


def _with_flap(before: Session | None, session: Session, now: float) -> Session:
    """Remember that a session was lost, if it was one; an attempt in vain is none."""
    if before is None or not before.is_up:
        return session
    flap = exchange.Flap(at=now, lasted=now - before.since, problem=session.problem)
    return dataclasses.replace(
        session,
        times_lost=session.times_lost + 1,
        flaps=(flap, *session.flaps[: exchange.KEPT_FLAPS - 1]),
    )


def _why_down(session: Session, said: str, neighbor: model.Neighbor | None) -> tuple[str, str]:
    """Return what ended the session, and that together with what became of it since.

    "notification received" comes after the router's own words. Those stay, up to the next
    session: what the attempts at a router meet that shut the session says less.
    """
    if notifications.RECEIVED.match(said) and session.ended:
        ended = notifications.with_router_asn(session.ended, said, neighbor)
        return ended, ended
    words = disconnects.named(said, neighbor)
    if not disconnects.is_attempt(said):
        return words, words
    if session.ended.startswith("notification "):
        return session.ended, f"{session.ended}; since then: {words}"
    return "", words


def _restart_rib(world: World, peer: model.Address) -> World:
    """Forget what was awaited: a new session is sent everything, a lost one nothing."""
    rib = (world.rib or {}).get(peer)
    if rib is None:
        return world
    rib = dataclasses.replace(rib, pending={}, is_flushed=False, ended=frozenset())
    return ribs.with_peer(world, peer, rib)


def _read(world: World, rows: tuple[events.NeighborRow, ...], now: float) -> World:
    """Take the table of neighbors: who is there, who is up, and the counters."""
    up = {row.peer for row in rows if row.is_up}
    for peer, session in world.sessions.items():
        if peer not in up:
            world = remnants.lost(world, peer, session, "", now)
    sessions = {row.peer: _from_row(world.sessions.get(row.peer), row, now) for row in rows}
    for row in rows:
        before = world.sessions.get(row.peer)
        if before is not None and before.is_up != row.is_up:
            world = _restart_rib(world, row.peer)
    rib = world.rib
    if rib is not None:
        rib = {row.peer: rib.get(row.peer, PeerRib()) for row in rows}
    world = dataclasses.replace(world, sessions=sessions, rib=rib, neighbors_read_at=now)
    if world.is_rib_current:
        # A peer that is removed and added again may be lost after it was seen once more.
        return world if _is_taken(world, rows) else reloads.begun(world, now)
    is_late = now - world.reloaded_at > RELOAD_LIMIT
    if not _is_taken(world, rows) and not is_late:
        return world
    return dataclasses.replace(
        world,
        peers_read=tuple(row.peer for row in rows),
        is_reload_lost=not _is_taken(world, rows),
    )


def _is_taken(world: World, rows: tuple[events.NeighborRow, ...]) -> bool:
    """Return whether ExaBGP runs the configuration it was told to read."""
    if world.neighbors is None:
        return True
    # Of a router that may be of any AS the row says of which one it is.
    external = {each.address for each in world.neighbors if each.peer_asn == asns.ANY_EXTERNAL}
    wanted = {
        (
            each.address,
            each.local_address,
            each.local_asn,
            each.peer_asn,
            str(each.router_id),
            each.hold_time,
        )
        for each in world.neighbors
    }
    return wanted == {
        (
            row.peer,
            row.local,
            row.local_asn,
            asns.ANY_EXTERNAL if row.peer in external else row.peer_asn,
            row.local_router_id,
            row.local_hold_time,
        )
        for row in rows
    }


def _from_row(before: Session | None, row: events.NeighborRow, now: float) -> Session:
    session = before or Session(since=now - row.duration, times_up=int(row.is_up))
    if session.is_up != row.is_up:
        session = dataclasses.replace(session, is_up=row.is_up, since=now - row.duration)
    return dataclasses.replace(
        session,
        row=row,
        is_restartable=row.graceful_restart if row.is_up else None,
        is_extended=row.is_extended if row.is_up else session.is_extended,
        local=row.local or session.local,
        families=row.families if row.is_up else session.families,
        hold_time=row.hold_time if row.is_up else session.hold_time,
    )
