"""BFD beside the sessions, as two routers of different make see it: who is dead, and who is not.

Every bed has a BIRD and an FRR, and on every node the engine as its manifest starts it. The hold
time is 30 s: what is gone before that is gone by BFD.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.fabric import bird, cluster, engine, fib, frr, nodes, packets, routers, waiting
from tests.fabric.test_graceful_restart import Rollout

pytestmark = pytest.mark.fabric

BOTH = (bird.Bird, frr.Frr)
LONG_BEFORE = 15.0
"""Seconds; half of the hold time, and a dozen times what BFD needs on a machine that is idle."""
PEER = {"bfd": {"interval": "300ms"}, "holdTime": "90s"}
UP = "Up"


class Bed:
    """A cluster with an engine on each node."""

    def __init__(self, formed: cluster.Cluster) -> None:
        self.cluster, self.routers = formed, formed.fabric.routers
        for router in self.routers:
            router.change(routers.Variation.LONG_HOLD)
        self.addresses = [router.address for router in self.routers]
        self.engines = {node.name: engine.Engine(node) for node in formed.fabric.nodes}
        self.rolled = Rollout(formed)

    def start(self) -> None:
        """Start every engine and return when every session of BFD is up."""
        for each in self.engines.values():
            each.start()
        for each in self.engines.values():
            each.await_up(*self.addresses)

    def await_shown(self, name: str, *states: str | None) -> None:
        """Return when the agent of a node shows these states of BFD."""

        def shown() -> list[str | None]:
            rows = self.cluster.agents[name].rows("sessions")
            return [each["bfd"] and each["bfd"]["state"] for each in rows]

        waiting.until_equal([*states], shown, f"BFD as {name} shows it")

    def await_logged(self, name: str, event: str) -> None:
        """Return when the agent of a node has logged an event."""
        log = self.cluster.fabric.node(name).directory / "agent.log"
        waiting.until(lambda: f'"{event}"' in log.read_text(), f"{name} logs {event}")

    @contextlib.contextmanager
    def unmoved(self, *kinds: type[routers.Router]) -> Iterator[None]:
        """Check that no table of these routers changes, not even for a moment."""
        watched = [each for each in self.routers if isinstance(each, kinds or routers.Router)]
        with contextlib.ExitStack() as stack:
            watches = [stack.enter_context(fib.Watch(router)) for router in watched]
            yield
        assert [each.messages for each in watches] == [()] * len(watched)


@pytest.fixture
def bed(form: cluster.Factory) -> Callable[..., Bed]:
    """Return a maker of beds; its options are those of every peer."""

    def make(nodes_wanted: int = 2, **peer: str) -> Bed:
        return Bed(form(BOTH, nodes_wanted=nodes_wanted, peer={**PEER, **peer}))

    return make


def unplug(node: nodes.Node) -> None:
    node.namespace.ip("link set eth0 down")


def freeze(node: nodes.Node) -> None:
    """Stop everything that runs on it, as a kernel does that hangs."""
    for pid in node.namespace.pids():
        os.kill(pid, signal.SIGSTOP)


def power_off(node: nodes.Node) -> None:
    node.power_off()


@pytest.mark.fault(
    area="stop and restart",
    what="a node loses power, its cable, or hangs, with BFD and with graceful restart",
    sees="its session and its routes are gone at once",
    within="1 s (300 ms x 3)",
)
def test_a_dead_node_is_gone_long_before_its_hold_time(bed: Callable[..., Bed]) -> None:
    """Without BFD they would stay for 30 s, and with graceful restart for a minute after that."""
    made = bed(nodes_wanted=4, gracefulRestart="60s")
    made.start()
    left = ["n1", "n2", "n3", "n4"]
    for die in (unplug, freeze, power_off):
        die(made.cluster.fabric.node(left.pop(0)))
        made.cluster.expect(services=left, pods=left, limit=LONG_BEFORE)


@pytest.mark.fault(
    area="stop and restart",
    what="our pod is replaced, ExaBGP or the agent killed, settings edited, with BFD",
    sees="BFD stays up and, with graceful restart, the routes stand",
    within="0 s",
)
def test_nothing_that_happens_to_our_pod_is_taken_for_the_end_of_the_node(
    bed: Callable[..., Bed],
) -> None:
    made = bed(gracefulRestart="60s")
    made.start()
    agent, runs = made.cluster.agents["n1"], made.engines["n1"]
    before = runs.sessions()
    with made.unmoved():
        agent.agent().kill()
        made.rolled.await_serving("n1")
        exabgp = agent.exabgp()
        exabgp.kill()
        waiting.until(lambda: agent.exabgp() != exabgp, "another ExaBGP runs")
        made.rolled.await_serving("n1")
        made.rolled.replace("n1")
        made.rolled.await_serving("n1")
        document = made.cluster.document()
        document["peers"][0]["bfd"] = {"interval": "200ms", "multiplier": 4}
        made.cluster.write(document)
        waiting.until(lambda: "200" in runs.configuration(), "the engine is configured anew")
        made.await_shown("n1", UP, UP)
    after = runs.sessions()
    assert {each: state for each, (state, _) in after.items()} == dict.fromkeys(before, UP)
    for address, (_, since) in after.items():
        # It counts back from a clock that it read before: a busy machine may stop it in between.
        assert since == pytest.approx(before[address][1], abs=1.0)


@pytest.mark.fault(
    area="our processes",
    what="the BFD engine is missing, or is killed",
    sees="nothing if it is missing; the session ends and comes back if it is killed",
    within="a few seconds",
)
def test_an_engine_that_is_away_is_named_and_comes_back(bed: Callable[..., Bed]) -> None:
    made = bed()
    agent, runs = made.cluster.agents["n1"], made.engines["n1"]
    with made.unmoved():
        made.await_shown("n1", "unknown", "unknown")
        made.start()
        made.await_shown("n1", UP, UP)

    runs.kill()
    waiting.until(lambda: "does it run" in agent.status()["bfd"]["problem"], "its end is named")
    runs.start()
    runs.await_up(*made.addresses)
    made.cluster.expect(services=["n1", "n2"], pods=["n1", "n2"])

    made.routers[0].change(routers.Variation.LONG_HOLD, routers.Variation.NO_BFD)
    made.await_shown("n1", "Down", UP)
    made.cluster.expect(services=["n1", "n2"], pods=["n1", "n2"])
    made.await_logged("n1", "bfd.lost")
    made.routers[0].change(routers.Variation.LONG_HOLD)
    made.await_shown("n1", UP, UP)
    made.await_shown("n2", UP, UP)
    made.cluster.expect(services=["n1", "n2"], pods=["n1", "n2"])


@pytest.mark.fault(
    area="stop and restart",
    what="the node shuts down: our pod and the BFD engine's are told to end in the same moment",
    sees="the withdrawal; BFD ends after the sessions, and as AdminDown",
    within="before the engine's container ends",
)
def test_a_planned_stop_is_not_taken_for_a_failure(bed: Callable[..., Bed]) -> None:
    made = bed()
    made.start()
    with contextlib.ExitStack() as stack:
        heard = [stack.enter_context(packets.Heard(each, "192.0.2.11")) for each in made.routers]
        hook = made.engines["n1"].pre_stop()
        # Longer than it takes where it waits for nothing.
        with pytest.raises(subprocess.TimeoutExpired):
            hook.wait(4)
        assert made.cluster.agents["n1"].terminate() == 0
        made.cluster.expect(services=["n2"], pods=["n2"])
        assert hook.wait(60) == 0

    for each in heard:
        assert (each.states[0], each.states[-1]) == (packets.UP, packets.ADMIN_DOWN)
    logs = made.cluster.fabric.logs()
    assert "BFD Down" not in logs
    assert "BFD session down" not in logs
