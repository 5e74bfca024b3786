"""What the log may say of a thing that changes again and again: its state, if that is news.

What flaps would fill a disk, and a line that is left out must not be the last one: whoever reads
the log would believe what was so an hour ago. So each thing has its own allowance, and its state
is told as soon as there is one again: at most ten minutes late.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exabgp_k8s.logs import quota

LIMITS = 6, 600.0
"""Lines about one thing at once, and seconds for each further one."""
BUSY_LIMITS = 20, 180.0
"""The same for what the operator waits for. Still fewer than the log lets pass of one event
(``logs.BURST``, ``logs.REFILL``): what is told here must not be dropped there."""
REMIND = 3600.0
"""Seconds until it is told once more that a session is down."""

State = tuple[object, ...]
WELL: State = ()
"""The state of what nothing is to be said of."""


def _quota() -> quota.Quota:
    return quota.Quota(*LIMITS)


@dataclass(slots=True, kw_only=True)
class Subject:
    """One thing whose states are told, and how often they may be."""

    quota: quota.Quota = field(default_factory=_quota)
    told: State = WELL
    """The state in the last line about it."""
    seen: State = WELL
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

    def is_forgettable(self, end: State, now: float) -> bool:
        """Return whether it ended like this long ago, so that a new one would be the same."""
        return self.told == self.seen == end and self.quota.is_full(now)


def counted(left_out: int) -> dict[str, int]:
    """Return what a line says of the changes before it."""
    return {"untold": left_out} if left_out else {}
