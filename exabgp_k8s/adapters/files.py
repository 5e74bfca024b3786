"""The settings file and the password directory, read again whenever they change.

A ConfigMap volume changes by one swap of a symbolic link, an editor by a rename, ``cp`` in
place; all of them show in what ``stat`` says of the file behind the link. A look each second
costs nothing and needs no inotify, which sees none of it reliably.

What a text means is known from who checked it before: ``run``, or the agent before this one, left
the values in the state directory. Only a text that nobody has checked needs a checker.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import structlog

from exabgp_k8s.adapters import checker, kept, shortage
from exabgp_k8s.core.facts import config, events
from exabgp_k8s.core.plan import pace
from exabgp_k8s.errors import SettingsError
from exabgp_k8s.settings import mounted, notes
from exabgp_k8s.wire import checked

POLL = 1.0
"""Seconds between two looks; kubelet itself takes up to a minute to swap the link."""

LONGEST_PAUSE = 30.0
"""Seconds between two looks while the settings cannot be checked."""

log = structlog.get_logger()

Signature = tuple[tuple[str, int, int, int], ...]
Read = events.ConfigLoaded | events.ConfigRefused


class Files:
    """The files of one agent's settings."""

    def __init__(self, settings: Path, password_dir: Path, state_dir: Path) -> None:
        self._settings, self._password_dir = settings, password_dir
        self._state_dir = state_dir
        self._seen: Signature | None = None
        self._known: checked.Checked | None = None
        """The last good settings."""
        self.digest = ""
        """SHA-256 of their text, as ``sha256sum settings.yaml`` has it; empty: not known."""

    def first(self) -> tuple[events.ConfigLoaded, ...]:
        """Return what is known at the start of the agent, without checking anything.

        These are the settings that were in force. An edit of the meantime, good or bad, is found
        by the first look of ``follow``: an agent that crashed during one comes back with them.
        """
        self._known = kept.recall(self._state_dir)
        if self._known is None:
            return ()
        signature = self._signature()
        found = self._loaded(self._known.config)
        with contextlib.suppress(SettingsError):
            self.digest = _digest(mounted.read_text(self._state_dir / kept.LAST_GOOD))
        # One that cannot be read is refused by the first look.
        with contextlib.suppress(SettingsError):
            if checked.digest(mounted.read_text(self._settings)) == self._known.digest:
                self._seen = signature
        return (found,)

    def read(self) -> tuple[Read, ...]:
        """Read everything; a refusal carries every mistake that was found.

        Where nothing is in force yet, the last good settings come before a refusal.
        """
        self._seen = self._signature()
        found = self._read(self._settings)
        if isinstance(found, events.ConfigLoaded) or self._known is not None:
            return (found,)
        last_good = self._state_dir / kept.LAST_GOOD
        again = self._read(last_good) if last_good.exists() else found
        return (again, found) if isinstance(again, events.ConfigLoaded) else (found,)

    def _read(self, path: Path) -> Read:
        if lack := shortage.present():
            return self._unchecked(lack)
        try:
            text = mounted.read_text(path)
            return self._loaded(self._meaning(text, str(path)))
        except SettingsError as error:
            return events.ConfigRefused(problems=tuple(each.in_line for each in error.problems))
        except checker.Refused as error:
            return events.ConfigRefused(problems=error.problems)
        except checker.Unchecked as error:
            return self._unchecked(str(error))
        except Exception as error:
            # A bug of ours: an agent that it ended would meet the same file in its next life.
            log.exception("settings.unreadable", file=str(path))
            return events.ConfigRefused(problems=(f"the settings could not be read: {error!r}",))

    def _meaning(self, text: str, source: str) -> config.Config:
        digest = checked.digest(text)
        if self._known is None or self._known.digest != digest:
            settings = checker.check(text, source)
            self._known = checked.Checked(digest=digest, config=settings)
            self.digest = _digest(text)
            # Without a copy the next crash would find less; that is no reason to refuse now.
            try:
                kept.keep(self._state_dir, text, settings)
            except OSError as error:
                log.warning("settings.not_kept", file=str(self._state_dir), why=str(error))
        return self._known.config

    def _unchecked(self, why: str) -> events.ConfigRefused:
        # Not seen: the same text is asked about again.
        self._seen = None
        told = f"the settings could not be checked: {why}; what is in force stays"
        return events.ConfigRefused(problems=(f"{told}, and it is tried again",))

    def _loaded(self, settings: config.Config) -> events.ConfigLoaded:
        passwords, problems = mounted.read_passwords(self._password_dir, settings.entries)
        for problem in problems:
            log.error(
                "password.unusable", why=str(problem), unless="it had one before: that goes on"
            )
        for note in notes.find(settings):
            log.info("settings.ineffective", why=str(note))
        return events.ConfigLoaded(config=settings, passwords=passwords)

    async def follow(self, deliver: Callable[[events.Event], None]) -> None:
        """Deliver the settings each time that they changed on disk, but not all the time."""
        taken: tuple[float, ...] = ()
        pause, clock = POLL, asyncio.get_running_loop().time
        while True:
            now = clock()
            if self._signature() != self._seen and not pace.pause(taken, now):
                taken = pace.noted(taken, now)
                for event in await self._read_beside():
                    deliver(_found(event, now))
                # A node that is short of something is not helped by more processes.
                pause = min(2 * pause, LONGEST_PAUSE) if self._seen is None else POLL
            # At whole seconds, as the loop's own clock: a wake-up costs more than a look.
            await asyncio.sleep(pause - clock() % POLL)

    async def _read_beside(self) -> tuple[Read, ...]:
        """Read beside the loop: a checker takes longer than a session is patient."""
        try:
            return await asyncio.to_thread(self.read)
        except RuntimeError as error:
            if not (lack := shortage.of(error)):
                raise
            return (self._unchecked(lack),)

    def _signature(self) -> Signature:
        return tuple(self._state_of(path) for path in (self._settings, *sorted(self._passwords())))

    def _passwords(self) -> list[Path]:
        try:
            return [path for path in self._password_dir.iterdir() if path.is_file()]
        except OSError:
            return []

    @staticmethod
    def _state_of(path: Path) -> tuple[str, int, int, int]:
        try:
            found = path.stat()
        except OSError:
            return (path.name, 0, 0, 0)
        return (path.name, found.st_ino, found.st_mtime_ns, found.st_size)


def _found(event: Read, now: float) -> Read:
    """Return what was read with the moment at which the edit was found."""
    if isinstance(event, events.ConfigLoaded):
        return dataclasses.replace(event, found_at=now)
    return event


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
