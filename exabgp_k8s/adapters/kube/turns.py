"""A thread that asks the API servers again and again, and outlives whatever it meets there.

    turn ──────well──────> pause ──over, or woken──> turn ...
      └──error──> failed ──> pause

The transport blocks, so each task has a thread of its own and a slow API server keeps nobody else
waiting. What such threads have in common is here: one turn after the other, a pause in between
that a wish may shorten and that the end always does, and errors. An error of ours is one more
failure: the task forgets what it may have come from, and the thread goes on.
"""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import own_errors


class Pause(NamedTuple):
    """How long to wait for the next turn; in seconds."""

    seconds: float
    """If nobody wakes the thread."""
    least: float = 0
    """Whoever wakes it: a server that fails is not asked at once for every new wish."""


AT_ONCE = Pause(0)
UNTIL_WOKEN = Pause(threading.TIMEOUT_MAX)


class Task(Protocol):
    """What is done in the thread."""

    def turn(self) -> Pause:
        """Do what is due; return how long that will do.

        Raises:
            errors.KubeError: an API server could not be asked, or its answer is of no use.
        """

    def failed(self, error: errors.KubeError) -> Pause:
        """Take note of a failed turn; return how long to leave it at that."""

    def forget(self) -> None:
        """Believe nothing any more that an error of ours may have come from."""


class Turns:
    """The thread of one task.

    Args:
        task: what to do in it.
        name: of the thread.
        about: what the task is about, for the log.
    """

    def __init__(self, task: Task, *, name: str, about: str) -> None:
        self._task = task
        self._name = name
        self._own_errors = own_errors.OwnErrors(about)
        self._changed = threading.Condition()
        self._is_woken = self._was_woken = self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: there is no thread to be had now; it may be tried again.
        """
        thread = threading.Thread(target=self._run, daemon=True, name=self._name)
        thread.start()
        self._thread = thread

    def wake(self) -> None:
        """Have the next turn soon, for something is wanted; returns at once."""
        with self._changed:
            self._is_woken = True
            self._changed.notify()

    def stop(self) -> None:
        """End the thread after the turn in which it is; returns at once."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()

    @property
    def is_started(self) -> bool:
        """Whether there is a thread, or was."""
        return self._thread is not None

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def was_woken(self) -> bool:
        """For the task: whether somebody woke the thread before this turn."""
        return self._was_woken

    @property
    def is_wanted(self) -> bool:
        """For the task: whether somebody has woken or stopped the thread since the turn began."""
        return self._is_woken or self._is_stopping

    def _run(self) -> None:
        while not self._is_stopping:
            self._wait(self._turn())

    def _turn(self) -> Pause:
        with self._changed:
            self._was_woken, self._is_woken = self._is_woken, False
        try:
            return self._task.turn()
        except errors.KubeError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the task is to be done
            self._task.forget()
            return self._failed(self._own_errors.as_failure(error))

    def _failed(self, error: errors.KubeError) -> Pause:
        return AT_ONCE if self._is_stopping else self._task.failed(error)

    def _wait(self, pause: Pause) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, timeout=pause.least)
            rest = max(0, pause.seconds - pause.least)
            self._changed.wait_for(lambda: self.is_wanted, timeout=rest)
