"""Two meanings of stopping, as two routers of different make see them, with traffic.

Every bed has a BIRD and an FRR. What the DaemonSet's controller and kubelet do to a pod is done
here in their order: the Pod is marked deleted, preStop runs, SIGTERM comes, a new pod starts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.fabric import addresses, bird, cluster, fib, frr, routers, traffic, waiting
from tests.support import pods

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2")
OTHERS = ("n2",)
BOTH = (bird.Bird, frr.Frr)
AWAY = 2.0
"""Seconds between the end of a pod and the start of the next one."""
SOON = 20.0
"""Seconds for a router's own way from the table to the kernel; what it keeps for graceful restart
stays for 60."""


class Rollout:
    """A cluster whose agents are pods of a DaemonSet."""

    def __init__(self, formed: cluster.Cluster, *, is_running: bool = False) -> None:
        self.cluster = formed
        self.objects = pods.DaemonSet(formed.api.store)
        for name in formed.agents:
            self.objects.create_pod(name)
        if not is_running:
            formed.start()

    def end(self, name: str) -> None:
        """End a pod that is marked deleted, or whose node shuts down."""
        self.cluster.agents[name].pre_stop()
        assert self.cluster.agents[name].terminate() == 0

    def begin(self, name: str) -> None:
        """Start the next pod in the place of one that was deleted and has ended."""
        self.objects.finish_pod(name)
        self.objects.create_pod(name)
        self.cluster.agents[name].forget()
        self.cluster.agents[name].start()

    def replace(self, name: str) -> None:
        """Replace a pod, as a rollout does."""
        self.objects.delete_pod(name)
        self.end(name)
        time.sleep(AWAY)
        self.begin(name)

    def await_serving(self, name: str) -> None:
        """Wait until every peer of a node has been sent everything."""
        agent = self.cluster.agents[name]

        def is_serving() -> bool:
            if not agent.answers():
                return False
            rows = agent.rows("sessions")
            return bool(rows) and all(
                row["prefixes_sent"] == 4 and not row["unacknowledged"] for row in rows
            )

        waiting.until(is_serving, f"{name} has announced everything")


@contextlib.contextmanager
def watched(kinds: Sequence[routers.Router]) -> Iterator[list[fib.Watch]]:
    """Watch the routes of several routers."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(fib.Watch(router)) for router in kinds]


@pytest.fixture
def roll(form: cluster.Factory) -> Callable[..., Rollout]:
    """Return a maker of rollouts; its arguments are options of every peer."""

    def start(**peer: Any) -> Rollout:
        return Rollout(form(BOTH, nodes_wanted=2, peer=peer))

    return start


@pytest.fixture
def gr(roll: Callable[..., Rollout]) -> Rollout:
    """Two nodes whose peers have graceful restart."""
    return roll(gracefulRestart="60s")


@pytest.mark.fault(
    area="stop and restart",
    what="our pod is replaced, with graceful restart",
    sees="nothing: the routes stand until the next pod has announced them again",
    within="0 s",
)
def test_a_rollout_with_graceful_restart_is_seen_by_nobody(gr: Rollout) -> None:
    client, slow = gr.cluster.fabric.client, gr.cluster.document()
    slow["health"]["checks"][0]["rise"] = 7
    with (
        watched(gr.cluster.fabric.routers) as watches,
        traffic.Traffic(client, addresses.WEB, 80) as flow,
    ):
        gr.objects.delete_pod("n1")
        gr.end("n1")
        # The next pod has its sessions long before its check has a verdict.
        gr.cluster.write(slow)
        time.sleep(AWAY)
        gr.begin("n1")
        gr.await_serving("n1")
        time.sleep(1)

    assert [watch.messages for watch in watches] == [(), ()]
    assert flow.report.failed == flow.report.moved == (), flow.report
    assert flow.report.lost_syns == 0, flow.report
    assert set(flow.report.by_node()) == set(ALL), flow.report


@pytest.mark.fault(
    area="stop and restart",
    what="our pod is replaced, without graceful restart",
    sees="the withdrawal, then a session that closes, then every route again",
    within="5 s after the next pod starts",
)
def test_a_rollout_without_graceful_restart_leaves_and_comes_back(
    roll: Callable[..., Rollout],
) -> None:
    """The negative control: what the test above does not see is seen here."""
    rolled = roll()
    client = rolled.cluster.fabric.client
    with (
        watched(rolled.cluster.fabric.routers) as watches,
        traffic.Traffic(client, addresses.WEB, 80) as flow,
    ):
        rolled.replace("n1")
        rolled.cluster.expect(services=ALL, pods=ALL)

    for watch in watches:
        assert any(addresses.SERVICES in message for message in watch.messages)
    assert flow.report.failed == (), flow.report
    assert flow.report.lost_syns == 0, flow.report


@pytest.mark.fault(
    area="stop and restart",
    what="the next pod announces less than the one it replaces",
    sees="what is missing goes with End-of-RIB, the rest stands",
    within="once the checks of the next pod have a verdict",
)
def test_what_the_next_pod_does_not_announce_goes_with_its_end_of_rib(gr: Rollout) -> None:
    gr.objects.delete_pod("n1")
    gr.end("n1")
    gr.cluster.fabric.node("n1").kill_kube_proxy()

    with watched(gr.cluster.fabric.routers) as watches:
        gr.begin("n1")
        gr.cluster.expect(services=OTHERS, pods=ALL)

    pod_cidr = gr.cluster.fabric.node("n1").pod_cidr
    assert not [message for watch in watches for message in watch.messages if pod_cidr in message]


