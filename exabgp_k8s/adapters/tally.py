"""What the metrics count and time: the only figures that one turn does not say by itself.

A replaced agent begins at nothing, as Prometheus expects of a counter. What a label may be is
bounded: by the settings, by words of ours, and for what a router says by a number.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator, Sequence

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan import changes
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import losses, reactions

DECIDED_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1, 5, 30)
"""Seconds; a few milliseconds are usual, more only where a peer does not read."""
CAUSED_BUCKETS = (0.05, 0.25, 1, 5, 15, 60)
"""Seconds; milliseconds for what is asked, seconds where a check has to fail several times. Few:
each is a series of every node, and all are there from the beginning, as Prometheus sees nothing
of a first time that comes without a zero before it."""
REASONS_KEPT = 8
"""Reasons of lost sessions that are told apart for each peer; what follows is ``other``."""


class Timing:
    """Durations, counted as Prometheus wants a histogram."""

    def __init__(self, buckets: Sequence[float]) -> None:
        self._limits, self._counts, self.total = buckets, [0] * (len(buckets) + 1), 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect.bisect_left(self._limits, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Yield each limit with how many were no longer than it."""
        so_far = 0
        for limit, count in zip((*map(float, self._limits), "+Inf"), self._counts, strict=True):
            so_far += count
            yield str(limit), so_far


class Tally:
    """What was counted and timed since this process began."""

    def __init__(self) -> None:
        self.started = time.time()
        self.stale_since: float | None = None
        """Since when the settings are refused, in seconds since 1970; None: they are not."""
        self.lost: dict[tuple[str, str], int] = {}
        """By peer and reason."""
        self.leaves = dict.fromkeys(model.PrefixClass, 0)
        self.withdrawals = {each: Timing(DECIDED_BUCKETS) for each in model.PrefixClass}
        self.reactions = {each: Timing(CAUSED_BUCKETS) for each in reactions.Kind}
        self._leaving: dict[model.PrefixClass, float] = {}
        self._watched = reactions.Watched()

    def note(self, before: Turn, after: Turn, arrived: float, now: float) -> None:
        """Count and time what a turn changed or brought to its end."""
        self._note_settings(before.world, after.world)
        for peer, reason in losses.lost(before.world, after.world):
            self._lose(peer, reason)
        for prefix_class in reactions.worse(before, after):
            self.leaves[prefix_class] += 1
        self._time_withdrawals(before, after, now)
        self._watched, done = reactions.look(
            self._watched, before, after, arrived=arrived, now=now
        )
        for kind, seconds in done:
            self.reactions[kind].add(seconds)

    def _note_settings(self, before: World, after: World) -> None:
        if bool(after.config_problems) != (self.stale_since is not None):
            self.stale_since = time.time() if after.config_problems else None
        if after.config is not before.config and after.config is not None:
            named = {each.name for each in after.config.entries}
            self.lost = {key: count for key, count in self.lost.items() if key[0] in named}

    def _lose(self, peer: str, reason: str) -> None:
        kept = sum(name == peer for name, _ in self.lost)
        if (peer, reason) not in self.lost and kept >= REASONS_KEPT:
            reason = losses.OTHER
        self.lost[peer, reason] = self.lost.get((peer, reason), 0) + 1

    def _time_withdrawals(self, before: Turn, after: Turn, now: float) -> None:
        for prefix_class, action in after.judgement.actions.items():
            was = before.judgement.actions.get(prefix_class)
            if action is not model.Action.WITHDRAW:
                self._leaving.pop(prefix_class, None)
            elif was is not None and was is not model.Action.WITHDRAW:
                self._leaving[prefix_class] = now
        if self._leaving and changes.is_withdrawn(after.decision, after.world, now):
            for prefix_class, since in self._leaving.items():
                self.withdrawals[prefix_class].add(now - since)
            self._leaving.clear()
