"""Which API server to ask: one of those that are there, by its own address.

The ClusterIP depends on kube-proxy, and after an API server's return kube-proxy waits longer than
we may. So it is needed for the first contact only. From there on the servers' own addresses are
known, from the API and over a restart of ours from a file, and one of them is asked until it
fails; then the next, at once. Last comes what is configured, the ClusterIP, and after it those
servers that were there before: one that is away takes its address out of the list.

Each node begins with one that it draws, so that nodes spread over the servers.
"""

from __future__ import annotations

import contextlib
import random
import threading
from pathlib import Path

import structlog

from exabgp_k8s.wire import servers

FILE_NAME = "api-servers.json"

CONFIGURED = ""
"""What kubeconfig or the environment names, as opposed to an address that was learned."""

MOST_FORMER = 3
"""Servers no longer in the list that are tried all the same."""

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
        self._has_complained = False
        if memory is not None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self._listed = servers.load(memory.read_text(encoding="utf-8"))

    @property
    def are_learned(self) -> bool:
        """Whether the servers' own addresses are wanted."""
        return self._memory is not None

    def first(self) -> str:
        """Return whom to ask now: ``ADDRESS:PORT``, or ``CONFIGURED``."""
        with self._lock:
            left = [each for each in self._all() if each not in self._failed]
            if not left:
                # A round is over: all have failed, and the next begins with the first.
                self._failed.clear()
                left, self._chosen = self._all(), None
            if self._chosen not in left:
                self._chosen = left[0]
            return self._chosen

    @property
    def has_another(self) -> bool:
        """Whether the one that was asked has failed, and one is left that has not."""
        with self._lock:
            is_left = any(each not in self._failed for each in self._all())
            return is_left and self._chosen in self._failed

    def failed(self, server: str) -> None:
        """Note that one did not answer as it should."""
        with self._lock:
            self._failed.add(server)

    def answered(self, server: str) -> None:
        """Note that one did."""
        with self._lock:
            self._failed.clear()
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

    def cannot_be_learned(self, why: str) -> None:
        """Say once that the list cannot be read: everything works as without it."""
        if not self._has_complained:
            self._has_complained = True
            effect = "the API server is asked as before: by its ClusterIP, if no address is known"
            log.warning("api_servers.unknown", why=why, effect=effect)

    def _all(self) -> list[str]:
        return [*self._listed, CONFIGURED, *self._former]

    def _keep(self) -> None:
        # Without it the next process asks by what is configured first: no reason to fail now.
        with contextlib.suppress(OSError):
            if self._memory is not None:
                candidate = self._memory.with_suffix(".new")
                candidate.write_text(servers.dump(self._listed), encoding="utf-8")
                candidate.replace(self._memory)


def _drawn(listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(random.sample(listed, len(listed)))
