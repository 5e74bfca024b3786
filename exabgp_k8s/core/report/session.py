"""All that is known of one session, as a plain row: what a router's own CLI shows of a neighbor.

What both sides offered stands beside what came of it, because that is the question: a timer or a
capability that one side did not offer is not in force, whatever the other one's settings say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exabgp_k8s.core.facts import config, exchange
from exabgp_k8s.core.facts.world import Session, World
from exabgp_k8s.core.observe import notifications
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import routes, rows

Row = Mapping[str, Any]

IN_COMMON = frozenset({"multiprotocol", "extended next hop"})
"""Capabilities of which that is in force what both sides say; of others, that both have them."""


def row(turn: Turn, name: str, now: float) -> Row | None:
    """Return one session by its peer's name or address; None: this node has no such peer."""
    mine = (each for each in rows.sessions(turn, now) if name in {each["peer"], each["address"]})
    found = next(mine, None)
    if found is None:
        return None
    world = turn.world
    peer = next(each for each in world.entries if each.name == found["peer"])
    session = _session(world, peer) if found["state"] != "Held" else None
    return {**found, **_more(peer, session or Session(), now), "routes": _routes(turn, peer.name)}


def _session(world: World, peer: config.Peer | config.Sought) -> Session | None:
    return None if peer.address is None else world.session_of(peer.name, peer.address)


def _routes(turn: Turn, peer: str) -> list[Row]:
    return [each for each in routes.rows(turn) if each["peer"] in {peer, None}]


def _more(peer: config.Peer | config.Sought, session: Session, now: float) -> Row:
    said = session.row.exchange if session.row else exchange.Exchange()
    return {
        "local_port": said.local_port,
        "remote_port": said.remote_port,
        "timers": _timers(peer, session, said),
        "messages": {"sent": dict(said.messages_sent), "received": dict(said.messages_received)},
        "opens": {"sent": _opening(said.sent), "received": _opening(said.received)},
        "capabilities": _capabilities(said, is_up=session.is_up),
        "last_notification": notifications.read(session.last_problem),
        "flaps": [
            {
                "seconds": routes.age(each.at, now),
                "lasted_seconds": round(each.lasted, 3),
                "problem": each.problem,
            }
            for each in session.flaps
        ],
    }


def _timers(peer: config.Peer | config.Sought, session: Session, said: exchange.Exchange) -> Row:
    agreed = session.hold_time if session.is_up else None
    return {
        "hold_time": {
            "configured": peer.hold_time,
            "sent": said.sent and said.sent.hold_time,
            "received": said.received and said.received.hold_time,
            "negotiated": agreed,
        },
        # BGP has no word for it in an OPEN: each side keeps to a third of what was agreed.
        "keepalive": {
            "configured": peer.keepalive,
            "negotiated": None if agreed is None else _keepalive(peer, agreed),
        },
        "connect_retry": {"configured": peer.connect_retry},
    }


def _keepalive(peer: config.Peer | config.Sought, agreed: int) -> int:
    return min(peer.keepalive or agreed, agreed // 3)


def _opening(found: exchange.Opening | None) -> Row | None:
    if found is None:
        return None
    return {"as": found.asn, "hold_time": found.hold_time, "router_id": found.router_id}


def _capabilities(said: exchange.Exchange, *, is_up: bool) -> list[Row]:
    ours, theirs = _by_name(said.sent), _by_name(said.received)
    return [
        {
            "capability": name,
            "sent": ours.get(name),
            "received": theirs.get(name),
            "negotiated": is_up and _in_force(name, ours.get(name), theirs.get(name)),
        }
        for name in {**ours, **theirs}
    ]


def _by_name(found: exchange.Opening | None) -> dict[str, list[str]]:
    return {each.name: list(each.words) for each in found.capabilities} if found else {}


def _in_force(name: str, ours: list[str] | None, theirs: list[str] | None) -> bool:
    if ours is None or theirs is None:
        return False
    return name not in IN_COMMON or bool(set(ours) & set(theirs))
