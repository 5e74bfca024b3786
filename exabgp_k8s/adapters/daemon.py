"""ExaBGP's configuration: laid down, tried and taken by ExaBGP itself.

A configuration that ExaBGP refuses once makes it refuse every later one, so a new one is a
candidate, which ExaBGP tries before it takes it. Where it does not take what it could read, it is
ended, and the supervisor starts it with the file that is there.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from exabgp_k8s import candidate, chain
from exabgp_k8s.core.facts import model, reload
from exabgp_k8s.wire import daemon_conf

LOOK = 0.005
"""Seconds between two looks whether a candidate was taken; 0.02 are usual."""
REPEAT = 1.0
"""Seconds until ExaBGP is told of a candidate once more: it forgets that easily."""
PATIENCE = 5.0
"""Seconds that an ExaBGP which is there may take; that it runs it is then looked for as ever."""


class Daemon:
    """The running ExaBGP, as far as its configuration goes.

    Args:
        state_dir: where its configuration is.
        process_id: of ExaBGP.
        is_there: whether it has said its first word. Before that, no signal means anything to it.
    """

    def __init__(
        self,
        state_dir: Path,
        process_id: int,
        *,
        is_there: Callable[[], bool],
    ) -> None:
        self._path = state_dir / chain.CONFIGURATION
        self._process_id = process_id
        self._is_there = is_there

    def is_blank(self) -> bool:
        """Return whether ExaBGP has no neighbors, or will have none when it is there."""
        return self._current() == _render(())

    async def configure(
        self, neighbors: tuple[model.Neighbor, ...]
    ) -> reload.Taken | reload.Refused:
        """Bring the file and ExaBGP to these neighbors; nothing is done if they are there."""
        text = _render(neighbors)
        try:
            if text == self._current():
                # One that an earlier agent laid down is not wanted any more.
                candidate.forget(self._path)
            else:
                candidate.lay_down(self._path, text)
                await self._until_taken()
            problem = candidate.refusal(self._path)
        except OSError as error:
            problem = str(error)
        if problem is not None:
            return reload.Refused(problem=f"exabgp refuses the configuration: {problem}")
        return reload.Taken(neighbors=neighbors)

    async def _until_taken(self) -> None:
        """Wait for ExaBGP; one that only starts reads the candidate by itself."""
        clock = asyncio.get_running_loop().time
        last = told = None
        while candidate.is_waiting(self._path):
            now = clock()
            if self._is_there():
                last = now + PATIENCE if last is None else last
                if now >= last:
                    return
                if told is None or now >= told + REPEAT:
                    self.reload()
                    told = now
            await asyncio.sleep(LOOK)

    def reload(self) -> None:
        """Tell ExaBGP to read what is there."""
        if self._is_there():
            os.kill(self._process_id, signal.SIGUSR1)

    def end(self) -> None:
        """End ExaBGP; a supervisor starts it again with the file that is there now."""
        os.kill(self._process_id, signal.SIGTERM)

    def kill(self) -> None:
        """End an ExaBGP that does not answer; only for where there is no supervisor to do it."""
        os.kill(self._process_id, signal.SIGKILL)

    def _current(self) -> str:
        try:
            return self._path.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""


def _render(neighbors: tuple[model.Neighbor, ...]) -> str:
    return daemon_conf.render(neighbors, chain.AGENT, show_secrets=True)
