"""A router in a process of its own, and what has arrived there."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from tests.bench import BenchError

ROUTER = pathlib.Path(__file__).with_name("router.py")
LIMIT = 120.0
"""Seconds to wait for anything; for a machine that is busy, not a promise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One prefix of one UPDATE."""

    at: int
    """Nanoseconds of CLOCK_MONOTONIC at which the bytes were there."""
    prefix: str
    is_withdrawal: bool


class Peer:
    """A router that speaks BGP to whoever connects, one session at a time.

    Args:
        address: the loopback address to listen on, also the router id.
        asn: its AS number.
    """

    def __init__(self, address: str, asn: int) -> None:
        self.address, self.asn = address, asn
        self._heard = threading.Condition()
        self._changes: list[Change] = []
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(ROUTER), address, str(asn)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline() or 0)
        if not self.port:
            raise BenchError(f"the router at {address} did not start")

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True, name=f"peer {self.address}").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """End the session and take no other one."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(LIMIT)

    def wait(self, prefixes: Collection[str], *, is_withdrawal: bool, since: int) -> list[int]:
        """Return when each prefix was first withdrawn or announced since a moment.

        Raises:
            BenchError: it has not been after ``LIMIT`` seconds.
        """
        found: dict[str, int] = {}

        def is_complete() -> bool:
            for change in self._changes:
                if change.at >= since and change.is_withdrawal is is_withdrawal:
                    found.setdefault(change.prefix, change.at)
            return found.keys() >= set(prefixes)

        with self._heard:
            if not self._heard.wait_for(is_complete, LIMIT):
                what = "withdrawn from" if is_withdrawal else "announced to"
                missing = ", ".join(sorted(set(prefixes) - found.keys()))
                raise BenchError(f"{missing}: not {what} {self.address} within {LIMIT:g} s")
            # What was waited for is over; the list must not grow with the run.
            self._changes.clear()
        return [found[prefix] for prefix in prefixes]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as said:
            for line in said:
                at, what, prefix = line.split()
                change = Change(at=int(at), prefix=prefix, is_withdrawal=what == "withdrawn")
                with self._heard:
                    self._changes.append(change)
                    self._heard.notify_all()
