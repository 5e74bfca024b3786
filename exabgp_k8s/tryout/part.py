"""A process of ``try``: its last words kept, its end bounded.

Each part leads a session of its own. Ctrl-C at the terminal then reaches ``try`` alone, which
ends the parts in order; and whatever a part has started can be found, also when its parents are
gone and it has a process group of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import psutil

LINES_KEPT = 200
KILL_LIMIT = 2.0
"""Seconds for killed processes to be gone; only the kernel is waited for."""

Hear = Callable[[str, str], None]
"""Called with the name of the part and a line it wrote, in a thread of the part."""


class Part:
    """One child process with everything below it."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], hear: Hear
    ) -> None:
        self.name = name
        self.may_end = False
        """Whether its end is what it should do now."""
        self.log: deque[str] = deque(maxlen=LINES_KEPT)
        """What it wrote last, oldest line first."""
        self._hear = hear
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name=name)
        self._reader.start()

    @property
    def code(self) -> int | None:
        """The exit code; None while the process runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to end."""
        self.may_end = True
        self._process.terminate()

    def wait(self, limit: float) -> None:
        """Wait for its end for at most so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(limit, 0))

    def kill(self) -> None:
        """Kill what is left of it and of everything it started."""
        deadline = time.monotonic() + KILL_LIMIT
        while (left := self._left()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
            # Reaped, or it would be found again.
            self._process.poll()
        self._reader.join(KILL_LIMIT)

    def _left(self) -> list[int]:
        return [pid for pid in psutil.pids() if pid and _session_of(pid) == self._process.pid]

    def _read(self) -> None:
        output = self._process.stdout
        if output is None:
            return
        with output:
            for line in output:
                self.log.append(line.rstrip())
                self._hear(self.name, line.rstrip())


def end(parts: Iterable[Part], limit: float) -> None:
    """End all parts together: asked first, and killed after ``limit`` seconds."""
    ending = list(parts)
    deadline = time.monotonic() + limit
    for each in ending:
        each.terminate()
    for each in ending:
        each.wait(deadline - time.monotonic())
    for each in ending:
        each.kill()


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
