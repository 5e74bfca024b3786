"""Writes notices to the Node as Kubernetes Events, when there are some and as well as it can.

An Event is for people and may get lost; nothing of the agent ever waits for one or learns of its
failure. So they go out in a thread of their own, which is not even started before the first, from
a short queue that drops its oldest. How many go out is limited on every node, for what happens
on one may happen on thousands at once: a burst, and then one in half a minute. What happens again
is counted up in the Event that is there, as every part of Kubernetes does it.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import backoff, client
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.report.notice import Kind, Notice
from exabgp_k8s.wire import kube_events

MERGE = "application/merge-patch+json"
NOT_FOUND = 404

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many Events a node may write, and when; times in seconds."""

    queue: int = 32
    burst: int = 10
    interval: float = 30
    """Between two requests once the burst is used up."""
    spread: float = 5
    """A warning waits for a random part of this: what causes one may hit all nodes at once."""
    remembered: float = 3000
    """For how long a repetition is counted up; an API server keeps an Event for an hour."""


class _Waiting(NamedTuple):
    notice: Notice
    node: model.NodeFacts
    at: float
    """Seconds since 1970."""


@dataclass(slots=True, kw_only=True)
class _Written:
    name: str
    count: int
    since: float


class Events:
    """The Events of one node.

    Args:
        api: where to write them; may be shared.
        limits: how many, and when.
    """

    def __init__(self, api: client.Client, limits: Limits | None = None) -> None:
        self._api = api
        self._limits = limits or Limits()
        self._bucket = backoff.Bucket(self._limits.burst, self._limits.interval)
        self._queue: deque[_Waiting] = deque(maxlen=self._limits.queue)
        self._changed = threading.Condition()
        self._written: dict[Notice, _Written] = {}
        self._is_started = False

    def post(self, found: Iterable[Notice], node: model.NodeFacts) -> None:
        """Have notices about a Node written soon; returns at once."""
        now = time.time()
        with self._changed:
            self._queue.extend(_Waiting(notice, node, now) for notice in found)
            self._changed.notify()
            if self._queue and not self._is_started:
                # A thread that cannot be had now is asked for again with the next notice.
                with contextlib.suppress(RuntimeError):
                    threading.Thread(target=self._run, daemon=True, name="kube-events").start()
                    self._is_started = True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
            # What comes while this waits may push the oldest out: the latest matters most.
            time.sleep(self._bucket.take(time.monotonic()))
            with self._changed:
                waiting = self._queue.popleft()
            if waiting.notice.kind is Kind.WARNING:
                time.sleep(random.uniform(0, self._limits.spread))  # noqa: S311 - jitter
            try:
                self._write(waiting)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not worth more
                log.debug("event.lost", reason=str(waiting.notice.word), why=repr(error))

    def _write(self, waiting: _Waiting) -> None:
        written = self._written.get(waiting.notice)
        if written is None or waiting.at - written.since > self._limits.remembered:
            self._create(waiting)
            return
        written.count += 1
        try:
            self._api.request(
                "PATCH",
                f"{kube_events.COLLECTION}/{written.name}",
                body=kube_events.repetition(written.count, waiting.at),
                content_type=MERGE,
            )
        except errors.KubeError as error:
            if error.status != NOT_FOUND:
                raise
            self._create(waiting)

    def _create(self, waiting: _Waiting) -> None:
        body = kube_events.event(waiting.notice, waiting.node, waiting.at, time.time_ns())
        self._api.request("POST", kube_events.COLLECTION, body=body)
        oldest = waiting.at - self._limits.remembered
        self._written = {
            **{said: each for said, each in self._written.items() if each.since >= oldest},
            waiting.notice: _Written(name=body["metadata"]["name"], count=1, since=waiting.at),
        }
