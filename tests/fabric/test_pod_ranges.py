"""Pod ranges that a network plugin names, at a router; pods that are elsewhere, at the node."""

from __future__ import annotations

import pytest

from exabgp_k8s.core.facts.pod_ranges import PodSource
from exabgp_k8s.tryout.kubeapi import api, store
from tests.fabric import agents, cluster, routers, waiting
from tests.support import plugins

pytestmark = pytest.mark.fabric

NODE = "n1"
ONE, TWO = "10.244.101.0/24", "10.244.102.0/24"
OWN = "10.244.1.0/24"


@pytest.mark.fault(
    area="control plane",
    what="the network plugin does not use the Node's podCIDRs; then it is asked for its own "
    "ranges, and all its objects vanish at once, as with their definition",
    sees="the Node's range, and a warning at the node; the plugin's ranges one by one; those stay",
    within="60 s until the pods are looked at",
)
def test_pods_elsewhere_are_a_warning_until_the_plugin_is_asked_whose_last_ranges_stay(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=1)
    (router,), agent = formed.fabric.routers, formed.agents[NODE]
    has_a_pod_at(formed, "10.0.1.5", "10.244.1.77")
    formed.start()
    plugins.put(formed.api, plugins.block(NODE, ONE), plugins.block("n2", "10.244.103.0/24"))
    waiting.until(lambda: bool(agent.status()["warnings"]), "the warning", limit=120)
    (row,) = agent.status()["warnings"]
    assert (row["cause"], row["pods"]) == ("pods-elsewhere", 1)
    assert "10.0.1.5 behind cali*" in row["text"]
    waiting.until(lambda: "PodsElsewhere" in words(formed), "the Event")

    set_source(formed, PodSource.CALICO)
    waiting.until(lambda: has(router, ONE), f"only {ONE}")
    waiting.until_equal([], lambda: agent.status()["warnings"], "no warning any more")
    plugins.put(formed.api, plugins.block(NODE, TWO))
    waiting.until(lambda: has(router, ONE, TWO), "both blocks")
    plugins.delete(formed.api, plugins.block(NODE, ONE))
    waiting.until(lambda: has(router, TWO), f"only {TWO}")
    plugins.delete(formed.api, plugins.block(NODE, TWO))
    waiting.until(lambda: missing(agent) == [f"no-pod-cidr:{TWO}"], "it is named missing")
    assert has(router, TWO)
    waiting.until(lambda: "PodsCovered" in words(formed), "the Event of the end")


def has_a_pod_at(formed: cluster.Cluster, *found: str) -> None:
    """Have the node look as one of Calico's does with these pods."""
    ip = formed.fabric.node(NODE).namespace.ip
    ip("link add cali0 type veth peer name cali0-peer")
    ip("link set cali0 up")
    ip("link set cali0-peer up")
    for address in found:
        ip(f"route add {address}/32 dev cali0")


def set_source(formed: cluster.Cluster, source: PodSource) -> None:
    document = formed.document()
    document["announce"]["pods"]["from"] = str(source)
    formed.write(document)


def has(router: routers.Router, *prefixes: str) -> bool:
    """Return whether a router's kernel has these of the pod ranges, and none of the others."""
    found = router.routes()
    return {each for each in (ONE, TWO, OWN) if found.get(each)} == set(prefixes)


def missing(agent: agents.NodeAgent) -> list[str]:
    return [each["cause"] for each in agent.status()["missing"]]


def words(formed: cluster.Cluster) -> set[str]:
    """Return what the Events on the Node are about."""
    events = api.find_collection("v1", "events")
    found, _ = formed.api.store.find(events, store.Scope(namespace="default"))
    return {str(each["reason"]) for each in found}
