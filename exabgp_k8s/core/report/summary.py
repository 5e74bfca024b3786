"""One node in one answer: what ``status`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exabgp_k8s.core.facts import absences, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import pod_ranges
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, bfd, elsewhere, routes, rows, waits

Row = Mapping[str, Any]


def status(turn: Turn, now: float) -> Row:
    """Return the summary of one node."""
    world, node = turn.world, turn.world.node
    return {
        "node": node.name if node else world.node_name or None,
        "phase": str(world.phase),
        "stopping": world.is_stopping,
        "stop": str(world.stop),
        **_of_the_prefixes(turn, now),
        "waits": waits.rows(waits.find(turn, now), now),
        "budget": rows.budget(turn),
        **_of_the_peers(turn),
        "bfd": _bfd(turn, now),
        "warnings": elsewhere.rows(world),
        "kubernetes": _kubernetes(world, now),
        "settings": {
            "stale": bool(world.config_problems),
            "problems": list(world.config_problems),
        },
        "exabgp": {"problem": world.daemon_problem, "table_known": world.is_rib_current},
        "uptime_seconds": routes.age(world.started, now),
    }


def _of_the_prefixes(turn: Turn, now: float) -> Row:
    found = routes.standings(turn)
    return {
        "classes": {str(each): _class(turn, found, each) for each in model.PrefixClass},
        "prefixes": routes.summaries(found),
        "causes": [
            {"cause": str(cause), "seconds": routes.age(since, now)}
            for cause, since in sorted(turn.world.causes.items())
        ],
        "withheld": [_withheld(each) for each in turn.decision.withheld],
        "spared": [
            {"class": str(prefix_class), "reasons": [str(cause) for cause in causes]}
            for prefix_class, causes in turn.judgement.spared.items()
        ],
    }


def _of_the_peers(turn: Turn) -> Row:
    sessions = turn.world.sessions.values()
    held = [{"peer": each.name, "cause": str(each.cause)} for each in rows.peers_held(turn)]
    missing = turn.decision.missing
    return {
        "sessions": {
            "up": sum(session.is_up for session in sessions),
            "configured": len(sessions) + len(held),
        },
        "held": held,
        "missing": [{"cause": str(each.cause), "peer": each.peer or None} for each in missing],
    }


def _bfd(turn: Turn, now: float) -> Row | None:
    settings = turn.world.config
    if settings is None or not any(each.bfd for each in settings.entries):
        return None
    return bfd.summary(rows.sessions(turn, now), turn.world)


def _kubernetes(world: World, now: float) -> Row:
    node = world.node
    return {
        "last_contact_seconds": routes.age(world.kube_contact, now),
        "problem": world.kube_problem,
        "node_seen": node is not None and not world.is_node_remembered,
        "node_remembered": world.is_node_remembered,
        "node_deleted": world.is_node_gone,
        "node_problems": list(pod_ranges.misunderstood(world)),
    }


def _class(
    turn: Turn, found: tuple[announced.Standing, ...], prefix_class: model.PrefixClass
) -> Row:
    """Return a class as the routers have it: one word for all its prefixes."""
    mine = [each for each in found if each.prefix_class is prefix_class and each.prefix]
    return {
        "state": str(announced.of_class(found, prefix_class, turn.world.config)),
        "action": str(turn.judgement.actions.get(prefix_class, model.Action.KEEP)),
        "prefixes": [str(each.prefix) for each in mine],
        "announced": [str(each.prefix) for each in mine if each.is_announced],
    }


def _withheld(each: absences.Withheld) -> Row:
    return {
        "prefix": None if each.prefix is None else str(each.prefix),
        "class": str(each.prefix_class),
        "action": str(each.action),
        "reasons": [str(cause) for cause in each.causes],
        "peer": each.peer or None,
    }
