"""Every cause takes its node out of the routers' tables, and only its node; and back again."""

from __future__ import annotations

import pytest

from tests.fabric import addresses, cluster, routers, untouched, waiting

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2")
OTHERS = ("n2",)
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"


def test_a_cordon_withdraws_the_node_and_an_uncordon_brings_it_back(
    pair: cluster.Cluster,
) -> None:
    pair.api.cordon("n1")
    pair.expect(services=OTHERS, pods=OTHERS)
    assert pair.agents["n1"].causes() == ["cordoned"]

    pair.api.cordon("n1", is_cordoned=False)
    pair.expect(services=ALL, pods=ALL)


def test_a_dead_kube_proxy_withdraws_services_and_keeps_the_pods(
    pair: cluster.Cluster,
) -> None:
    """A pod range has no other way in, and does not need kube-proxy."""
    node = pair.fabric.node("n1")
    node.kill_kube_proxy()
    pair.expect(services=OTHERS, pods=ALL)
    assert pair.agents["n1"].causes() == ["unhealthy:kube-proxy"]

    node.start_kube_proxy()
    pair.expect(services=ALL, pods=ALL)


@pytest.mark.fault(
    area="health and flapping",
    what="a node is about to be deleted: kube-proxy's /healthz fails, and draining is keep",
    sees="nothing: kube-proxy works, and the preset asks for that",
    within="0 s",
)
def test_a_taint_that_shall_do_nothing_does_nothing_through_the_preset_either(
    form: cluster.Factory, kind: type[routers.Router]
) -> None:
    """A second check asks /healthz as often, so it is known when the preset has asked, too."""
    formed = form([kind], nodes_wanted=2)
    document = formed.document()
    often = {"interval": "500ms", "fall": 2}
    document["health"] = {
        "checks": [
            {"preset": "kube-proxy", **often},
            {
                "name": "witness",
                "http": "http://127.0.0.1:10256/healthz",
                "affects": ["pods"],
                **often,
            },
        ]
    }
    document["withdraw"] = {"draining": "keep"}
    document["outageBudget"] = {"maxUnavailable": "100%"}
    formed.write(document)
    formed.start()
    node = formed.fabric.node("n1")
    node.kill_kube_proxy()
    formed.expect(services=OTHERS, pods=OTHERS)
    node.start_kube_proxy("leaving")
    formed.expect(services=ALL, pods=OTHERS)
    with untouched.untouched(formed, *formed.fabric.routers):
        taint = {"key": "ToBeDeletedByClusterAutoscaler", "value": "1", "effect": "NoSchedule"}
        formed.api.patch_node("n1", {"spec": {"taints": [taint]}})
        before = _failures(formed)
        waiting.until(lambda: _failures(formed) >= before + 10, "ten more looks at /healthz")
    assert "unhealthy:kube-proxy" not in formed.agents["n1"].causes()


def _failures(formed: cluster.Cluster) -> int:
    rows = formed.agents["n1"].rows("checks")
    return next(int(row["failures"]) for row in rows if row["check"] == "witness")


def test_the_exclude_label_withdraws_services_and_keeps_the_pods(
    pair: cluster.Cluster,
) -> None:
    pair.api.patch_node("n1", {"metadata": {"labels": {EXCLUDED: ""}}})
    pair.expect(services=OTHERS, pods=ALL)

    pair.api.patch_node("n1", {"metadata": {"labels": {EXCLUDED: None}}})
    pair.expect(services=ALL, pods=ALL)


def test_when_drain_returns_the_routers_no_longer_use_the_node(
    pair: cluster.Cluster,
) -> None:
    """``drain --wait`` promises it, so nothing is waited for here."""
    pair.agents["n1"].drain()
    assert pair.routes(pair.fabric.routers[0]) == pair.wanted(OTHERS, OTHERS)

    pair.agents["n1"].undrain()
    pair.expect(services=ALL, pods=ALL)


def test_a_drain_outlives_the_agent(pair: cluster.Cluster) -> None:
    """The agent that ExaBGP starts in place of a dead one does not announce again."""
    agent = pair.agents["n1"]
    agent.drain()
    before = agent.agent()
    before.kill()
    waiting.until(lambda: agent.agent() != before, "another agent runs")
    waiting.until(
        lambda: agent.answers() and agent.causes() == ["operator:drain"], "it is drained"
    )

    assert pair.routes(pair.fabric.routers[0]) == pair.wanted(OTHERS, OTHERS)


def test_sigterm_withdraws_before_the_sessions_close(pair: cluster.Cluster) -> None:
    """A pod that is deleted leaves like a node that is drained."""
    assert pair.agents["n1"].terminate() == 0
    assert pair.routes(pair.fabric.routers[0]) == pair.wanted(OTHERS, OTHERS)

    pair.agents["n1"].start()
    pair.expect(services=ALL, pods=ALL)


def test_a_planned_withdrawal_is_first_the_last_choice(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    """With ``gracefulShutdown`` the routers first see 65535:0 and lower the preference to 0."""
    formed = form([kind], nodes_wanted=2, drain={"gracefulShutdown": "60s"})
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

    # A shorter hold, written while the long one runs: it is over by now.
    formed.write({**formed.document(), "drain": {"gracefulShutdown": "100ms"}})
    formed.expect(services=["n2"], pods=["n2"])
