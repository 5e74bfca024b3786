"""When to ask again: soon, never in step, and at a price that the servers can pay.

Five thousand agents lose the same API server in the same moment. Two things are to be weighed: a
cordon of the meantime must be heard within seconds of its return, and its return must not be met
by all of them at once.

- Where nobody answers, an attempt costs nothing: it ends in the kernel of a machine without a
  server. So the pause grows to a few seconds only, counted from one attempt to the next.
- A server that answers with errors pays for each. It may just have started, so it is given a
  minute of the same; whoever errs for longer is asked less and less, up to half a minute. What it
  asks for itself, in Retry-After, it gets, up to a limit.
- Where another server is left to be asked, it is asked at once: the first by a part of a second,
  because everybody whose server died comes to the others now. So one pause follows each round
  through all of them, and what the round took is a part of it. Only who answers with errors, or
  fails each time after it has answered well, has the next one asked later.

Each pause is drawn, from half of its length to the whole. The numbers are weighed in
docs/adr/0017-the-way-to-the-api-servers.md.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import backoff

_AT_ONCE, _EACH = 8, 4.0
"""Other servers that are asked at once after an error, and seconds until one more may be."""

_ROUND = 12
"""Other servers that a round has at most, and that are asked at once where nobody answers. More
without a pause means that each fails after it has answered well, which is like an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """How long to wait; all in seconds."""

    first: float = 0.8
    """The longest pause after the first failure; each next one is twice as long."""
    longest: float = 4
    """Between two attempts to reach a server that does not answer."""
    longest_refused: float = 30
    """The same where one has answered with errors for longer than ``patience``."""
    patience: float = 60
    longest_retry_after: float = 60
    """No server can send us to sleep for longer."""
    spread: float = 1
    """The longest pause before another server is asked than the one that has just failed."""
    spread_within: float = 0.3
    """The same within a round; what the attempt took is a part of it."""


class Attempts:
    """The attempts of one task, and the pauses between them."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._steps = backoff.Backoff(pauses.first, pauses.longest_refused)
        self._others = backoff.Bucket(_AT_ONCE, _EACH)
        self._failing_since: float | None = None
        self._was_away = False
        self._moves, self._spent = 0, 0.0

    def succeeded(self) -> None:
        """Note that the next failure is the first one."""
        self._steps.reset()
        self._failing_since, self._spent = None, 0

    def failed(
        self, error: errors.KubeError, *, has_another: bool = False, took: float = 0
    ) -> float:
        """Return the seconds to wait after a failure.

        Args:
            error: what failed.
            has_another: another server is left that may be asked.
            took: seconds that the attempt took, which are a part of the pause.
        """
        now = time.monotonic()
        since = now if self._failing_since is None else self._failing_since
        is_first, self._failing_since = self._failing_since is None, since
        is_cheap = isinstance(error, errors.Unreachable)
        self._spent += took if is_cheap else 0
        if has_another:
            wait = self._drawn(took, is_first=is_first)
            if not is_cheap or self._moves >= _ROUND:
                wait = max(wait, self._others.take(now))
            self._moves += 1
            self._spent += wait
            return wait
        spent, self._spent, self._moves = self._spent, 0, 0
        if self._was_away and not is_cheap:
            # It has just started, and will be well in a moment.
            self._steps.reset()
        self._was_away = is_cheap
        is_soon = is_cheap or now - since < self._pauses.patience
        pause = self._steps.delay(self._pauses.longest if is_soon else float("inf"))
        return max(
            pause - spent,
            self._pauses.first / 4,
            min(error.retry_after, self._pauses.longest_retry_after),
        )

    def ended_early(self, *, has_another: bool = False) -> float:
        """Return the seconds to wait after what ended well, but too soon to have been of use."""
        if has_another:
            return max(self._others.take(time.monotonic()), self._drawn(0, is_first=True))
        return self._steps.delay()

    def _drawn(self, took: float, *, is_first: bool) -> float:
        longest = self._pauses.spread if is_first else self._pauses.spread_within
        return max(0.0, random.uniform(0, longest) - (0 if is_first else took))  # noqa: S311 - jitter
