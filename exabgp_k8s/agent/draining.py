"""A drain, or the stop of the pod: asked for, taken back, and waited for."""

from __future__ import annotations

import asyncio

from exabgp_k8s.agent import stop
from exabgp_k8s.agent.drainfile import DrainFile
from exabgp_k8s.agent.inbox import Inbox
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.agent.options import Options
from exabgp_k8s.core.facts import events, lifecycle
from exabgp_k8s.core.plan.turn import Turn


class Draining:
    """The way of a drain from whoever asks to the turn that ends it."""

    def __init__(self, options: Options, inbox: Inbox, latest: Latest) -> None:
        self._options, self._inbox, self._latest = options, inbox, latest
        self._file = DrainFile(options.state_dir)
        self._is_over = asyncio.Event()

    def note(self, turn: Turn) -> None:
        """Note how far a drain is."""
        if turn.world.phase is lifecycle.Phase.DRAINED:
            self._is_over.set()
        else:
            self._is_over.clear()

    async def stop(self) -> None:
        """Ask for the drain of a pod that ends, or for less if it is only replaced."""
        self._stop(is_rollout=await stop.is_rollout(self._options, self._latest.turn))

    def stop_for_good(self) -> None:
        """Ask for the drain of a pod that nobody comes after."""
        self._stop(is_rollout=False)

    def _stop(self, *, is_rollout: bool) -> None:
        self._is_over.clear()
        self._inbox.put(events.DrainAsked(is_stopping=True, is_rollout=is_rollout))

    def drain(self) -> None:
        """Ask for a drain, which outlives this process and the container."""
        self._file.put()
        self._is_over.clear()
        self._inbox.put(events.DrainAsked())

    def undrain(self) -> None:
        """Take the drain back."""
        self._file.remove()
        self._inbox.put(events.UndrainAsked())

    def resume(self) -> None:
        """Go on with a drain that an earlier agent was asked for."""
        if self._file.is_there:
            self._inbox.put(events.DrainAsked())

    async def caught_up(self) -> None:
        """Return once everything that was asked before has been decided upon."""
        await self._inbox.caught_up()

    async def wait(self) -> None:
        """Return once every withdrawal is acknowledged and the settle time is over."""
        await self._is_over.wait()
