"""Steady new connections from outside the cluster, and what became of them.

Three outcomes matter. *Failed*: never connected, or no answer. *Lost SYN*: the client's kernel had
to send one again, which costs its user a second at least. *Moved*: the handshake was done, then a
reset came. That is what a change of an ECMP group does to connections that are open at that very
instant: their next packet reaches another node, which does not know them. Nothing in BGP can
prevent it, so it is counted by itself: it is no new connection that failed.
"""

from __future__ import annotations

import collections
import json
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fabric import namespaces, waiting

RATE = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One attempt; times in seconds on CLOCK_MONOTONIC."""

    start: float
    end: float
    outcome: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every attempt of one run of traffic."""

    connections: tuple[Connection, ...]
    lost_syns: int
    """SYNs that the client's kernel sent again: exact, however busy the machine is."""

    @property
    def failed(self) -> tuple[Connection, ...]:
        """Connections that were never made, or never answered."""
        return tuple(each for each in self.connections if each.outcome not in {"ok", "moved"})

    @property
    def moved(self) -> tuple[Connection, ...]:
        """Connections that were reset after the handshake."""
        return tuple(each for each in self.connections if each.outcome == "moved")

    @property
    def rehashes(self) -> int:
        """At how many instants, at the least, connections that were open were moved.

        How many are open at an instant depends on the machine; how many instants do not.
        """
        instants, latest = 0, float("-inf")
        for each in sorted(self.moved, key=lambda moved: moved.end):
            if each.start > latest:
                instants, latest = instants + 1, each.end
        return instants

    def by_node(self) -> Mapping[str, int]:
        """Return how many connections each node answered."""
        return collections.Counter(each.node for each in self.connections if each.node)

    def __str__(self) -> str:
        outcomes = dict(collections.Counter(each.outcome for each in self.connections))
        return f"{outcomes}, {self.lost_syns} SYNs sent again, by node {dict(self.by_node())}"


class Traffic:
    """A client that dials while the ``with`` block runs; ``report`` is there after it."""

    def __init__(
        self, client: namespaces.Namespace, address: str, port: int, *, name: str = "",
        rate: float = RATE,
    ) -> None:  # fmt: skip
        self._client = client
        self._arguments = (
            f"--address={address}", f"--port={port}", f"--name={name}", f"--rate={rate}"
        )  # fmt: skip
        self._directory = tempfile.TemporaryDirectory(prefix="ek8s-traffic-")

    @property
    def report(self) -> Report:
        """What became of every connection."""
        assert self._report is not None
        return self._report

    def __enter__(self) -> Self:
        self._report: Report | None = None
        directory = Path(self._directory.name)
        self._out = directory / "records.json"
        self._log = directory / "log"
        self._process: subprocess.Popen[bytes] = self._client.start_module(
            "tests.fabric.dialler", *self._arguments, f"--out={self._out}", log=self._log
        )
        self._syns = self._client.inside(_syns_sent_again)
        waiting.until(self._out.with_suffix(".started").exists, "traffic flows")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        code = namespaces.stop(self._process, number=signal.SIGTERM)
        if code != 0 and error is None:
            raise AssertionError(self._log.read_text())
        if code == 0:
            self._report = Report(
                connections=tuple(
                    Connection(start=start, end=end, outcome=outcome, node=node)
                    for start, end, outcome, node in json.loads(self._out.read_text())
                ),
                lost_syns=self._client.inside(_syns_sent_again) - self._syns,
            )
        self._directory.cleanup()


def _syns_sent_again() -> int:
    """Return TCPSynRetrans of the namespace that the calling thread is in."""
    rows = Path("/proc/thread-self/net/netstat").read_text().splitlines()
    names, values = (row.split() for row in rows if row.startswith("TcpExt:"))
    return int(values[names.index("TCPSynRetrans")])
