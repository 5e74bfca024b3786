"""ExaBGP's process: started, started again, and later the more often it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping

from exabgp_k8s import restarts

RESTART_FIRST, RESTART_MOST = 0.3, 10.0
"""Seconds between the end of ExaBGP and its next start; doubled while it keeps ending."""
STEADY = 60.0
"""Seconds that ExaBGP must have run for the next restart to be a quick one again."""


class ExaBGP:
    """One process at a time; every moment is one of the monotonic clock."""

    def __init__(self, command: list[str], outlet: int, say: Callable[..., None]) -> None:
        """Take a command, and the descriptor that it may write to."""
        self._command, self._outlet, self._say = command, outlet, say
        self._started_at = 0.0
        self._delay = RESTART_FIRST
        self.pid = 0
        """Zero while there is none."""
        self.due: float | None = 0.0
        """When to start it; None while it runs."""

    def start_if_due(self, now: float) -> bool:
        """Start it if it is time to; return whether it was."""
        if self.due is None or now < self.due:
            return False
        # A group of its own: Ctrl-C at a terminal reaches us alone, and we withdraw first.
        self.pid = os.posix_spawn(
            self._command[0],
            self._command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, self._outlet, end) for end in (1, 2)],
            setpgroup=0,
            setsigmask=[],
            setsigdef=[signal.SIGUSR1, signal.SIGCHLD],
        )
        self.due, self._started_at = None, now
        self._say("exabgp.started", pid=self.pid)
        return True

    def children(self) -> tuple[int, ...]:
        """Return the processes that it started: the agent, be it that nobody heard of it yet."""
        return tuple(int(pid) for pid in _read(f"{self.pid}/task/{self.pid}/children"))

    def waits(self) -> Mapping[int, float]:
        """Return for how long it and its children waited for a processor since they began."""
        found = {}
        for pid in (self.pid, *self.children()):
            # Nanoseconds on a processor, and of being ready without one.
            _, waited, *_ = (*_read(f"{pid}/schedstat"), "0", "0")
            found[pid] = int(waited) / 1e9
        return found

    def continue_(self) -> None:
        """Continue one that somebody stopped."""
        self._say("exabgp.stopped", "warning", pid=self.pid, action="continued")
        kill(self.pid, signal.SIGCONT)

    def ended(self, code: int, now: float, *, is_stopping: bool) -> None:
        """Note that it ended, and when to start the next one."""
        if now - self._started_at > STEADY:
            self._delay = RESTART_FIRST
        effect = "none" if is_stopping else f"restarted in {self._delay:g} s"
        level = "info" if is_stopping and not code else "warning"
        self._say("exabgp.ended", level, code=code, effect=effect)
        self.pid, self.due = 0, now + self._delay
        self._delay = min(self._delay * 2, RESTART_MOST)


def reason(code: int, *, is_ours: bool) -> str:
    """Return why it ended, in a word that is counted.

    Args:
        code: its exit code; minus the number of the signal that ended it.
        is_ours: the watchdog has killed it.
    """
    if is_ours:
        return restarts.WATCHDOG
    if code < 0:
        return restarts.KILLED
    return restarts.FAILED if code else restarts.ENDED


def _read(path: str) -> list[str]:
    """Return the words of a file of the kernel's; it may not have it, or the process ended."""
    try:
        with open(f"/proc/{path}") as file:
            return file.read().split()
    except OSError:
        return []


def kill(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended, or to none."""
    if pid:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def is_there(pid: int) -> bool:
    """Return whether a process exists, be it only that its parent has not noticed its end."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
