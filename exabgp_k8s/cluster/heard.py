"""As of when silence is judged: our own ears count before a node's voice.

While the API server is away nobody hears the agents, and none of them can write. To judge them by
a clock that goes on would make a silent node of each after thirteen minutes. So the time stands
still with what was heard last, and for a while after: the agents need a moment to write again.
"""

from __future__ import annotations

LATE = 100.0
"""Seconds without a word from the API server that are usual: a watch is renewed every 40."""
AGAIN = 90.0
"""Seconds that agents have to write after the API server was away; they pause 30 at most."""


class Judged:
    """The time that counts; one for each pair of watches."""

    def __init__(self) -> None:
        self._held: float | None = None
        """When the time was stopped; None: it goes."""
        self._free_at = 0.0

    def at(self, now: float, heard: float) -> float:
        """Return as of when to judge.

        Args:
            now: the time, in seconds since 1970.
            heard: when the API server was heard last, on the same clock.
        """
        if now - heard > LATE:
            self._held = heard + LATE
            self._free_at = 0.0
            return self._held
        if self._held is None:
            return now
        self._free_at = self._free_at or now + AGAIN
        if now >= self._free_at:
            self._held = None
            return now
        return self._held
