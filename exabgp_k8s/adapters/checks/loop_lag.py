"""How long the loop itself stood still while something ran in it.

A probe whose time is over while this process was not given the CPU may have had its answer for
long: it lay in the kernel and nobody looked. The timer alone does not show that, because it may
fire on time right after a pause; so the loop is asked to look up now and then, and by how much it
is late adds up.
"""

from __future__ import annotations

import asyncio
from typing import Self

LOOKS = 10
"""In the time of one probe; most probes end before the first one, and it costs nothing."""
SHORTEST = 0.02
"""Seconds between two looks at the least."""


class LoopLag:
    """Measures from its beginning to its end, as a context manager.

    Args:
        limit: how long what is watched may take, in seconds.
    """

    def __init__(self, limit: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._every = max(limit / LOOKS, SHORTEST)
        self._late = 0.0

    def __enter__(self) -> Self:
        self._look_later()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    @property
    def seconds(self) -> float:
        """For how long the loop stood still so far."""
        return self._late + max(0.0, self._loop.time() - self._due)

    def _look(self) -> None:
        self._late += self._loop.time() - self._due
        self._look_later()

    def _look_later(self) -> None:
        self._due = self._loop.time() + self._every
        self._timer = self._loop.call_at(self._due, self._look)
