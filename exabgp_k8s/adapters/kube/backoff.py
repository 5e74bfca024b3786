"""How long to wait before asking again.

Five thousand agents that lost the same API server must not come back in step, nor often. The
numbers are those of client-go's reflector: 0.8 s, doubled each time, 30 s at most, with jitter;
and as there, only a connection that lasted a while makes the next failure the first one again.
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

    @property
    def is_fresh(self) -> bool:
        """Nothing has failed since the start or the last ``reset``."""
        return self._next == self._first

    def delay(self) -> float:
        """Return the seconds to wait now: half of the step at least."""
        step = min(self._next, self._ceiling)
        self._next = min(self._next * _FACTOR, self._ceiling * _FACTOR)
        return step * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """Start from the first delay again."""
        self._next = self._first
