"""Sessions, checks and the outage budget as plain rows.

The same rows feed the command line, HTTP, the metrics and the log, so that one word means one
thing everywhere. Values are JSON's own types; ages and durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exabgp_k8s.core.facts import absences, config, model
from exabgp_k8s.core.facts import asns as facts
from exabgp_k8s.core.facts.checks import CheckState, Health
from exabgp_k8s.core.facts.world import PeerRib, Session, World
from exabgp_k8s.core.judge import asns
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import bfd, routes, whose

Row = Mapping[str, Any]


def budget(turn: Turn) -> Row | None:
    """Return what the outage budget says; None where there is none."""
    settings = turn.world.config.budget if turn.world.config else None
    view = turn.world.budget
    if settings is None:
        return None
    return {
        "standing": view.standing and str(view.standing),
        "verdict": view.verdict and str(view.verdict),
        "taken": view.count and view.count.taken,
        "allowed": view.count and view.count.allowed,
        "nodes": view.count and view.count.nodes,
        "problem": view.problem,
    }


def peers_held(turn: Turn) -> tuple[absences.PeerHeld, ...]:
    """Return the peers meant for this node that have no session, for a reason to be mended."""
    not_meant = model.Cause(model.Reason.NOT_SELECTED)
    return tuple(each for each in turn.decision.peers_held if each.cause != not_meant)


def sessions(turn: Turn, now: float) -> list[Row]:
    """Return one row for each peer of the settings, in their order."""
    world = turn.world
    held = {each.name: each.cause for each in turn.decision.peers_held}
    peers = _shown(world, turn.decision.neighbors)
    missing: dict[str, list[str]] = {}
    for each in turn.decision.missing:
        missing.setdefault(each.peer, []).append(str(each.cause))
    return [
        {**_session(world, peer, held.get(peer.name), now), "missing": missing.get(peer.name, [])}
        for peer in peers
        if held.get(peer.name) != model.Cause(model.Reason.NOT_SELECTED)
    ]


def _shown(
    world: World, neighbors: tuple[model.Neighbor, ...] | None
) -> Iterable[config.Peer | config.Sought]:
    """Return the peers to tell of; before the Node was seen, one for each session there is."""
    if neighbors is not None:
        return world.entries
    mine = {address: whose.at(world, address) for address in world.sessions}
    return [each for each in world.peers if mine.get(each.address, each) == each]


def _session(
    world: World, peer: config.Peer | config.Sought, held: model.Cause | None, now: float
) -> Row:
    # A peer that is held has none: what stands at its address is another one's that ends.
    address = peer.address
    found = world.session_of(peer.name, address) if address else None
    rib = (world.rib or {}).get(address) if address else None
    session, rib = (Session(since=now), None) if held or found is None else (found, rib)
    row = session.row
    own = asns.local(world, peer)
    remote = _remote_asn(peer, own, session)
    hold_time = session.hold_time if session.is_up else peer.hold_time
    return {
        "peer": peer.name,
        "description": peer.description,
        "address": None if address is None else str(address),
        "remote_as": None if remote is None else int(remote),
        "remote_as_written": str(peer.asn if remote is None else remote),
        "local_as": None if own is None else int(own),
        "local_as_written": "-" if own is None else str(own),
        "local_address": str(session.local) if session.local else None,
        "state": _state(session, held),
        "up": session.is_up,
        "seconds": routes.age(session.since, now),
        "problem": str(held) if held else session.problem,
        "last_problem": session.last_problem,
        "last_problem_seconds": _age_of_problem(session, now),
        "messages_received": row.messages_received if row else 0,
        "messages_sent": row.messages_sent if row else 0,
        "prefixes_sent": len(rib.routes) if rib and session.is_up else 0,
        "unacknowledged": _unacknowledged(world, address, rib),
        "families": sorted(str(family) for family in session.families),
        "hold_time": hold_time,
        "keepalive": min(peer.keepalive or hold_time, hold_time // 3),
        "router_id": row.router_id if row and session.is_up else None,
        "graceful_restart": bool(session.is_restartable),
        "bfd": bfd.row(world, peer, address, now),
        **_counts(session),
    }


def _counts(session: Session) -> Row:
    return {
        "times_up": session.times_up,
        "times_lost": session.times_lost,
        "failed_attempts": session.failed_attempts,
    }


def _age_of_problem(session: Session, now: float) -> float | None:
    return routes.age(session.last_problem_at, now) if session.last_problem else None


def _unacknowledged(world: World, address: model.Address | None, rib: PeerRib | None) -> int:
    if address is None or rib is None:
        return 0
    return sum(world.awaits(address, prefix) for prefix in {*rib.routes, *rib.pending})


def _remote_asn(peer: config.Entry, own: int | None, session: Session) -> int | None:
    """Return the router's AS number; None where any will do and the router has not said it."""
    match peer.asn:
        case facts.Relation.EXTERNAL:
            found = session.row.peer_asn if session.row and session.is_up else facts.ANY_EXTERNAL
            return found or None
        case facts.Relation.INTERNAL:
            return own
        case _:
            return peer.asn


def _state(session: Session, held: model.Cause | None) -> str:
    """Return the word of RFC 4271 section 8.2.2; a held peer is not even tried."""
    if held is not None:
        return "Held"
    if session.is_up:
        return "Established"
    words = {"OPENSENT": "OpenSent", "OPENCONFIRM": "OpenConfirm"}
    fsm = session.row.fsm if session.row else "IDLE"
    return words.get(fsm, "Active" if fsm == "ESTABLISHED" else fsm.capitalize())


def checks(turn: Turn, now: float) -> list[Row]:
    """Return one row for each health check of the settings."""
    settings = turn.world.config.checks if turn.world.config else ()
    return [_check(each, turn.world.checks.get(each.name), now) for each in settings]


def _check(settings: config.Check, state: CheckState | None, now: float) -> Row:
    last = state.last if state else None
    ended, message = state.latest if state else (None, "")
    return {
        "check": settings.name,
        "health": str(state.hysteresis.health if state else Health.UNKNOWN),
        "seconds": routes.age(state.since, now) if state else None,
        "affects": sorted(str(each) for each in settings.affects),
        "last": ended,
        "message": message,
        "duration_seconds": round(last.duration, 4) if last else None,
        "last_seconds": routes.age(state.last_at, now) if state else None,
        "failures": state.failures if state else 0,
        "rise": settings.rise,
        "fall": settings.fall,
    }
