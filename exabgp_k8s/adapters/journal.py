"""One log line for each thing an operator would want to know, and none for the rest."""

from __future__ import annotations

import structlog

from exabgp_k8s.core import model, report
from exabgp_k8s.core.step import Turn

log = structlog.get_logger()


def note(before: Turn | None, after: Turn) -> None:
    """Write what changed between two turns."""
    if before is None:
        return
    _decision(before, after)
    _sessions(before, after)
    _budget(before, after)
    _checks(before, after)
    _missing(before, after)
    _surroundings(before, after)


def _decision(before: Turn, after: Turn) -> None:
    was, now = before.decision, after.decision
    if _shown(was.withheld) != _shown(now.withheld) or set(was.routes or ()) != set(
        now.routes or ()
    ):
        log.info(
            "decision.changed",
            routes=sorted({str(prefix) for _, prefix in now.routes or ()}),
            withheld=_shown(now.withheld),
            peers=sorted({str(peer) for peer, _ in now.routes or ()}),
        )
    for held in set(now.peers_held) - set(was.peers_held):
        if held.cause.reason is not model.Reason.NOT_SELECTED:
            log.error("peer.held", peer=held.name, address=str(held.address), why=str(held.cause))
    if before.world.phase is not after.world.phase:
        log.info("phase.changed", phase=str(after.world.phase), was=str(before.world.phase))


def _shown(withheld: tuple[model.Withheld, ...]) -> dict[str, list[str]]:
    return {
        f"{each.prefix or each.prefix_class}{f' to {each.peer}' if each.peer else ''}": [
            str(each.action),
            *(str(cause) for cause in each.causes),
        ]
        for each in withheld
    }


def _sessions(before: Turn, after: Turn) -> None:
    for peer, session in after.world.sessions.items():
        was = before.world.sessions.get(peer)
        is_new = was is None or was.is_up != session.is_up
        if session.is_up and is_new:
            families = sorted(str(family) for family in session.families)
            log.info("session.established", peer=str(peer), families=families)
        elif was is not None and was.is_up and not session.is_up:
            log.warning("session.lost", peer=str(peer), why=session.problem)
        elif not session.is_up and session.problem != (was.problem if was else ""):
            log.warning("session.failed", peer=str(peer), why=session.problem)
    for peer in before.world.sessions.keys() - after.world.sessions.keys():
        log.info("session.removed", peer=str(peer))


def _budget(before: Turn, after: Turn) -> None:
    was, now = before.decision.spared, after.decision.spared
    if now and set(now.values()) != set(was.values()):
        reasons = sorted({str(cause) for found in now.values() for cause in found})
        log.warning(
            "budget.exhausted", why=reasons, budget=report.budget(after), effect="stays announced"
        )
    elif was and not now:
        log.info("budget.sufficient")
    lost, found = after.world.budget.problem, before.world.budget.problem
    if lost and not found:
        log.warning("budget.lost", why=lost)
    if found and not lost:
        log.info("budget.regained")


def _checks(before: Turn, after: Turn) -> None:
    for name, state in after.world.checks.items():
        was = before.world.checks.get(name)
        if state.missed and not (was and was.missed):
            log.warning("check.missed", check=name, why=state.missed, effect="it does not count")
        elif was and was.missed and not state.missed:
            log.info("check.resumed", check=name)


def _missing(before: Turn, after: Turn) -> None:
    was, now = set(before.decision.missing), set(after.decision.missing)
    unseen, seen = after.world.host_problem, before.world.host_problem
    if unseen and not seen:
        log.warning("host.unseen", why=unseen, effect="what was seen before stands")
    found = {each for each in now - was if each.cause.reason is not model.Reason.HOST_UNSEEN}
    if found:
        why = sorted(f"{each.peer}: {each.cause}".removeprefix(": ") for each in found)
        log.warning("in-use.missing", what=why, effect="what is in use goes on")
    elif was and not now:
        log.info("in-use.found")


def _surroundings(before: Turn, after: Turn) -> None:
    was, now = before.world, after.world
    if now.config_problems and now.config_problems != was.config_problems:
        log.error("settings.refused", problems=list(now.config_problems), in_force="the last good")
    if was.config is not now.config and was.config is not None:
        log.info("settings.changed")
    if now.kube_problem and not was.kube_problem:
        log.warning("kubernetes.lost", why=now.kube_problem, effect="the last facts stand")
    if was.kube_problem and not now.kube_problem:
        log.info("kubernetes.regained")
    if now.daemon_problem and now.daemon_problem != was.daemon_problem:
        log.error("exabgp.refused", why=now.daemon_problem)
    if now.is_node_gone and not was.is_node_gone:
        event = "node.missing" if now.node is None else "node.deleted"
        log.warning(event, node=now.node_name)
    problems = now.node.problems if now.node else ()
    if problems and problems != (was.node.problems if was.node else ()):
        log.warning("node.misunderstood", problems=list(problems))
