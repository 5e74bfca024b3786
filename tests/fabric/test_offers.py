"""What a peer is announced: attributes for each class, and a class or a range only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from tests.fabric import addresses, cluster, routers, waiting
from tests.fabric.untouched import untouched
from tests.support import processes

pytestmark = pytest.mark.fabric

NODE = "n1"
OURS: dict[str, Any] = {
    "communities": ["64512:10"],
    "extendedCommunities": ["target:64512:1", "target:4200000000:2", "target:192.0.2.9:3"],
    "med": 100,
    "localPref": 200,
    "services": {"communities": ["64512:20", "no-export"], "med": 50},
    "pods": {
        "largeCommunities": ["64512:1:2"],
        "extendedCommunities": ["origin:64512:4", "origin:4200000000:5"],
        "localPref": 70,
    },
}


def of_services(next_hop: str) -> routers.BgpPath:
    return routers.BgpPath(
        next_hop=next_hop,
        as_path=(),
        local_pref=200,
        med=50,
        communities=frozenset({(64512, 20), (65535, 65281)}),
        extended_communities=frozenset(OURS["extendedCommunities"]),
    )


def of_pods(next_hop: str, med: int = 100) -> routers.BgpPath:
    return routers.BgpPath(
        next_hop=next_hop,
        as_path=(),
        local_pref=70,
        med=med,
        communities=frozenset({(64512, 10)}),
        large_communities=frozenset({(64512, 1, 2)}),
        extended_communities=frozenset({"origin:64512:4", "origin:4200000000:5"}),
    )


@pytest.mark.fault(
    area="settings",
    what="an edit of what the pod ranges carry, and the death of the agent after it",
    sees="the pod ranges with their new attributes; nothing of the service ranges, and nothing "
    "of the death",
    within="2 s after kubelet brings it",
)
def test_services_and_pods_carry_what_the_settings_say_of_each(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=1)
    (router,) = formed.fabric.routers
    router.change(routers.Variation.OWN_ASN)
    document = formed.document()
    document["bgp"]["asn"] = addresses.ROUTER_ASN
    document["peers"][0]["attributes"] = dict(OURS)
    formed.write(document)
    formed.start()
    node = formed.fabric.node(NODE)

    for prefix, carried in (
        (addresses.SERVICES, of_services(node.address)),
        (addresses.SERVICES6, of_services(node.address6)),
        (node.pod_cidr, of_pods(node.address)),
        (node.pod_cidr6, of_pods(node.address6)),
    ):
        waiting.until_equal([carried], lambda: router.rib(prefix), prefix)  # noqa: B023

    document["peers"][0]["attributes"]["pods"] = {**OURS["pods"], "med": 900}
    formed.write(document)
    for prefix, hop in ((node.pod_cidr, node.address), (node.pod_cidr6, node.address6)):
        waiting.until_equal(
            [of_pods(hop, 900)],
            lambda: router.rib(prefix),  # noqa: B023 - called before the next prefix
            "what the pods carry now",
        )
    assert router.rib(addresses.SERVICES) == [of_services(node.address)]
    # The router knows it a moment before the agent, which hears of it from ExaBGP.
    waiting.until_equal(
        {"services": {50}, "pods": {900}}, lambda: _med_told(formed), "the agent knows it, too"
    )
    _outlive_the_agent(formed, router)


def _med_told(formed: cluster.Cluster) -> dict[str, set[int]]:
    """Return the MEDs that the agent says are sent, by class."""
    found: dict[str, set[int]] = {}
    for row in formed.agents[NODE].rows("routes"):
        found.setdefault(row["class"], set()).add(row["med"])
    return found


def _outlive_the_agent(formed: cluster.Cluster, router: routers.Router) -> None:
    """Kill the agent: the next one reads in ExaBGP's table what this one said."""
    agent = formed.agents[NODE]
    waiting.until(
        lambda: {each["state"] for each in agent.rows("routes")} == {"announced"},
        "it knows that all is sent",
    )
    told = agent.rows("routes")
    killed = agent.agent()
    with untouched(formed, router):
        killed.kill()
        waiting.until(lambda: processes.is_gone(killed), "it is dead")
        waiting.until(agent.answers, "another agent answers")
        waiting.until_equal(told, lambda: agent.rows("routes"), "the same routes")


def _meant(formed: cluster.Cluster) -> dict[str, int]:
    """Return how many routers are meant for each class, by what is announced of it."""
    found = formed.agents[NODE].rows("why")
    return {row["class"]: row["meant"] for row in found}


@pytest.mark.fault(
    area="settings",
    what="an edit of which classes a peer is announced",
    sees="the withdrawal or the announcement of just these; its session stays, and the other "
    "routers see nothing",
    within="2 s after kubelet brings it",
)
def test_a_peer_that_is_announced_services_only_hears_nothing_of_pods(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind, kind], nodes_wanted=2)
    rack, edge = formed.fabric.routers
    document = formed.document()
    document["peers"][1]["announce"] = ["services"]
    formed.write(document)
    for agent in formed.agents.values():
        agent.start()
    everyone = list(formed.agents)
    _expect(formed, rack, services=everyone, pods=everyone)
    _expect(formed, edge, services=everyone, pods=[])

    agent = formed.agents[NODE]
    waiting.until_equal({"services": 2, "pods": 1}, lambda: _meant(formed), "who is meant")
    assert not agent.status()["withheld"]
    waiting.until(lambda: agent.run_cli("status").returncode == 0, "all is sent")

    sessions = edge.connections()
    with untouched(formed, rack):
        document["peers"][1]["announce"] = [addresses.SERVICES, "pods"]
        formed.write(document)
        waiting.until_equal(
            {**formed.wanted(everyone, everyone), addresses.SERVICES6: frozenset()},
            lambda: formed.routes(edge),
            "the pods, and one range of the services",
        )
        document["peers"][1]["announce"] = ["services"]
        formed.write(document)
        _expect(formed, edge, services=everyone, pods=[])
    assert edge.connections() == sessions

    formed.api.cordon(NODE)
    others = [name for name in everyone if name != NODE]
    _expect(formed, rack, services=others, pods=others)
    _expect(formed, edge, services=others, pods=[])


def _expect(
    formed: cluster.Cluster,
    router: routers.Router,
    *,
    services: Collection[str],
    pods: Collection[str],
) -> None:
    waiting.until_equal(
        formed.wanted(services, pods), lambda: formed.routes(router), "what it is to hear"
    )
