"""One log line for each thing an operator would want to know, and none for the rest.

What changes again and again is told less often the longer it lasts, but how it ends is always
told: a peer has six lines at once and then one in ten minutes, so twelve in any hour at most, and
each says how many changes were left out before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from exabgp_k8s import quota
from exabgp_k8s.core import model, report
from exabgp_k8s.core.step import Turn
from exabgp_k8s.core.world import Session, World

PEER_LIMITS = 6, 600.0
"""Lines about one peer's session at once, and seconds for each further one."""
DECISION_LIMITS = 30, 120.0
"""The same for what is announced."""
REMIND = 3600.0
"""Seconds until it is told once more that a session is down."""

log = structlog.get_logger()

State = tuple[object, ...]
NEVER_TRIED: State = (False, "")
"""A session that is down, and nothing can be said of it yet."""


@dataclass(slots=True, kw_only=True)
class Subject:
    """One thing whose states are told, and how often they may be."""

    quota: quota.Quota
    told: State
    """The state in the last line about it."""
    seen: State
    told_at: float = 0
    changes: int = 0
    """How often it changed since the last line about it."""

    def news(self, state: State, now: float) -> int | None:
        """Take a state; return how many changes were left out, or None to tell nothing."""
        if state != self.seen:
            self.seen, self.changes = state, self.changes + 1
        if state == self.told or not self.quota.take(now):
            return None
        left_out = max(self.changes - 1, 0)
        self.told, self.told_at, self.changes = state, now, 0
        return left_out

    def is_to_be_repeated(self, now: float) -> bool:
        """Return whether to tell once more what was told long ago."""
        if now < self.told_at + REMIND or not self.quota.take(now):
            return False
        self.told_at = now
        return True


@dataclass(slots=True)
class Journal:
    """What was told so far."""

    _decision: Subject | None = None
    _sessions: dict[model.Address, Subject] = field(default_factory=dict)

    def note(self, before: Turn, after: Turn, now: float) -> None:
        """Write what changed between two turns, or was left out before."""
        self._note_decision(before, after, now)
        _note_held(before, after)
        for peer, session in after.world.sessions.items():
            self._note_session(after.world, peer, session, now)
        for peer in self._sessions.keys() - after.world.sessions.keys():
            del self._sessions[peer]
            log.info("session.removed", **_named(before.world, peer))
        _note_budget(before, after)
        _note_checks(before, after)
        _note_missing(before, after)
        _note_surroundings(before.world, after.world)

    def _note_decision(self, before: Turn, after: Turn, now: float) -> None:
        if self._decision is None:
            first = _state(before)
            self._decision = Subject(quota=quota.Quota(*DECISION_LIMITS), told=first, seen=first)
        left_out = self._decision.news(_state(after), now)
        if left_out is None:
            return
        peers = {peer for peer, _ in after.decision.routes or ()}
        log.info(
            "decision.changed",
            routes=sorted({str(prefix) for _, prefix in after.decision.routes or ()}),
            withheld=_shown(after.decision.withheld),
            peers=sorted(_named(after.world, peer)["peer"] for peer in peers),
            **_counted(left_out),
        )

    def _note_session(
        self, world: World, peer: model.Address, session: Session, now: float
    ) -> None:
        subject = self._sessions.setdefault(
            peer, Subject(quota=quota.Quota(*PEER_LIMITS), told=NEVER_TRIED, seen=NEVER_TRIED)
        )
        was_up = bool(subject.told[0])
        state = (True, session.times_up) if session.is_up else (False, session.problem)
        left_out = subject.news(state, now)
        if left_out is not None:
            told = {**_named(world, peer), **_counted(left_out)}
            _write_session(session, told, was_up=was_up)
        elif session.problem and subject.told == state and subject.is_to_be_repeated(now):
            log.warning(
                "session.still_down",
                why=session.problem,
                seconds=round(now - session.since),
                attempts=session.failed_attempts,
                **_named(world, peer),
            )


def _write_session(session: Session, told: Mapping[str, object], *, was_up: bool) -> None:
    if session.is_up:
        families = sorted(str(family) for family in session.families)
        log.info("session.established", families=families, **told)
    elif was_up:
        log.warning("session.lost", why=session.problem, **told)
    else:
        log.warning("session.failed", why=session.problem, **told)


def _named(world: World, peer: model.Address) -> dict[str, str]:
    """Return a peer by its name, as in the metrics, and its address."""
    peers = world.config.peers if world.config else ()
    name = next((each.name for each in peers if each.address == peer), str(peer))
    return {"peer": name, "address": str(peer)}


def _counted(left_out: int) -> dict[str, int]:
    return {"untold": left_out} if left_out else {}


def _state(turn: Turn) -> State:
    withheld = _shown(turn.decision.withheld)
    return frozenset(turn.decision.routes or ()), *sorted(
        (what, *why) for what, why in withheld.items()
    )


def _shown(withheld: tuple[model.Withheld, ...]) -> dict[str, list[str]]:
    return {
        f"{each.prefix or each.prefix_class}{f' to {each.peer}' if each.peer else ''}": [
            str(each.action),
            *(str(cause) for cause in each.causes),
        ]
        for each in withheld
    }


def _note_held(before: Turn, after: Turn) -> None:
    for held in set(after.decision.peers_held) - set(before.decision.peers_held):
        if held.cause.reason is not model.Reason.NOT_SELECTED:
            log.error("peer.held", peer=held.name, address=str(held.address), why=str(held.cause))
    if before.world.phase is not after.world.phase:
        log.info("phase.changed", phase=str(after.world.phase), was=str(before.world.phase))


def _note_budget(before: Turn, after: Turn) -> None:
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


def _note_checks(before: Turn, after: Turn) -> None:
    for name, state in after.world.checks.items():
        was = before.world.checks.get(name)
        if state.missed and not (was and was.missed):
            log.warning("check.missed", check=name, why=state.missed, effect="it does not count")
        elif was and was.missed and not state.missed:
            log.info("check.resumed", check=name)


def _note_missing(before: Turn, after: Turn) -> None:
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


def _note_surroundings(was: World, now: World) -> None:
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
