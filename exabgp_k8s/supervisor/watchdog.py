"""When the supervisor steps in, and how hard: signs of life come in, answers go out.

No clock and no signal in here, so that a minute of faults is tested in a millisecond.

Each fault is answered by the least that may mend it: the agent is killed, which the routers do
not see. A fault that comes again soon is answered harder, even if all was well in between:
otherwise an agent that hangs a second after each start would be killed for ever.

Only time that they had counts. On a node that has just booted a start may wait for a processor for
most of a minute, and in a container that is paused nothing runs at all; whoever is killed for that
has to begin again, with no more time than before. A process that hangs waits for no processor.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from exabgp_k8s import restarts

UNANSWERED = b"unanswered "
"""What stands before the agent's process id where ExaBGP did not answer it."""

SILENCE_LIMIT = 10.0
"""Seconds without a sign of life until the agent is killed; it beats once a second."""
START_LIMIT = 30.0
"""Seconds for the first sign of life after ExaBGP was started, on a slow disk."""
SUCCESSOR_LIMIT = 20.0
"""Seconds for the first sign of life of an agent that follows one that was killed: time to start
twice on a busy host, since an answer that was late for the one may still reach the next."""
NOTICE_LIMIT = 3.0
"""Seconds for ExaBGP to notice that its agent ended; it looks ten times a second at least."""
FAULTS_APART = 60.0
"""Seconds since the last fault after which the next one counts as the first again."""
FAULTS_LIMIT = 3
"""The fault in a row that ends the container."""
TURN = 2.0
"""Seconds between two looks at most; the agent's beats come twice as often."""
NEVER = float("inf")


class Answer(enum.Enum):
    """What the supervisor shall do."""

    NOTHING = "nothing"
    KILL_AGENT = "agent killed"
    KILL_BOTH = "both killed"
    END = "container ended"


class Watchdog:
    """What is known of the two processes; every moment is one of the monotonic clock."""

    def __init__(self) -> None:
        self.agent = 0
        """The process id of the last sign of life; 0 before the first."""
        self.killed = 0
        """The agent that was killed or ends by itself."""
        self.why = ""
        """What the latest answer is about, for the log."""
        self.reason = restarts.SILENT
        """Why an agent is killed, in the word that is counted."""
        self._is_running = False
        self._silent_after = self._noticed_by = NEVER
        self._faults = 0
        self._fault_at = -NEVER
        self._turned_at = self._heard_at = NEVER
        self._waits: Mapping[int, float] = {}

    @property
    def due(self) -> float:
        """When to look next if nothing is heard."""
        return min(self._silent_after, self._noticed_by)

    def started(self, now: float) -> None:
        """ExaBGP was started."""
        self._turned_at = self._heard_at = now
        self._is_running = True
        self._silent_after = now + START_LIMIT

    def ended(self) -> None:
        """ExaBGP ended, and nothing is expected until it is started again."""
        self._is_running = False
        self.agent = self.killed = 0
        self._silent_after = self._noticed_by = NEVER

    def turned(self, now: float, waits: Callable[[], Mapping[int, float]]) -> None:
        """Begin a turn: put everything off by the time that the processes did not have.

        Args:
            now: the present time.
            waits: how long each process waited for a processor since it began, by its id.
        """
        before, self._waits = self._waits, {}
        if self._is_running and now - self._heard_at >= TURN:
            self._waits = waits()
        not_theirs = lost(now - self._turned_at, before, self._waits)
        self._silent_after += not_theirs
        self._noticed_by += not_theirs
        self._turned_at = now

    def heard(self, datagram: bytes, now: float) -> Answer:
        """Take in what the agent said."""
        is_unanswered = datagram.startswith(UNANSWERED)
        pid = datagram.removeprefix(UNANSWERED)
        if not pid.isdigit() or not self._is_running:
            return Answer.NOTHING
        self.agent = int(pid)
        if is_unanswered:
            self.why = "exabgp does not answer the agent"
            self.reason = restarts.UNANSWERED
            return self._fault(now)
        self._heard_at, self._silent_after = now, now + SILENCE_LIMIT
        return Answer.NOTHING

    def look(self, now: float, is_there: Callable[[int], bool]) -> Answer:
        """Answer what did not happen in time.

        Args:
            now: the present time.
            is_there: whether a process exists; one that ended does until its parent notices.
        """
        if now >= self._noticed_by:
            self._noticed_by = NEVER
            if is_there(self.killed):
                self.why = "exabgp does not notice the agent's end"
                self._faults, self._fault_at = max(self._faults, 2), now
                return self._kill_both(now)
        if now >= self._silent_after:
            self.why = "no sign of life of the agent"
            self.reason = restarts.SILENT
            return self._fault(now)
        return Answer.NOTHING

    def _fault(self, now: float) -> Answer:
        is_soon = now - self._fault_at < FAULTS_APART
        self._faults = self._faults + 1 if is_soon else 1
        self._fault_at = now
        if self._faults >= FAULTS_LIMIT:
            return Answer.END
        if self._faults > 1 or not self.agent:
            return self._kill_both(now)
        self.killed, self._noticed_by = self.agent, now + NOTICE_LIMIT
        self._silent_after = now + SUCCESSOR_LIMIT
        self.agent = 0
        return Answer.KILL_AGENT

    def _kill_both(self, now: float) -> Answer:
        self._silent_after = now + SILENCE_LIMIT
        return Answer.KILL_BOTH


def lost(passed: float, before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return how much of the time between two looks the processes did not have.

    Args:
        passed: seconds between the looks, which are ``TURN`` apart at most.
        before: how long each process had waited for a processor at the first one, by its id.
        after: the same at the second one.
    """
    return max(0.0, passed - TURN, min(passed, _growth(before, after)))


def _growth(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return the most that any value grew; what is not known from before says nothing yet."""
    if not before:
        return 0.0
    return max((value - before.get(each, 0.0) for each, value in after.items()), default=0.0)
