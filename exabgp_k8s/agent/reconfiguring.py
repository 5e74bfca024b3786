"""How ExaBGP comes to the neighbors that were decided: one change at a time, until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from exabgp_k8s.adapters import daemon
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.core.facts import events, model, reload
from exabgp_k8s.core.plan import pace
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.errors import DialogueError

RETRY_REFUSED = 30.0
"""Seconds until a configuration that ExaBGP refused is tried again unchanged."""
LOOK = 1.0
"""Seconds between two looks whether another one is wanted meanwhile."""
REPEAT = 2.0
"""Seconds until ExaBGP is told once more to read its configuration."""


class Reconfiguring:
    """Brings ExaBGP to the neighbors of the latest turn.

    Args:
        exabgp: what is configured.
        latest: where the wanted neighbors are.
        deliver: is given what became of each change.
    """

    def __init__(
        self, exabgp: daemon.Daemon, latest: Latest, deliver: Callable[[events.Event], None]
    ) -> None:
        self._exabgp, self._latest, self._deliver = exabgp, latest, deliver
        self._is_wanted = asyncio.Event()
        self._is_awaited = asyncio.Event()
        """Set while ExaBGP has not been seen with what it was told to read."""
        self._is_free = asyncio.Lock()

    def note(self, turn: Turn) -> None:
        """Note what a turn wants.

        Raises:
            DialogueError: ExaBGP has not taken a configuration for so long that it is ended.
        """
        if turn.world.is_reload_lost:
            self._exabgp.end()
            raise DialogueError("ExaBGP did not take its new configuration and is restarted")
        if _is_change(turn):
            self._is_wanted.set()
        if turn.world.neighbors is None or turn.world.is_rib_current:
            self._is_awaited.clear()
        else:
            self._is_awaited.set()

    async def run(self) -> None:
        """Carry out changes for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._change())
            group.create_task(self._repeat())

    async def _change(self) -> None:
        taken: tuple[float, ...] = ()
        while True:
            await self._is_wanted.wait()
            await asyncio.sleep(pace.pause(taken, self._latest.clock()))
            self._is_wanted.clear()
            wanted = self._latest.turn.stage
            if wanted is None or not _is_change(self._latest.turn):
                continue
            taken = pace.noted(taken, self._latest.clock())
            async with self._is_free:
                self._deliver(reload.Asked(neighbors=wanted))
                outcome = await self._exabgp.configure(wanted)
            self._deliver(outcome)
            if isinstance(outcome, reload.Refused):
                await self._until_changed(wanted)

    async def _until_changed(self, refused: tuple[model.Neighbor, ...]) -> None:
        """Wait: what ExaBGP refuses now it refuses in a second too, unless it changes."""
        for _ in range(round(RETRY_REFUSED / LOOK)):
            if self._latest.turn.stage != refused:
                return
            await asyncio.sleep(LOOK)

    async def _repeat(self) -> None:
        """Tell ExaBGP again to read what it has not taken: it forgets that easily."""
        while True:
            await self._is_awaited.wait()
            await asyncio.sleep(REPEAT)
            async with self._is_free:
                if self._is_awaited.is_set():
                    self._exabgp.reload()


def _is_change(turn: Turn) -> bool:
    return turn.stage not in (None, turn.world.neighbors)
