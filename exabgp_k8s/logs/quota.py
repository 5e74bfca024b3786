"""How often something may be told: at once while it is rare, then only now and then.

What flaps would fill a disk with the same two lines. A bucket of tokens lets the first ones pass
and then as many as it is filled with; what finds none is counted, for the next line that does.
"""

from __future__ import annotations


class Quota:
    """A bucket of tokens, full at first; every moment is one of a monotonic clock."""

    __slots__ = ("_at", "_burst", "_refill", "_tokens", "untold")

    def __init__(self, burst: int, refill: float) -> None:
        """Allow ``burst`` lines at once and one more each ``refill`` seconds."""
        self._burst, self._refill = burst, refill
        self._tokens = float(burst)
        self._at = float("-inf")
        self.untold = 0
        """How many were refused since the last one that was allowed."""

    def is_full(self, now: float) -> bool:
        """Return whether nothing was taken lately, so that a new one would be the same."""
        return self._filled(now) >= self._burst and not self.untold

    def take(self, now: float) -> bool:
        """Return whether a line may be written now."""
        self._tokens, self._at = self._filled(now), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _filled(self, now: float) -> float:
        return min(float(self._burst), self._tokens + (now - self._at) / self._refill)
