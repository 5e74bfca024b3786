"""Which API server to ask: one of those that are there, by its own address.

The ClusterIP depends on kube-proxy, and after an API server's return kube-proxy waits longer than
we may. So it is needed for the first contact only. From there on the servers' own addresses are
known, from the API and over a restart of ours from a file, and one of them is asked until it
fails; then the next, at once. Last comes what is configured, the ClusterIP, and after it those
servers that were there before: one that is away takes its address out of the list.

One that asks for a pause is left alone for so long, and one whose answers are of no use for a
while, as long as another is left. If all in the list ask for a pause, nobody is asked.

Each node begins with one that it draws, so that nodes spread over the servers.
"""

from __future__ import annotations

import contextlib
import ipaddress
import random
import threading
import time
from pathlib import Path

import structlog

from exabgp_k8s.wire import servers

FILE_NAME = "api-servers.json"

CONFIGURED = ""
"""What kubeconfig or the environment names, as opposed to an address that was learned."""

MOST_FORMER = 3
"""Servers no longer in the list that are tried all the same."""

LAST_FORMER = 7.5
"""Seconds of a round after which one of them is tried at most: a server whose machine is off costs
more than a second, and those in the list are to be asked every 10 s. They take turns."""

USELESS = 30.0
"""Seconds for which a server whose answers are of no use is asked last."""

LONGEST_REST = 60.0
"""Seconds that a server is left alone for, whatever it asked for."""

log = structlog.get_logger()


class Servers:
    """The API servers of one cluster; shared by everything of one process that asks them.

    Args:
        memory: where addresses are kept over a restart; None: none are learned, and only what is
            configured is asked.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._listed: tuple[str, ...] = ()
        self._former: tuple[str, ...] = ()
        self._failed: set[str] = set()
        self._chosen: str | None = None
        self._rests: dict[str, float] = {}
        self._useless: dict[str, float] = {}
        self._round_began = 0.0
        self._complaints: set[str] = set()
        if memory is not None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self._listed = servers.load(memory.read_text(encoding="utf-8"))

    @property
    def are_learned(self) -> bool:
        """Whether the servers' own addresses are wanted."""
        return self._memory is not None

    @property
    def addresses(self) -> frozenset[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        """The addresses of the servers in the list."""
        with self._lock:
            hosts = [each.rpartition(":")[0].strip("[]") for each in self._listed]
        return frozenset(map(ipaddress.ip_address, hosts))

    def first(self) -> str:
        """Return whom to ask now: ``ADDRESS:PORT``, or ``CONFIGURED``."""
        with self._lock:
            left = self._left()
            if not left:
                # A round is over: all have failed, and the next begins with the first.
                self._former = tuple(sorted(self._former, key=self._failed.__contains__))
                self._failed.clear()
                left, self._chosen = self._left(), None
            if not left:
                left = [min(self._all(), key=lambda each: self._rests.get(each, float("-inf")))]
            if self._chosen not in left:
                self._chosen = left[0]
            return self._chosen

    @property
    def has_another(self) -> bool:
        """Whether the one that was asked has failed, and one is left that has not."""
        with self._lock:
            left = self._left()
            if not left or self._chosen in left:
                return False
            # Where all are of no use, a pause is due.
            is_useless = self._useless_until(self._chosen or "") > 0
            return not (is_useless and self._useless_until(left[0]) > 0)

    def failed(self, server: str) -> None:
        """Note that one did not answer as it should."""
        with self._lock:
            if not self._failed:
                self._round_began = time.monotonic()
            self._failed.add(server)

    def rest(self, server: str, seconds: float) -> float:
        """Leave one alone as it asked; return for how long the others in the list are to be."""
        with self._lock:
            now = time.monotonic()
            self._rests[server] = now + min(seconds, LONGEST_REST)
            others = (self._rests.get(each, now) for each in self._listed if each != server)
            return max(0.0, min(others, default=float("inf")) - now)

    def is_useless(self, server: str) -> None:
        """Note that what one answered was of no use, and that all others come before it now."""
        self.failed(server)
        with self._lock:
            self._useless[server] = time.monotonic() + USELESS

    def answered(self, server: str) -> None:
        """Note that one did."""
        with self._lock:
            self._failed.clear()
            self._rests.pop(server, None)
            self._useless.pop(server, None)
            self._chosen = server
            if server in self._listed and server != self._listed[0]:
                # What is asked first by the next process, or by the one question at its end.
                self._listed = (server, *(each for each in self._listed if each != server))
                self._keep()

    def draw(self) -> None:
        """Draw again whom to ask: some may have come back since."""
        with self._lock:
            self._listed, self._chosen = _drawn(self._listed), None

    def learn(self, listed: tuple[str, ...]) -> None:
        """Take the servers' list; an empty one says nothing, for somebody has sent it."""
        with self._lock:
            if not listed or set(listed) == set(self._listed):
                return
            gone = [each for each in (*self._listed, *self._former) if each not in listed]
            self._former = tuple(gone[:MOST_FORMER])
            self._listed = _drawn(listed)
            if self._chosen not in listed:
                self._chosen = None
            self._keep()
        log.info("api_servers.learned", servers=sorted(listed))

    def cannot_be_learned(self, why: str, kind: str) -> None:
        """Say once for each kind of failure that the list cannot be read: all works without it."""
        if kind not in self._complaints:
            self._complaints.add(kind)
            effect = "the API server is asked as before: by its ClusterIP, if no address is known"
            log.warning("api_servers.unknown", why=why, effect=effect)

    def _all(self) -> list[str]:
        return [*self._listed, CONFIGURED, *self._former]

    def _left(self) -> list[str]:
        now = time.monotonic()
        if self._listed and all(self._rests.get(each, now) > now for each in self._listed):
            return []
        left = [
            each
            for each in self._all()
            if each not in self._failed and self._rests.get(each, now) <= now
        ]
        is_late = now - self._round_began > LAST_FORMER
        if is_late and not self._failed.isdisjoint(self._former):
            left = [each for each in left if each not in self._former]
        # What was of no use may be so still, but it is there, which others may not be.
        return sorted(left, key=self._useless_until)

    def _useless_until(self, server: str) -> float:
        until = self._useless.get(server, 0.0)
        return until if until > time.monotonic() else 0.0

    def _keep(self) -> None:
        # Without it the next process asks by what is configured first: no reason to fail now.
        with contextlib.suppress(OSError):
            if self._memory is not None:
                candidate = self._memory.with_suffix(".new")
                candidate.write_text(servers.dump(self._listed), encoding="utf-8")
                candidate.replace(self._memory)


def _drawn(listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(random.sample(listed, len(listed)))
