"""One node as the rest of the cluster is to see it: what the status of its BGPSpeaker says.

The rows are those of the command line. Here they are only picked, so that the object on the API
server and ``status`` on the node say the same words.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, conditions, routes, rows

Row = Mapping[str, Any]


def is_same(one: Turn, other: Turn) -> bool:
    """Return whether two turns lead to the same rows, but for ages.

    An idle node takes a turn whenever it looks at ExaBGP's counters. Whatever is not known here to
    be a counter counts, so that a new fact is never missed.
    """
    return one is other or (
        one.decision == other.decision and _settled(one.world) == _settled(other.world)
    )


def _settled(world: World) -> World:
    """Return a world without what ticks while nothing happens."""
    return dataclasses.replace(
        world,
        sessions={at: dataclasses.replace(each, row=None) for at, each in world.sessions.items()},
        checks={},
        kube_contact=None,
        neighbors_read_at=0,
    )


def status(turn: Turn, now: float) -> Row:
    """Return what is to be published of one node; ages are in seconds, None: not known."""
    world = turn.world
    sessions = rows.sessions(turn, now)
    found = routes.standings(turn)
    prefixes = [_prefix(turn, each, now) for each in found]
    classes = {
        str(each): str(announced.of_class(found, each, world.config)) for each in model.PrefixClass
    }
    return {
        "phase": str(world.phase),
        "summary": {
            "sessions": f"{sum(each['up'] for each in sessions)}/{len(sessions)}",
            **classes,
            **_foremost(prefixes),
        },
        "conditions": [dataclasses.asdict(each) for each in conditions.find(turn, found, now)],
        "sessions": [_session(each) for each in sessions],
        "prefixes": prefixes,
        "settings": {
            "stale": bool(world.config_problems),
            "problems": list(world.config_problems),
        },
        "budget": rows.budget(turn),
    }


def _session(row: Row) -> Row:
    error = row["problem"] or row["last_problem"]
    is_dated = error == row["last_problem"]
    return {
        **row,
        # Of what has no session at all nobody knows since when: its age is always 0.
        "seconds": row["seconds"] or None,
        "last_error": error or None,
        "last_error_seconds": row["last_problem_seconds"] if is_dated else None,
    }


def _foremost(prefixes: Iterable[Row]) -> Row:
    """Return the one reason that a narrow table has room for, with its age."""
    reasons = [reason for each in prefixes for reason in each["reasons"]]
    order = {str(each): place for place, each in enumerate(model.Reason)}
    # What a router lacks for want of a session is not even a reason: it comes last.
    first = min(
        reasons,
        key=lambda it: order.get(it["reason"].partition(":")[0], len(order)),
        default=None,
    )
    return {} if first is None else {"reason": first["reason"], "seconds": first["seconds"]}


def _prefix(turn: Turn, standing: announced.Standing, now: float) -> Row:
    return {
        "prefix": None if standing.prefix is None else str(standing.prefix),
        "class": None if standing.prefix_class is None else str(standing.prefix_class),
        "state": str(standing.summary),
        "sent": len(standing.sent),
        "meant": standing.meant,
        "sent_to": [each.peer for each in standing.sent],
        "seconds": None,
        "reasons": [
            {"reason": why, "peers": peers or None, "seconds": _age(turn, why, now)}
            for why, peers in _reasons(standing).items()
        ],
    }


def _reasons(standing: announced.Standing) -> Mapping[str, list[str]]:
    """Return every reason with the peers that it keeps the prefix from; none: from all.

    Where a router may still have what it should not, the reason is that it is not gone yet.
    """
    found: dict[str, list[str]] = {str(cause): [] for cause in standing.causes}
    for each in standing.hearings:
        if each.is_meant and each.state in announced.SENT:
            continue
        for why in _of(each):
            if why not in found or found[why]:
                found.setdefault(why, []).append(each.peer)
    return found


def _of(hearing: announced.Hearing) -> tuple[str, ...]:
    causes = tuple(str(cause) for cause in hearing.causes)
    is_said = hearing.state in {announced.State.WITHHELD, announced.State.HELD}
    return causes if causes and is_said else (*causes, str(hearing.state))


def _age(turn: Turn, why: str, now: float) -> float | None:
    """Return for how long something is so, where the core knows since when."""
    known = {str(cause): since for cause, since in turn.world.causes.items()}
    return routes.age(known.get(why), now)
