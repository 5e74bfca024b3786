"""Everything that comes in, in one queue: of the loop, of other threads, and of ExaBGP's pipe."""

from __future__ import annotations

import asyncio
import contextlib

from exabgp_k8s.core.facts import events

Item = events.Event | bytes
"""Bytes are ExaBGP's words; only the loop, which asked, knows what they answer."""


class Inbox:
    """What waits for the loop, in the order in which it came."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[Item, float]] = asyncio.Queue()

    def put(self, event: events.Event) -> None:
        """Put an event in; to be called from the loop's own thread."""
        self._queue.put_nowait((event, self._loop.time()))

    def put_from_thread(self, item: Item) -> None:
        """Put something in from any thread."""
        # The loop may be closing while a thread still has something to say.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, (item, self._loop.time()))

    async def next(self) -> tuple[Item, float]:
        """Return what came first, and when; each is to be followed by ``done``."""
        return await self._queue.get()

    def done(self) -> None:
        """Say that everything was done that the last one asked for."""
        self._queue.task_done()

    async def is_empty(self) -> bool:
        """Return whether nothing waits, what threads have just passed on included."""
        await asyncio.sleep(0)
        return self._queue.empty()

    async def caught_up(self) -> None:
        """Return once everything that is in it now has been decided upon."""
        await self._queue.join()
