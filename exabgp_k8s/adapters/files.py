"""The settings file and the password directory, read again whenever they change.

A ConfigMap volume changes by one swap of a symbolic link, an editor by a rename, ``cp`` in
place; all of them show in what ``stat`` says of the file behind the link. A look each second
costs nothing and needs no inotify, which sees none of it reliably.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from exabgp_k8s.core import events
from exabgp_k8s.errors import SettingsError
from exabgp_k8s.settings import load

POLL = 1.0
"""Seconds between two looks; kubelet itself takes up to a minute to swap the link."""

Signature = tuple[tuple[str, int, int, int], ...]


class Files:
    """The files of one agent's settings."""

    def __init__(self, settings: Path, password_dir: Path) -> None:
        self._settings, self._password_dir = settings, password_dir
        self._seen: Signature | None = None

    def read(self) -> events.ConfigLoaded | events.ConfigRefused:
        """Read everything; a refusal carries every mistake that was found."""
        self._seen = self._signature()
        try:
            settings = load.load(self._settings)
        except SettingsError as error:
            return events.ConfigRefused(problems=tuple(str(each) for each in error.problems))
        passwords, _ = load.read_passwords(self._password_dir, settings.peers)
        return events.ConfigLoaded(config=settings, passwords=passwords)

    async def follow(self, deliver: Callable[[events.Event], None]) -> None:
        """Deliver the settings each time that they changed on disk."""
        while True:
            await asyncio.sleep(POLL)
            if self._signature() != self._seen:
                deliver(self.read())

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
