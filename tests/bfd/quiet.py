"""No false downs: a node that is busy and changes is not a dead one; and what the engine takes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil

from tests.bench import footprint
from tests.bfd import beds
from tests.fabric import cluster, namespaces
from tests.fabric.test_graceful_restart import Rollout

PODS = 100
"""Links that are made and removed in each round."""
ROUNDS = 10
IDLE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What was counted."""

    seconds: float
    rolled: int
    edited: int
    links: int
    sessions: int
    downs: int
    memory: float
    """MiB of one engine."""
    share: float
    """Of one core, in percent, while nothing happens."""


def measure(seconds: float, say: Callable[[str], None]) -> Quiet:
    """Keep a bed busy for so long."""
    peer = {"bfd": {"interval": "300ms"}, "gracefulRestart": "60s"}
    with beds.running(2, **peer) as (formed, engines):
        rolled = Rollout(formed, is_running=True)
        runs = engines["n1"]
        assert runs.process is not None
        pid = runs.process.pid
        memory, share = footprint.pss(pid), _share(pid)
        before = {name: each.sessions() for name, each in engines.items()}
        began, downs = time.monotonic(), 0
        with _load():
            for number in range(ROUNDS):
                _make_links(formed)
                rolled.replace("n1")
                rolled.await_serving("n1")
                _edit(formed, number)
                _make_links(formed)
                while time.monotonic() < began + seconds * (number + 1) / ROUNDS:
                    time.sleep(1)
                downs = sum(
                    abs(since - engines[name].sessions().get(address, ("", 0.0))[1]) > 0.25
                    for name, sessions in before.items()
                    for address, (_, since) in sessions.items()
                )
                say(f"{time.monotonic() - began:5.0f} s: {downs} sessions were down")
        return Quiet(
            seconds=time.monotonic() - began,
            rolled=ROUNDS,
            edited=ROUNDS,
            links=2 * ROUNDS * PODS,
            sessions=sum(map(len, before.values())),
            downs=downs,
            memory=memory,
            share=share,
        )


def _share(pid: int) -> float:
    before = footprint.processor_seconds(pid)
    time.sleep(IDLE)
    return 100 * (footprint.processor_seconds(pid) - before) / IDLE


@contextlib.contextmanager
def _load() -> Iterator[None]:
    """Keep every core busy, at the priority of everybody."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(psutil.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for each in busy:
            namespaces.stop(each)


def _make_links(formed: cluster.Cluster) -> None:
    """Make and remove the links of many pods, as a node does that starts and ends them."""
    for node in formed.fabric.nodes:
        names = [f"veth{number}" for number in range(PODS)]
        node.namespace.ip(*(f"link add {name} type veth peer name p{name}" for name in names))
        node.namespace.ip(*(f"link set {name} up" for name in names))
        node.namespace.ip(*(f"link del {name}" for name in names))


def _edit(formed: cluster.Cluster, number: int) -> None:
    """Edit what BFD shall do at one router, and something else at the other."""
    document = formed.document()
    document["peers"][0]["bfd"] = {"interval": "300ms", "multiplier": 3 + number % 2}
    document["peers"][1]["attributes"] = {"communities": [f"64512:{number + 1}"]}
    formed.write(document)
