"""BFD beside the sessions: the engine is told which to have, and asked how they are.

Nobody pays who has none: without a peer that asks for it nothing is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Mapping

from exabgp_k8s.adapters import bird
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.core.decide import bfd
from exabgp_k8s.core.facts import bfd as facts
from exabgp_k8s.core.facts import config
from exabgp_k8s.core.plan.turn import Turn

LOOK = 1.0
"""Seconds between two looks at what the engine says; what it decides it decides by itself."""
EARLY = 5.0
"""Seconds for which an engine that starts together with this process is not missed."""


class Beside:
    """What the engine shall do, and what it says.

    Args:
        engine: the one of this node.
        latest: where the latest turn is.
        deliver: is given what the engine says, when that is news.
    """

    def __init__(
        self, engine: bird.Engine, latest: Latest, deliver: Callable[[facts.Seen], None]
    ) -> None:
        self._engine, self._latest, self._deliver = engine, latest, deliver
        self._settings: config.Config | None = None
        self._timings: Mapping[str, facts.Timing] = {}
        self._standing = self._wanted = engine.standing()
        self._problem = ""
        self._is_needed, self._is_new = asyncio.Event(), asyncio.Event()

    def note(self, turn: Turn) -> None:
        """Have the engine configured as a turn wants it."""
        if turn.world.config is not self._settings:
            self._settings, self._timings = turn.world.config, bfd.asked(turn.world)
        if not self._timings and not self._wanted:
            return
        wanted = bfd.wanted(turn.world, turn.decision, self._timings, self._wanted)
        if wanted is not None and wanted != self._wanted:
            self._wanted = wanted
            self._is_new.set()
        self._is_needed.set()

    async def run(self) -> None:
        """Configure the engine and deliver what it says, as long as a peer asks for BFD."""
        while True:
            await self._is_needed.wait()
            await self._attend()
            # The last session has ended; nobody looks until there is another one.
            self._is_needed.clear()

    async def _attend(self) -> None:
        clock = self._latest.clock
        begun, told, was_heard = clock(), None, False
        while self._timings or self._wanted != self._standing:
            self._is_new.clear()
            await self._configure()
            found = await self._engine.look(clock, self._standing)
            if found.is_heard and not was_heard:
                # The file may have been emptied or removed while the engine was away.
                self._standing = self._engine.standing()
            was_heard = found.is_heard
            if self._problem and found.is_heard:
                found = dataclasses.replace(found, problem=self._problem)
            is_early = not found.is_heard and clock() < begun + EARLY
            if found != told and not is_early:
                told = found
                self._deliver(found)
            # At whole seconds, as the loop's own clock: a wake-up costs more than a look.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_new.wait(), LOOK - clock() % LOOK)

    async def _configure(self) -> None:
        wanted = self._wanted
        if wanted == self._standing:
            return
        self._problem = await self._engine.configure(wanted)
        if not self._problem:
            self._standing = wanted