@pytest.mark.fault(
    area="stop and restart",
    what="our pod is replaced on a node that is cordoned meanwhile, with graceful restart",
    sees="the withdrawal, from every router",
    within="the next turn of the agent",
)
def test_a_cordon_before_the_pod_has_ended_makes_a_drain_of_its_rollout(
    form: cluster.Factory,
) -> None:
    """The hook preStop found a rollout and has let everything stand; SIGTERM has not come yet.

    By the policy of this cluster a cordon alone would keep the services.
    """
    formed = form(BOTH, nodes_wanted=2, peer={"gracefulRestart": "60s"})
    formed.write({**formed.document(), "withdraw": {"cordoned": {"services": "keep"}}})
    gr = Rollout(formed)
    agent = gr.cluster.agents["n1"]
    gr.objects.delete_pod("n1")
    agent.pre_stop()
    assert agent.status()["stop"] == "rollout"
    for router in gr.cluster.fabric.routers:
        assert gr.cluster.routes(router) == gr.cluster.wanted(ALL, ALL)

    gr.cluster.api.cordon("n1")
    gr.cluster.expect(services=OTHERS, pods=OTHERS)
    assert agent.terminate() == 0

    gr.cluster.expect(services=OTHERS, pods=OTHERS)


def gone(rolled: Rollout) -> None:
    """Check that no router has a route of n1, and that none is only waiting to expire."""
    for router in rolled.cluster.fabric.routers:
        waiting.until_equal(
            rolled.cluster.wanted(OTHERS, OTHERS),
            lambda: rolled.cluster.routes(router),  # noqa: B023 - called before the next router
            f"{router.kind} has no route of n1",
            limit=SOON,
        )
        assert router.rib(rolled.cluster.fabric.node("n1").pod_cidr) == []


@pytest.mark.fault(
    area="stop and restart",
    what="the node shuts down: SIGTERM, and the pod is not deleted, with graceful restart",
    sees="the withdrawal, then the session closes",
    within="before the container ends",
)
def test_a_shutdown_withdraws_although_graceful_restart_is_on(gr: Rollout) -> None:
    """Nothing marks the Pod then, and kubelet may be gone before it could run preStop."""
    assert gr.cluster.agents["n1"].terminate() == 0

    gone(gr)


@pytest.mark.fault(
    area="stop and restart",
    what="the API server is away when the pod stops, with graceful restart",
    sees="the withdrawal, then the session closes",
    within="2 s more than otherwise",
)
def test_without_the_api_server_a_stop_withdraws(gr: Rollout) -> None:
    gr.objects.delete_pod("n1")
    gr.cluster.api.stop()

    gr.end("n1")

    gone(gr)


@pytest.mark.fault(
    area="stop and restart",
    what="a drained node goes down, with graceful restart",
    sees="the withdrawal; no stale route is left",
    within="before `drain --wait` returns",
)
def test_a_drain_leaves_no_stale_route(gr: Rollout) -> None:
    gr.cluster.agents["n1"].drain()
    gone(gr)

    gr.cluster.agents["n1"].exabgp().kill()
    gr.cluster.fabric.node("n1").power_off()

    gone(gr)


@pytest.mark.long
@pytest.mark.parametrize("without", [0, 1], ids=["bird", "frr"])
@pytest.mark.fault(
    area="stop and restart",
    what="our pod is replaced; one router has graceful restart, the other has not",
    sees="nothing, and the withdrawal",
    within="0 s, and 5 s after the next pod starts",
)
def test_each_router_gets_what_it_understands(form: cluster.Factory, without: int) -> None:
    formed = form(BOTH, nodes_wanted=2, peer={"gracefulRestart": "60s"})
    document = formed.document()
    del document["peers"][without]["gracefulRestart"]
    formed.write(document)
    rolled = Rollout(formed)
    lacks, has = formed.fabric.routers[without], formed.fabric.routers[1 - without]

    with fib.Watch(has) as watch:
        rolled.objects.delete_pod("n1")
        formed.agents["n1"].pre_stop()
        # Withdrawn before the session closes, which would take the routes away as well.
        waiting.until_equal(
            formed.wanted(OTHERS, OTHERS), lambda: formed.routes(lacks), "withdrawn", limit=SOON
        )
        assert lacks.sessions()[formed.fabric.node("n1").address] == "Established"
        assert formed.agents["n1"].terminate() == 0
        rolled.begin("n1")
        formed.expect(services=ALL, pods=ALL)
        rolled.await_serving("n1")

    assert watch.messages == ()


@pytest.mark.fault(
    area="our processes",
    what="ExaBGP is killed, with graceful restart",
    sees="nothing: the routes stand until it has announced them again",
    within="0 s",
)
def test_the_routers_see_nothing_of_an_exabgp_that_is_killed_with_graceful_restart(
    gr: Rollout,
) -> None:
    agent = gr.cluster.agents["n1"]
    before = agent.exabgp()
    with watched(gr.cluster.fabric.routers) as watches:
        before.kill()
        waiting.until(lambda: agent.exabgp() != before, "another ExaBGP runs")
        gr.await_serving("n1")

    assert [watch.messages for watch in watches] == [(), ()]
