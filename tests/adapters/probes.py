"""Run checks against real servers and processes, and look for what they left behind."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable

import psutil

from exabgp_k8s.adapters.checks import runner
from exabgp_k8s.core.facts import config, events

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PATIENCE = 10.0
"""Seconds; the timeout of a probe that is expected to answer, on a machine under load."""
LIMIT = 60.0
"""Seconds until something holds that may take many runs; for a machine that is busy."""


async def outcomes(
    probe: config.Probe, count: int = 1, *, limit: float = PATIENCE, interval: float = 0.001
) -> list[events.CheckOutcome]:
    """Return the first outcomes of a check; ``limit`` is the probe's timeout, in seconds."""
    queue: asyncio.Queue[events.Event] = asyncio.Queue()
    running = runner.Runner(queue.put_nowait)
    running.apply((config.Check(name="it", probe=probe, timeout=limit, interval=interval),))
    seen: list[events.CheckOutcome] = []
    try:
        while len(seen) < count:
            # On a machine that is busy some runs do not count, and are repeated.
            event = await queue.get()
            seen += [event] if isinstance(event, events.CheckOutcome) else []
    finally:
        await running.close()
    return seen


async def outcome(probe: config.Probe, *, limit: float = PATIENCE) -> tuple[bool, str]:
    """Return whether the first run was healthy, and its message."""
    (first,) = await outcomes(probe, limit=limit)
    return first.is_ok, first.message


@contextlib.asynccontextmanager
async def serving(serve: Serve, port: int = 0, **options: object) -> AsyncIterator[int]:
    """Serve every connection on 127.0.0.1 with this coroutine; gives the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(
        connected,
        "127.0.0.1",
        port,
        **options,  # type: ignore[arg-type]
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def descriptors() -> int:
    """Return how many file descriptors this process holds."""
    return len(list(pathlib.Path("/proc/self/fd").iterdir()))


def children() -> list[psutil.Process]:
    """Return the living and the unreaped descendants of this process."""
    return psutil.Process().children(recursive=True)


async def until(holds: Callable[[], bool]) -> None:
    """Poll until it holds; a TimeoutError after ``LIMIT`` seconds fails the test."""
    async with asyncio.timeout(LIMIT):
        while not holds():  # noqa: ASYNC110 - the kernel's process table sends no event
            await asyncio.sleep(0.01)
