"""When one thing is to be done, or may be done again.

What is asked and written beside a watch, or instead of one, has an interval of its own: a renewal,
a list that is read again, a connection that has served for long enough. Each is one moment, which
is moved on when the thing was done; nobody waits for it, but whoever has time looks whether it is
there.
"""

from __future__ import annotations

import random
import time


class Due:
    """One moment; it is there from the beginning."""

    def __init__(self) -> None:
        self._at = float("-inf")

    @property
    def is_now(self) -> bool:
        """Whether it is time."""
        return time.monotonic() >= self._at

    @property
    def seconds(self) -> float:
        """How long it is until then; 0 if it is time."""
        return max(0.0, self._at - time.monotonic())

    def at_once(self) -> None:
        """Have it be time now."""
        self._at = float("-inf")

    def after(self, seconds: float, *, spread: float = 0) -> None:
        """Have it be time later.

        Args:
            seconds: from now on.
            spread: the part of them by which it comes sooner or later, so that nodes that begin
                together do not stay in step.
        """
        drawn = random.uniform(1 - spread, 1 + spread)  # noqa: S311 - jitter, not a secret
        self._at = time.monotonic() + seconds * drawn
