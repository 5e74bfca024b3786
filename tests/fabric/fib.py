"""Everything that happened to a router's routes: a table read twice does not show a flap."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fabric import namespaces, routers, waiting

MARKS = ("198.18.0.1", "198.18.0.2")
"""Routes put in before and after, so that the watch is known to cover all between them."""
NOT_MEANT = (*MARKS, " proto kernel ", "Error: Peer netns")
"""Nor are the kernel's own routes of an interface, which IPv6 sets late, and what ``ip`` says of
links whose other end is in the namespace of another bed that is being removed."""


class Watch:
    """Records the kernel's route messages of one router while the ``with`` block runs."""

    def __init__(self, router: routers.Router) -> None:
        self._namespace = router.namespace
        self._directory = tempfile.TemporaryDirectory(prefix="ek8s-fib-")
        self._log = Path(self._directory.name) / "messages"
        self._final: tuple[str, ...] | None = None

    @property
    def messages(self) -> tuple[str, ...]:
        """What was seen so far; after the block, all of it."""
        return self._final if self._final is not None else self._read()

    def __enter__(self) -> Self:
        self._process = self._namespace.start(
            ["ip", "-oneline", "monitor", "route"], log=self._log
        )
        self._mark(MARKS[0])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._mark(MARKS[1])
        namespaces.stop(self._process, number=signal.SIGTERM)
        self._final = self._read()
        self._directory.cleanup()

    def _read(self) -> tuple[str, ...]:
        lines = self._log.read_text().splitlines()
        return tuple(line for line in lines if not any(mark in line for mark in NOT_MEANT))

    def _mark(self, address: str) -> None:
        """Add and delete a route until the watch shows it: it needs a moment to begin."""

        def is_seen() -> bool:
            self._namespace.ip(f"route add blackhole {address}", f"route del blackhole {address}")
            return address in self._log.read_text()

        waiting.until(is_seen, "the watch shows a change")
