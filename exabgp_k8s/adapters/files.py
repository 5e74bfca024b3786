"""The settings file and the password directory, read again whenever they change.

A ConfigMap volume changes by one swap of a symbolic link, an editor by a rename, ``cp`` in
place; all of them show in what ``stat`` says of the file behind the link. A look each second
costs nothing and needs no inotify, which sees none of it reliably.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from exabgp_k8s.core.facts import config, events
from exabgp_k8s.core.plan import pace
from exabgp_k8s.errors import SettingsError
from exabgp_k8s.settings import load, notes

POLL = 1.0
"""Seconds between two looks; kubelet itself takes up to a minute to swap the link."""

LAST_GOOD = "settings.last-good.yaml"
"""In the state directory; it names Secret keys and holds no secret."""

log = structlog.get_logger()

Signature = tuple[tuple[str, int, int, int], ...]


class Files:
    """The files of one agent's settings."""

    def __init__(self, settings: Path, password_dir: Path, last_good: Path) -> None:
        self._settings, self._password_dir = settings, password_dir
        self._last_good = last_good
        self._seen: Signature | None = None

    def first(self) -> tuple[events.Event, ...]:
        """Read everything at the start of the agent.

        An agent that crashed while the settings were being edited badly must come back with
        the ones that were in force: they are kept in the state directory.
        """
        found = self.read()
        if isinstance(found, events.ConfigLoaded):
            return (found,)
        try:
            return (self._loaded(load.load(self._last_good)), found)
        except Exception as error:
            if not isinstance(error, SettingsError):
                log.exception("settings.unreadable", file=str(self._last_good))
            return (found,)

    def read(self) -> events.ConfigLoaded | events.ConfigRefused:
        """Read everything; a refusal carries every mistake that was found."""
        try:
            return self._read()
        except SettingsError as error:
            return events.ConfigRefused(problems=tuple(each.in_line for each in error.problems))
        except Exception as error:
            # A bug of ours: an agent that it ended would meet the same file in its next life.
            log.exception("settings.unreadable", file=str(self._settings))
            return events.ConfigRefused(problems=(f"the settings could not be read: {error!r}",))

    def _read(self) -> events.ConfigLoaded:
        self._seen = self._signature()
        text = load.read_text(self._settings)
        settings = load.parse(text, str(self._settings))
        # Without a copy the next crash would find less; that is no reason to refuse now.
        try:
            keep(self._last_good, text)
        except OSError as error:
            log.warning("settings.not_kept", file=str(self._last_good), why=str(error))
        return self._loaded(settings)

    def _loaded(self, settings: config.Config) -> events.ConfigLoaded:
        passwords, problems = load.read_passwords(self._password_dir, settings.peers)
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
        while True:
            await asyncio.sleep(POLL)
            now = asyncio.get_running_loop().time()
            if self._signature() != self._seen and not pace.pause(taken, now):
                taken = pace.noted(taken, now)
                # Beside the loop: a large document takes longer than a session is patient.
                deliver(await asyncio.to_thread(self.read))

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


def keep(path: Path, text: str) -> None:
    """Replace a file in one step, so that a crash leaves the old one or the new one."""
    candidate = path.with_suffix(".new")
    candidate.write_text(text, encoding="utf-8")
    candidate.replace(path)
