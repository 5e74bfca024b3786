"""The directory that is shared with the engine of BFD: what it shall do, and what it says.

We write ``bird.conf`` and the engine ``state.json``, each in one step, so that nobody ever reads
half of one. The engine is another container: it may be away, what it said last may be old, and
what it leaves there is read without following links and without waiting.
"""

from __future__ import annotations

import dataclasses
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from exabgp_k8s.core.facts import bfd, model
from exabgp_k8s.wire import bfd_state, bird_conf

CONFIGURATION, STATE = "bird.conf", "state.json"
OLD = 15.0
"""Seconds after which what the engine said last says nothing of now."""

Stamp = tuple[int, int, int]
NO_FILE: Stamp = (0, 0, 0)


class Engine:
    """The files of one node's engine.

    Args:
        directory: where they are; it is made with the first session.
    """

    def __init__(self, directory: Path) -> None:
        self._configuration, self._state = directory / CONFIGURATION, directory / STATE
        self._stamp = NO_FILE
        self._report: bfd_state.Report | None = None
        self._told: Mapping[model.Address, tuple[bfd.Session, bfd.Session]] = {}
        """Each session as the engine has it, and by our clock."""

    def standing(self) -> tuple[bfd.Wanted, ...]:
        """Return the sessions of the configuration that is there; none if there is none."""
        try:
            _, text = _read(self._configuration, NO_FILE)
        except OSError:
            return ()
        return bird_conf.read(text or "")

    def configure(self, wanted: tuple[bfd.Wanted, ...]) -> None:
        """Lay down the configuration for these sessions.

        Raises:
            OSError: it cannot be written.
        """
        self._configuration.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        candidate = self._configuration.with_suffix(".new")
        candidate.unlink(missing_ok=True)
        descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            # There is no secret in it, and the engine may be another user.
            os.fchmod(descriptor, 0o644)
            file.write(bird_conf.render(wanted))
        candidate.replace(self._configuration)

    def look(self, now: float) -> bfd.Seen:
        """Return what the engine says at a time of our own clock, or why it is not known."""
        try:
            stamp, text = _read(self._state, self._stamp)
        except FileNotFoundError:
            return _unheard(f"the BFD engine has not written {self._state}; does it run?")
        except OSError as error:
            return _unheard(f"what the BFD engine says cannot be read: {error}")
        if stamp != self._stamp:
            self._stamp, self._report = stamp, None if text is None else bfd_state.load(text)
        if self._report is None:
            return _unheard(f"{self._state} of the BFD engine cannot be understood")
        wall = time.time()
        if abs(wall - self._report.at) > OLD:
            return _unheard(
                f"the BFD engine has said nothing for more than {OLD:.0f} s; does it run?"
            )
        self._told = {
            each.address: self._by_our_clock(each, wall, now) for each in self._report.sessions
        }
        sessions = {address: mine for address, (_, mine) in self._told.items()}
        return bfd.Seen(problem=self._report.problem, sessions=sessions)

    def _by_our_clock(
        self, said: bfd.Session, wall: float, now: float
    ) -> tuple[bfd.Session, bfd.Session]:
        """Return a session with its time as ours; one that is as before is the same again."""
        before = self._told.get(said.address)
        if before is not None and before[0] == said:
            return before
        return said, dataclasses.replace(said, since=now - max(wall - said.since, 0))


def _unheard(problem: str) -> bfd.Seen:
    return bfd.Seen(problem=problem, is_heard=False)


def _read(path: Path, known: Stamp) -> tuple[Stamp, str | None]:
    """Return which file it is, and its text; None if it is the known one, or none of ours."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp == known or not stat.S_ISREG(found.st_mode):
            return stamp, None
        text = file.read(bfd_state.LARGEST + 1)
    return stamp, None if len(text) > bfd_state.LARGEST else text.decode("utf-8", "replace")
