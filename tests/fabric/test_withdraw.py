"""Every cause takes its node out of the routers' tables, and only its node; and back again."""

from __future__ import annotations

import pytest

from tests.fabric import addresses, cluster, routers, waiting

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2", "n3")
OTHERS = ("n2", "n3")
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def test_a_cordon_withdraws_the_node_and_an_uncordon_brings_it_back(
    running: cluster.Cluster,
) -> None:
    running.api.cordon("n1")
    running.expect(services=OTHERS, pods=OTHERS)
    assert running.agents["n1"].causes() == ["cordoned"]

    running.api.cordon("n1", is_cordoned=False)
    running.expect(services=ALL, pods=ALL)


def test_a_dead_kube_proxy_withdraws_services_and_keeps_the_pods(
    running: cluster.Cluster,
) -> None:
    """A pod range has no other way in, and does not need kube-proxy."""
    node = running.fabric.node("n1")
    node.kill_kube_proxy()
    running.expect(services=OTHERS, pods=ALL)
    assert running.agents["n1"].causes() == ["unhealthy:kube-proxy"]

    node.start_kube_proxy()
    running.expect(services=ALL, pods=ALL)


def test_the_exclude_label_withdraws_services_and_keeps_the_pods(
    running: cluster.Cluster,
) -> None:
    running.api.patch_node("n1", {"metadata": {"labels": {EXCLUDED: ""}}})
    running.expect(services=OTHERS, pods=ALL)

    running.api.patch_node("n1", {"metadata": {"labels": {EXCLUDED: None}}})
    running.expect(services=ALL, pods=ALL)


def test_when_drain_returns_the_routers_no_longer_use_the_node(
    running: cluster.Cluster,
) -> None:
    """``drain --wait`` promises it, so nothing is waited for here."""
    running.agents["n1"].drain()
    assert running.routes(running.fabric.routers[0]) == running.wanted(OTHERS, OTHERS)

    running.agents["n1"].undrain()
    running.expect(services=ALL, pods=ALL)


def test_a_drain_outlives_the_agent(running: cluster.Cluster) -> None:
    """The agent that ExaBGP starts in place of a dead one does not announce again."""
    agent = running.agents["n1"]
    agent.drain()
    before = agent.agent()
    before.kill()
    waiting.until(lambda: agent.agent() != before, "another agent runs")
    waiting.until(
        lambda: agent.answers() and agent.causes() == ["operator:drain"], "it is drained"
    )

    assert running.routes(running.fabric.routers[0]) == running.wanted(OTHERS, OTHERS)


def test_sigterm_withdraws_before_the_sessions_close(running: cluster.Cluster) -> None:
    """A pod that is deleted leaves like a node that is drained."""
    assert running.agents["n1"].terminate() == 0
    assert running.routes(running.fabric.routers[0]) == running.wanted(OTHERS, OTHERS)

    running.agents["n1"].start()
    running.expect(services=ALL, pods=ALL)


def test_a_planned_withdrawal_is_first_the_last_choice(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    """With ``gracefulShutdown`` the routers first see 65535:0 and lower the preference to 0."""
    formed = form([kind], nodes_wanted=2, drain={"gracefulShutdown": "3s"})
    formed.start()
    node = formed.fabric.node("n1")
    router = formed.fabric.routers[0]

    formed.api.cordon("n1")

    def marked() -> list[tuple[int, bool]]:
        return [
            (path.local_pref, (65535, 0) in path.communities) for path in router.rib(node.pod_cidr)
        ]

    waiting.until_equal([(0, True)], marked, "the pod range is the last choice")
    # The last path stays in use while it is marked; out of an ECMP group it is gone at once.
    assert router.nexthops(node.pod_cidr) == {node.address}
    waiting.until_equal(
        {formed.fabric.node("n2").address},
        lambda: set(router.nexthops(addresses.SERVICES)),
        "the group without the node",
    )
    formed.expect(services=["n2"], pods=["n2"])
