"""A reflector that runs in a test, with its server and what it delivered."""

from __future__ import annotations

import math
import pathlib
import time
from collections.abc import Callable
from typing import Self

from exabgp_k8s.adapters.kube import attempts, client, reflector
from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.support import kubeapi

QUICK = reflector.Timings(
    watch=(20, 20), pauses=attempts.Pauses(first=0.02, longest=0.1), contact_interval=0
)

NODE = apiserver.node_object("n1")


class Run:
    """A reflector with its server and what it delivered."""

    def __init__(
        self,
        server: kubeapi.KubeApi,
        folder: pathlib.Path,
        timings: reflector.Timings = QUICK,
        wants_service_cidrs: Callable[[], bool] = lambda: False,
        answer_timeout: float = 10,
        *,
        deliver: Callable[[events.Event], None] | None = None,
    ) -> None:
        path = folder / "kubeconfig"
        path.write_text(apiserver.kubeconfig(server))
        self.server = server
        self.got = kubeapi.Recorder()
        access = client.Access(kubeconfig=path, answer_timeout=answer_timeout)
        self.reflector = reflector.Reflector(
            client.Client(access),
            "n1",
            deliver or self.got,
            wants_service_cidrs=wants_service_cidrs,
            timings=timings,
        )

    def __enter__(self) -> Self:
        self.reflector.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reflector.stop()
        kubeapi.until(lambda: not self.reflector.is_alive)

    def synced(self) -> int:
        """Wait until the Node is known and watched."""
        number = self.got.wait_for(is_seen)
        kubeapi.until(lambda: self.server.watches == 1)
        return number

    def sees_a_cordon(self, after: int = 0) -> None:
        """Check that the next change still arrives, and that nothing false came before it."""
        self.server.cordon("n1")
        self.got.wait_for(is_cordoned, after=after)
        assert not self.got.of(events.NodeGone)


def is_seen(event: events.Event) -> bool:
    return isinstance(event, events.NodeSeen)


def is_cordoned(event: events.Event) -> bool:
    return isinstance(event, events.NodeSeen) and event.node.is_unschedulable


def is_lost(event: events.Event) -> bool:
    return isinstance(event, events.KubeLost)


def is_contact(event: events.Event) -> bool:
    return isinstance(event, events.KubeContact)


def at_most(number: int, seconds: float, since: float) -> float:
    """Return how often something may be tried whose pauses double; a machine may be late.

    So often in so many seconds, and once more in each time that is twice as long.
    """
    return number + max(0.0, math.log2((time.monotonic() - since) / seconds))


def failing_slowly(first: float) -> reflector.Timings:
    """Return the usual times, but for the pauses after failures."""
    return reflector.Timings(pauses=attempts.Pauses(first=first, longest=60, longest_refused=60))
