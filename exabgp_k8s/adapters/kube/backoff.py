"""Pauses that grow while something fails, and tokens for what may happen at once.

Five thousand agents that lost the same API server must not come back in step, nor often.
"""

from __future__ import annotations

import random

_FACTOR = 2


class Backoff:
    """The delays between failed attempts, each longer than the last.

    Args:
        first: the longest first delay, in seconds.
        ceiling: the longest delay, in seconds.
    """

    def __init__(self, first: float, ceiling: float) -> None:
        self._first = first
        self._ceiling = ceiling
        self._next = first

    def delay(self, at_most: float = float("inf")) -> float:
        """Return the seconds to wait now: half of the step at least."""
        step = min(self._next, self._ceiling, at_most)
        self._next = min(self._next * _FACTOR, self._ceiling * _FACTOR)
        return step * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """Start from the first delay again."""
        self._next = self._first


class Bucket:
    """Tokens for what may happen at once: ``burst`` of them, another each ``interval`` seconds."""

    def __init__(self, burst: int, interval: float) -> None:
        self._burst, self._interval = burst, interval
        self._full_at = float("-inf")

    def take(self, now: float) -> float:
        """Take a token and return in how many seconds it may be used."""
        self._full_at = max(self._full_at, now) + self._interval
        return max(0.0, self._full_at - self._burst * self._interval - now)
