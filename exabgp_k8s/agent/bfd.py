"""BFD beside the sessions: the engine is told which to have, and asked how they are.

Nobody pays who has none: without a peer that asks for it nothing is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from exabgp_k8s.adapters import bfd as adapter
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.core.decide import bfd
from exabgp_k8s.core.facts import bfd as facts
from exabgp_k8s.core.facts import config
from exabgp_k8s.core.plan.turn import Turn

LOOK = 1.0
"""Seconds between two looks at what the engine says; what it decides it decides by itself."""


class Beside:
    """What the engine shall do, and what it says.

    Args:
        engine: its files.
        latest: where the latest turn is.
        deliver: is given what the engine says, when that is news.
    """

    def __init__(
        self, engine: adapter.Engine, latest: Latest, deliver: Callable[[facts.Seen], None]
    ) -> None:
        self._engine, self._latest, self._deliver = engine, latest, deliver
        self._settings: config.Config | None = None
        self._timings: Mapping[str, facts.Timing] = {}
        self._standing = engine.standing()
        self._problem = ""
        self._is_asked = asyncio.Event()

    def note(self, turn: Turn) -> None:
        """Have the engine configured as a turn wants it."""
        if turn.world.config is not self._settings:
            self._settings, self._timings = turn.world.config, bfd.asked(turn.world)
            if self._timings:
                self._is_asked.set()
            else:
                self._is_asked.clear()
        if self._timings or self._standing:
            self._configure(turn)

    def _configure(self, turn: Turn) -> None:
        wanted = bfd.wanted(turn.world, turn.decision, self._timings, self._standing)
        if wanted is None or wanted == self._standing:
            return
        try:
            self._engine.configure(wanted)
        except OSError as error:
            # It is tried again with the next turn, a few seconds from now at the latest.
            self._problem = f"the configuration of the BFD engine cannot be written: {error}"
            return
        self._standing, self._problem = wanted, ""

    async def run(self) -> None:
        """Deliver for ever what the engine says, as long as a peer asks for BFD."""
        clock = self._latest.clock
        told: facts.Seen | None = None
        while True:
            await self._is_asked.wait()
            begun = clock()
            while self._is_asked.is_set():
                found = self._look(clock())
                # An engine that starts together with this process is not missed yet.
                is_early = not found.is_heard and clock() < begun + adapter.OLD
                if found != told and not is_early:
                    told = found
                    self._deliver(found)
                # At whole seconds, as the loop's own clock: a wake-up costs more than a look.
                await asyncio.sleep(LOOK - clock() % LOOK)

    def _look(self, now: float) -> facts.Seen:
        return facts.Seen(problem=self._problem) if self._problem else self._engine.look(now)
