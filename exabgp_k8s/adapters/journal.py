"""One log line for each thing an operator would want to know, and none for the rest.

What changes again and again is told less often the longer it lasts, but how it ends is always
told: each peer, check and other thing has six lines at once and then one in ten minutes, so twelve
in any hour at most, and each says how many changes were left out before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from exabgp_k8s.adapters import conditions, news
from exabgp_k8s.core.facts import absences, model
from exabgp_k8s.core.facts.world import Session, World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import whose
from exabgp_k8s.logs import quota

log = structlog.get_logger()

NEVER_TRIED: news.State = (False, "")
"""A session that is down, and nothing can be said of it yet."""
REMOVED: news.State = (False, None)


def _busy() -> news.Subject:
    return news.Subject(quota=quota.Quota(*news.BUSY_LIMITS))


@dataclass(slots=True)
class Journal:
    """What was told so far."""

    _decision: news.Subject = field(default_factory=_busy)
    _phase: news.Subject = field(default_factory=_busy)
    _sessions: dict[model.Address, news.Subject] = field(default_factory=dict)
    _names: dict[model.Address, dict[str, str]] = field(default_factory=dict)
    """By what the peers are called; a removed one is told by its name too."""
    _conditions: dict[conditions.About, news.Subject] = field(default_factory=dict)
    _edits: int = 0
    _is_begun: bool = False

    def note(self, before: Turn, after: Turn, now: float) -> None:
        """Write what changed between two turns, or was left out before."""
        if not self._is_begun:
            self._is_begun = True
            self._decision.told = self._decision.seen = _state(before)
            self._phase.told = self._phase.seen = (before.world.phase,)
        self._note_decision(after, now)
        self._note_phase(after.world, now)
        for peer, session in after.world.sessions.items():
            self._note_session(after.world, peer, session, now)
        for peer in self._sessions.keys() - after.world.sessions.keys():
            self._note_removed(peer, now)
        if before.world.config is not after.world.config and before.world.config is not None:
            self._edits += 1
        self._note_conditions(after, now)

    def _note_decision(self, after: Turn, now: float) -> None:
        left_out = self._decision.news(_state(after), now)
        if left_out is None:
            return
        peers = {peer for peer, _ in after.decision.routes or ()}
        log.info(
            "decision.changed",
            routes=sorted({str(prefix) for _, prefix in after.decision.routes or ()}),
            withheld=_shown(after.decision.withheld),
            peers=sorted(_named(after.world, peer)["peer"] for peer in peers),
            **news.counted(left_out),
        )

    def _note_phase(self, world: World, now: float) -> None:
        (was,) = self._phase.told
        left_out = self._phase.news((world.phase,), now)
        if left_out is not None:
            counted = news.counted(left_out)
            log.info("phase.changed", phase=str(world.phase), was=str(was), **counted)

    def _note_session(
        self, world: World, peer: model.Address, session: Session, now: float
    ) -> None:
        mine = self._sessions.setdefault(peer, news.Subject(told=NEVER_TRIED, seen=NEVER_TRIED))
        named = self._remember_name(world, peer)
        was_up = bool(mine.told[0])
        state = (True, session.times_up) if session.is_up else (False, session.problem)
        if state == NEVER_TRIED and mine.told == REMOVED:
            return
        left_out = mine.news(state, now)
        if left_out is not None:
            _write_session(session, {**named, **news.counted(left_out)}, was_up=was_up)
        elif session.problem and mine.told == state and mine.is_to_be_repeated(now):
            log.warning(
                "session.still_down",
                why=session.problem,
                seconds=round(now - session.since),
                attempts=session.failed_attempts,
                **named,
            )

    def _remember_name(self, world: World, peer: model.Address) -> Mapping[str, str]:
        # The session of a peer that left the settings goes on until its routes are withdrawn.
        if whose.at(world, peer) is not None or peer not in self._names:
            self._names[peer] = _named(world, peer)
        return self._names[peer]

    def _note_removed(self, peer: model.Address, now: float) -> None:
        mine = self._sessions[peer]
        left_out = mine.news(REMOVED, now)
        if left_out is not None:
            log.info("session.removed", **self._names[peer], **news.counted(left_out))
        elif mine.is_forgettable(REMOVED, now):
            del self._sessions[peer], self._names[peer]

    def _note_conditions(self, after: Turn, now: float) -> None:
        found = {each.about: each for each in conditions.find(after, self._edits)}
        for about, each in found.items():
            mine = self._conditions.get(about)
            if mine is None and each.state == news.WELL:
                continue
            mine = self._conditions.setdefault(about, mine or news.Subject())
            left_out = mine.news(each.state, now)
            if left_out is not None:
                line = {**each.fields, **news.counted(left_out)}
                getattr(log, each.level)(each.event, **line)
            elif mine.is_forgettable(news.WELL, now):
                del self._conditions[about]
        for about in self._conditions.keys() - found.keys():
            # A check or a peer that is no longer in the settings; it may soon be there again.
            if self._conditions[about].quota.is_full(now):
                del self._conditions[about]


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
    found = whose.at(world, peer)
    return {"peer": str(peer) if found is None else found.name, "address": str(peer)}


def _state(turn: Turn) -> news.State:
    withheld = _shown(turn.decision.withheld)
    return frozenset(turn.decision.routes or ()), *sorted(
        (what, *why) for what, why in withheld.items()
    )


def _shown(withheld: tuple[absences.Withheld, ...]) -> dict[str, list[str]]:
    return {
        f"{each.prefix or each.prefix_class}{f' to {each.peer}' if each.peer else ''}": [
            str(each.action),
            *(str(cause) for cause in each.causes),
        ]
        for each in withheld
    }
