"""Connections that stay open and are used now and then, as those of a database's clients are.

A connection breaks without anybody closing it when its packets reach a node that does not know
it: conntrack there has no entry, so the packet is translated as if it were new, some pod gets the
middle of a conversation and answers by a reset. Or the node drops it, and nothing comes back at
all. So each connection says the time again and again, the server gives it back, and what came
back last tells since when nothing did.

The sockets belong to the client's namespace because they are made there; they are used from here.
"""

from __future__ import annotations

import collections
import select
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.fabric import namespaces, waiting

EVERY = 0.5
"""Seconds between two lines on one connection."""


class Connection:
    """One connection: which node it leads to, and what was heard on it."""

    def __init__(self, address: str, port: int) -> None:
        """Connect, in the namespace of the calling thread; the server speaks first."""
        self.socket = socket.create_connection((address, port), timeout=60)
        with self.socket.makefile() as greeting:
            self.node = greeting.readline().strip()
        self.socket.setblocking(False)
        self.is_reset = False
        self.echoed = 0.0
        """When the newest line that came back was said, in seconds of CLOCK_MONOTONIC."""
        self._rest = b""

    def say(self) -> None:
        """Send the time."""
        try:
            self.socket.send(b"%.6f\n" % time.monotonic())
        except OSError:
            self.is_reset = True

    def hear(self) -> None:
        """Take what came back."""
        try:
            received = self.socket.recv(65536)
        except OSError:
            received = b""
        *lines, self._rest = (self._rest + received).split(b"\n")
        self.is_reset |= not received
        if lines:
            self.echoed = float(lines[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How many connections are in which state, by the node that each of them led to."""

    alive: Mapping[str, int]
    reset: Mapping[str, int]
    silent: Mapping[str, int]

    def lost(self, node: str) -> int:
        """Count those of one node that are reset or silent."""
        return self.reset.get(node, 0) + self.silent.get(node, 0)

    def lost_but(self, node: str) -> int:
        """Count those of all other nodes that are reset or silent."""
        return sum(self.reset.values()) + sum(self.silent.values()) - self.lost(node)


class Held:
    """The connections of one client, kept in use while the ``with`` block runs."""

    def __init__(
        self, client: namespaces.Namespace, address: str, port: int, *, every: float = EVERY
    ) -> None:
        self._client = client
        self._server = (address, port)
        self._every = every
        self._made: list[Connection] = []
        self._connections: list[Connection] = []
        """Those that are not reset."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._converse, name="held connections")

    def open(self, count: int) -> None:
        """Open more connections, one after the other."""
        made = self._client.inside(lambda: [Connection(*self._server) for _ in range(count)])
        self._made += made
        self._connections = [*self._connections, *made]

    def by_node(self) -> Mapping[str, int]:
        """Return how many connections lead to each node."""
        return collections.Counter(each.node for each in self._connections)

    def judge(self, *, limit: float = waiting.LIMIT) -> Verdict:
        """Return what became of every connection, and forget those that were reset.

        Alive is one on which something said from now on has come back, silent one of which that
        is not so after ``limit`` seconds; it stays, and may be alive another time.
        """
        since = time.monotonic()
        judged = self._connections
        while time.monotonic() < since + limit:
            if all(each.is_reset or each.echoed >= since for each in judged):
                break
            time.sleep(0.05)
        reset = [each for each in judged if each.is_reset]
        alive = [each for each in judged if not each.is_reset and each.echoed >= since]
        silent = [each for each in judged if not each.is_reset and each.echoed < since]
        self._connections = [*alive, *silent]
        return Verdict(alive=_by_node(alive), reset=_by_node(reset), silent=_by_node(silent))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        for each in self._made:
            each.socket.close()

    def _converse(self) -> None:
        while not self._stopped.is_set():
            begun = time.monotonic()
            for each in self._connections:
                each.say()
            while (rest := begun + self._every - time.monotonic()) > 0:
                self._hear(min(rest, 0.1))

    def _hear(self, seconds: float) -> None:
        open_ones = {each.socket: each for each in self._connections if not each.is_reset}
        for ready in select.select(open_ones, (), (), seconds)[0]:
            open_ones[ready].hear()


def _by_node(connections: list[Connection]) -> Mapping[str, int]:
    return collections.Counter(each.node for each in connections)
