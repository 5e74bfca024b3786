"""What people see: the world and the decision as plain rows.

The same rows feed the command line, HTTP, the metrics and the log, so that one word means one
thing everywhere. Values are JSON's own types; ages and durations are seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from exabgp_k8s.core import config, hysteresis, lifecycle, model, prefixes, rollout
from exabgp_k8s.core.step import Turn
from exabgp_k8s.core.world import CheckState, Session, World, is_stopping

Row = Mapping[str, Any]

HEARD = frozenset({"announced", "deprioritised"})
"""The states of a route that the peer has been sent."""


def status(turn: Turn, now: float) -> Row:
    """Return the summary of one node."""
    world, node = turn.world, turn.world.node
    sessions_up = sum(session.is_up for session in world.sessions.values())
    held = [{"peer": each.name, "cause": str(each.cause)} for each in peers_held(turn)]
    return {
        "node": node.name if node else None,
        "phase": str(world.phase),
        "stopping": is_stopping(world),
        "stop": str(world.stop),
        "classes": {
            str(prefix_class): _class(turn, prefix_class) for prefix_class in model.PrefixClass
        },
        "causes": [
            {"cause": str(cause), "seconds": _age(since, now)}
            for cause, since in sorted(world.causes.items())
        ],
        "withheld": [_withheld(each) for each in turn.decision.withheld],
        "spared": [
            {"class": str(prefix_class), "reasons": [str(cause) for cause in found]}
            for prefix_class, found in turn.decision.spared.items()
        ],
        "budget": budget(turn),
        "sessions": {"up": sessions_up, "configured": len(world.sessions) + len(held)},
        "held": held,
        "kubernetes": {
            "last_contact_seconds": _age(world.kube_contact, now),
            "problem": world.kube_problem,
            "node_seen": node is not None and not world.is_node_remembered,
            "node_deleted": world.is_node_gone,
            "node_problems": list(node.problems) if node else [],
        },
        "settings": {
            "stale": bool(world.config_problems),
            "problems": list(world.config_problems),
        },
        "exabgp": {"problem": world.daemon_problem, "table_known": world.is_rib_current},
        "uptime_seconds": _age(world.started, now),
    }


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


def peers_held(turn: Turn) -> tuple[model.PeerHeld, ...]:
    """Return the peers meant for this node that have no session, for a reason to be mended."""
    not_meant = model.Cause(model.Reason.NOT_SELECTED)
    return tuple(each for each in turn.decision.peers_held if each.cause != not_meant)


def _class(turn: Turn, prefix_class: model.PrefixClass) -> Row:
    """Return a class as the routers have it: one word for all its prefixes."""
    mine = [each for each in turn.decision.prefixes if each.prefix_class is prefix_class]
    heard = {row["prefix"] for row in routes(turn) if row["state"] in HEARD}
    names = [str(each.prefix) for each in mine if each.prefix is not None]
    action = turn.decision.actions.get(prefix_class, model.Action.KEEP)
    if not mine:
        state = "not in the settings"
    elif heard.isdisjoint(names):
        is_wanted = turn.decision.routes and any(
            str(prefix) in names for _, prefix in turn.decision.routes
        )
        state = "waiting" if is_wanted else "withheld"
    else:
        state = "deprioritised" if action is model.Action.DEPRIORITISE else "announced"
    return {"state": state, "action": str(action), "prefixes": names}


def _withheld(each: model.Withheld) -> Row:
    return {
        "prefix": None if each.prefix is None else str(each.prefix),
        "class": str(each.prefix_class),
        "action": str(each.action),
        "reasons": [str(cause) for cause in each.causes],
        "peer": each.peer or None,
    }


def sessions(turn: Turn, now: float) -> list[Row]:
    """Return one row for each peer of the settings, in their order."""
    world = turn.world
    held = {each.name: each.cause for each in turn.decision.peers_held}
    peers = world.config.peers if world.config else ()
    return [
        _session(world, peer, held.get(peer.name), now)
        for peer in peers
        if held.get(peer.name) != model.Cause(model.Reason.NOT_SELECTED)
    ]


def _session(world: World, peer: config.Peer, held: model.Cause | None, now: float) -> Row:
    session = world.sessions.get(peer.address, Session(since=now))
    row = session.row
    rib = (world.rib or {}).get(peer.address)
    return {
        "peer": peer.name,
        "description": peer.description,
        "address": str(peer.address),
        "remote_as": peer.asn,
        "local_as": peer.local_asn,
        "local_address": str(session.local) if session.local else None,
        "state": _state(session, held),
        "up": session.is_up,
        "seconds": _age(session.since, now),
        "problem": str(held) if held else session.problem,
        "messages_received": row.messages_received if row else 0,
        "messages_sent": row.messages_sent if row else 0,
        "prefixes_sent": len(rib.routes) if rib and session.is_up else 0,
        "unacknowledged": len(rib.pending) if rib else 0,
        "families": sorted(str(family) for family in session.families),
        "hold_time": session.hold_time if session.is_up else peer.hold_time,
        "router_id": row.router_id if row and session.is_up else None,
        "graceful_restart": bool(session.is_restartable),
        "times_up": session.times_up,
    }


def _state(session: Session, held: model.Cause | None) -> str:
    """Return the word of RFC 4271 section 8.2.2; a held peer is not even tried."""
    if held is not None:
        return "Held"
    if session.is_up:
        return "Established"
    words = {"OPENSENT": "OpenSent", "OPENCONFIRM": "OpenConfirm"}
    fsm = session.row.fsm if session.row else "IDLE"
    return words.get(fsm, "Active" if fsm == "ESTABLISHED" else fsm.capitalize())


def routes(turn: Turn) -> list[Row]:
    """Return one row for each prefix and peer: what ExaBGP holds, and what is withheld."""
    world = turn.world
    names = {peer.address: peer.name for peer in world.config.peers} if world.config else {}
    classes = {each.prefix: each.prefix_class for each in turn.decision.prefixes}
    announced: list[Row] = [
        {
            "prefix": str(route.prefix),
            "class": str(classes[route.prefix]) if route.prefix in classes else None,
            "peer": names.get(peer, str(peer)),
            "state": _route_state(world, route, is_pending=route.prefix in held.pending),
            "next_hop": str(route.next_hop),
            "communities": [f"{high}:{low}" for high, low in route.attributes.communities],
            "large_communities": [
                ":".join(str(number) for number in each)
                for each in route.attributes.large_communities
            ],
            "med": route.attributes.med,
            "local_pref": route.attributes.local_pref,
            "as_path": list(route.attributes.as_path),
            "reasons": [str(cause) for cause in _spared(turn, classes.get(route.prefix))],
        }
        for peer, held in (world.rib or {}).items()
        for route in held.routes.values()
    ]
    withheld: list[Row] = [
        {**_withheld(each), "state": "withheld"}
        for each in turn.decision.withheld
        if each.action is model.Action.WITHDRAW
    ]
    return announced + withheld


def _spared(turn: Turn, prefix_class: model.PrefixClass | None) -> Iterable[model.Cause]:
    """Return why a class is announced although something speaks against it."""
    return () if prefix_class is None else turn.decision.spared.get(prefix_class, ())


def _route_state(world: World, route: model.Route, *, is_pending: bool) -> str:
    session = world.sessions.get(route.peer)
    if session is None or not session.is_up:
        return "waiting for the session"
    if model.family_of(route.prefix) not in session.families:
        return "family not negotiated"
    if is_pending:
        return "sending"
    is_low = model.GRACEFUL_SHUTDOWN in route.attributes.communities
    return "deprioritised" if is_low else "announced"


def checks(turn: Turn, now: float) -> list[Row]:
    """Return one row for each health check of the settings."""
    settings = turn.world.config.checks if turn.world.config else ()
    return [_check(each, turn.world.checks.get(each.name), now) for each in settings]


def _check(settings: config.Check, state: CheckState | None, now: float) -> Row:
    last = state.last if state else None
    ended, message = state.latest if state else (None, "")
    return {
        "check": settings.name,
        "health": str(state.hysteresis.health if state else hysteresis.Health.UNKNOWN),
        "seconds": _age(state.since, now) if state else None,
        "affects": sorted(str(each) for each in settings.affects),
        "last": ended,
        "message": message,
        "duration_seconds": round(last.duration, 4) if last else None,
        "last_seconds": _age(state.last_at, now) if state else None,
        "failures": state.failures if state else 0,
        "rise": settings.rise,
        "fall": settings.fall,
    }


def why(turn: Turn, prefix: model.Network | None, now: float) -> list[Row]:
    """Return for each prefix whether it is announced and to whom, and if not, every reason.

    Args:
        turn: the latest turn.
        prefix: only what covers this one, such as an address; None: all of them.
        now: the time of asking.
    """
    return [
        _explain(turn, each.prefix, each.prefix_class, now)
        for each in turn.decision.prefixes
        if prefix is None or (each.prefix is not None and prefixes.is_inside(prefix, each.prefix))
    ]


def _explain(
    turn: Turn, prefix: model.Network | None, prefix_class: model.PrefixClass, now: float
) -> Row:
    withheld = [
        each
        for each in turn.decision.withheld
        if each.prefix == prefix and each.prefix_class is prefix_class
    ]
    since = {str(cause): _age(at, now) for cause, at in turn.world.causes.items()}
    rows = [row for row in routes(turn) if row["prefix"] == str(prefix) and "next_hop" in row]
    return {
        "prefix": None if prefix is None else str(prefix),
        "class": str(prefix_class),
        "announced_to": [
            row["peer"] for row in rows if row["state"] in {"announced", "deprioritised"}
        ],
        "bridged_by": _bridged(turn, {row["peer"] for row in rows}),
        "waiting": {
            row["peer"]: row["state"]
            for row in rows
            if row["state"] not in {"announced", "deprioritised"}
        },
        "withheld": [
            {
                "reason": str(cause),
                "action": str(each.action),
                "peer": each.peer or None,
                "seconds": since.get(str(cause)),
            }
            for each in withheld
            for cause in each.causes
        ],
        "spared": [str(cause) for cause in _spared(turn, prefix_class)],
    }


def _bridged(turn: Turn, announced: Collection[str]) -> list[str]:
    """Return the peers that keep their routes over the replacement of our pod."""
    if turn.world.stop is not lifecycle.Stop.ROLLOUT:
        return []
    return [
        neighbor.name
        for neighbor in turn.decision.neighbors or ()
        if neighbor.name in announced and rollout.is_bridged(turn.world, neighbor)
    ]


def _age(moment: float | None, now: float) -> float | None:
    return None if moment is None else round(max(0.0, now - moment), 3)
