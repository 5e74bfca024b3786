"""``python -m tests.bench.publishers``: what the objects of many nodes cost the API server.

Two hundred publishers in one process, at a real kube-apiserver where ``KUBEBUILDER_ASSETS`` names
one, else at the one of ``try``. Each says of its node what an agent would, by the real timings;
only the heartbeat is shorter, so that enough of them are seen. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from exabgp_k8s.adapters.kube import client, publisher
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.tryout.kubeapi import apiserver
from exabgp_k8s.wire import bgpspeaker
from tests.bench import footprint
from tests.support import builders, controlplane, kubeapi

HEARTBEAT = 20.0
"""Seconds; the real one is 600."""
LIMIT = 120.0

Server = controlplane.ControlPlane | kubeapi.KubeApi


class Counted(client.Client):
    """A client that counts its requests and their bytes."""

    requests = sent = received = 0

    def request(self, method: str, path: str, **given: Any) -> bytes:
        answer = super().request(method, path, **given)
        Counted.requests += 1
        Counted.sent += len(json.dumps(given.get("body") or "").encode())
        Counted.received += len(answer)
        return answer


class Node:
    """One node's publisher, and what it was last told."""

    def __init__(self, name: str, kubeconfig: pathlib.Path) -> None:
        self.name, self._turn, began = name, Turn(world=World()), time.monotonic()
        self.publisher = publisher.Publisher(
            Counted(client.Access(kubeconfig=kubeconfig, answer_timeout=30)),
            lambda: (self._turn, builders.START + time.monotonic() - began),
            digest=lambda: "0" * 16,
            timings=publisher.Timings(heartbeat=HEARTBEAT),
        )

    def after(self, *happened: events.Event, is_cordoned: bool = False) -> Turn:
        """Return the turn that some events lead to; that takes a while."""
        node = builders.a_node(name=self.name, uid=self.name, is_unschedulable=is_cordoned)
        world = builders.after(builders.a_serving_world(node=node), *happened)
        return builders.turn(builders.obeyed(world))

    def take(self, turn: Turn) -> float:
        """Have it say what a turn led to; return when that was."""
        self._turn = turn
        self.publisher.note(turn)
        return time.monotonic()

    @property
    def written(self) -> float:
        """How long ago its object was written, in seconds."""
        age = self.publisher.report()["written_seconds"]
        return float("inf") if age is None else float(age)


@contextlib.contextmanager
def serving(folder: pathlib.Path) -> Iterator[Server]:
    """Yield a real control plane, or our own server."""
    if not controlplane.is_available():
        with kubeapi.KubeApi() as own:
            yield own
        return
    with controlplane.ControlPlane(folder) as real:
        yield real


def processor(server: Server) -> float:
    """Return the CPU seconds of the API server and etcd so far; ours has none of its own."""
    if isinstance(server, kubeapi.KubeApi):
        return 0.0
    return sum(footprint.processor_seconds(each.pid) for each in server.processes())


def observe(name: str, server: Server, until: Callable[[], bool]) -> None:
    """Wait for something and print what it took."""
    Counted.requests = Counted.sent = Counted.received = 0
    began, spent = time.monotonic(), processor(server)
    peak = last = 0
    while not until():
        if time.monotonic() - began > LIMIT:
            print(f"{name}: not within {LIMIT:g} s")
            return
        time.sleep(1)
        peak, last = max(peak, Counted.requests - last), Counted.requests
    took, used = time.monotonic() - began, processor(server) - spent
    each = max(Counted.requests, 1)
    print(
        f"{name}: {Counted.requests} requests in {took:.1f} s, {peak} in the busiest second; "
        f"{Counted.sent / each:.0f} bytes sent and {Counted.received / each:.0f} received each; "
        f"{1000 * used / each:.1f} ms of CPU each, {100 * used / took:.0f} % of a core"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.publishers", description=__doc__)
    parser.add_argument("--nodes", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(pathlib.Path(folder), options.nodes)


def measure(folder: pathlib.Path, count: int) -> None:
    """Have many nodes start, say nothing, and lose a router."""
    with serving(folder) as server:
        kubeconfig = folder / "kubeconfig"
        # The admin's rights: a policy would let one token speak for one node only.
        kubeconfig.write_text(apiserver.kubeconfig(server.admin))
        nodes = [Node(f"node-{number}", kubeconfig) for number in range(count)]
        time.sleep(5)
        observe("the servers alone", server, after(10))
        served = [node.after() for node in nodes]
        for node, turn in zip(nodes, served, strict=True):
            node.take(turn)
        observe(f"{count} start", server, lambda: all(each.written < LIMIT for each in nodes))
        observe(f"{count} beat every {HEARTBEAT:g} s", server, after(3 * HEARTBEAT))
        lost = [node.after(builders.down(builders.TOR_B)) for node in nodes]
        told = [node.take(turn) for node, turn in zip(nodes, lost, strict=True)]
        observe(f"{count} lose a router", server, lambda: all(said_since(nodes, told)))
        sizes = [bgpspeaker.size(server.speaker(each.name)) for each in nodes[:3]]
        print(f"an object as the API gives it: {max(sizes)} bytes")
        latencies = sorted(cordon(node, server) for node in nodes[:20])
        print(f"a cordon to the object: {latencies[10]:.3f} s median, {latencies[-1]:.3f} s worst")
        for node in nodes:
            node.publisher.stop()


def after(seconds: float) -> Callable[[], bool]:
    """Return what becomes true after a time."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def said_since(nodes: list[Node], told: list[float]) -> list[bool]:
    """Return for each node whether its object was written since it was told something."""
    now = time.monotonic()
    return [now - node.written > at for node, at in zip(nodes, told, strict=True)]


def cordon(node: Node, server: Server) -> float:
    """Return the seconds from a cordon to an object that says so."""
    began = node.take(node.after(is_cordoned=True))
    while server.speaker(node.name)["status"]["summary"].get("reason") != "cordoned":
        time.sleep(0.005)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
