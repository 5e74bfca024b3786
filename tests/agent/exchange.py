"""An agent's loop between two pipes, with a test in ExaBGP's place."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import time
from collections.abc import AsyncIterator
from pathlib import Path

from exabgp_k8s.adapters import daemon, speaker
from exabgp_k8s.agent import options, parts
from exabgp_k8s.agent.errands import Cluster
from exabgp_k8s.agent.inbox import Inbox
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.wire.dialogue import ANSWER_LIMIT

FIRST_WORD = b"\n"
"""What ExaBGP says when it is there."""


class _Deaf(daemon.Daemon):
    """Its process is that of the tests, which a signal to read what is there would end."""

    def reload(self) -> None:
        """Tell nobody."""


class Exchange:
    """An agent's loop between two pipes."""

    def __init__(self, directory: Path) -> None:
        self._questions, self._sink = os.pipe()
        source, self._answers = os.pipe()
        self.pipes = speaker.Speaker(source, self._sink)
        where = options.Options(
            settings=directory / "settings.yaml",
            password_dir=directory,
            node="n1",
            kubeconfig=None,
            state_dir=directory,
            http_host="127.0.0.1",
            http_port=1,
        )
        inbox = Inbox()
        self.agent = parts.put_together(
            where,
            inbox,
            Latest(where.node, asyncio.get_running_loop().time),
            cluster=Cluster(
                look_again=lambda: None,
                notify=lambda *_: None,
                watch_pod_ranges=lambda _: None,
                claim=lambda _: None,
                publish=lambda _: None,
            ),
            pipes=self.pipes,
            exabgp=_Deaf(directory, os.getpid(), is_there=lambda: self.pipes.is_heard),
        )
        self.pipes.start(inbox.put_from_thread, lambda: None)

    async def question(self) -> bytes:
        """Return what the agent asks next."""
        return await asyncio.to_thread(os.read, self._questions, 4096)

    def is_asked(self) -> bool:
        """Return whether the agent has said anything that was not read."""
        return bool(select.select([self._questions], [], [], 0)[0])

    def answer(self, text: bytes) -> None:
        """Answer as ExaBGP does."""
        os.write(self._answers, text)

    def answer_to_a_starved_reader(self, text: bytes) -> None:
        """Answer at once, and let the reader get no further until the limit is over."""
        with self.pipes._passing_on:
            self.answer(text)
            time.sleep(ANSWER_LIMIT + 1)

    def close(self) -> None:
        # One more line: whoever still waits for a question gets it.
        os.write(self._sink, b"\n")
        os.close(self._answers)
        self.agent.supervisor._socket.close()


@contextlib.asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[Exchange, asyncio.Task[None]]]:
    """Run an agent that has not heard of ExaBGP yet."""
    exchange = Exchange(directory)
    task = asyncio.create_task(exchange.agent.run())
    try:
        yield exchange, task
    finally:
        exchange.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ExceptionGroup):
            await task
