"""What the routers have while all is well, and what a client makes of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.fabric import addresses, bird, cluster, frr, traffic, waiting

pytestmark = pytest.mark.fabric


def test_connections_to_a_cluster_ip_spread_over_every_node(running: cluster.Cluster) -> None:
    """The service range is one ECMP group of all nodes, in both families."""
    client = running.fabric.client
    with (
        traffic.Traffic(client, addresses.WEB, 80) as flow,
        traffic.Traffic(client, addresses.WEB6, 80) as flow6,
    ):
        time.sleep(2)

    for report in (flow.report, flow6.report):
        answered = report.by_node()
        assert set(answered) == {"n1", "n2", "n3"}, report
        assert min(answered.values()) > len(report.connections) / 6, report
        assert report.failed == (), report


def test_routers_of_different_kinds_learn_the_same(form: cluster.Factory) -> None:
    """One agent, two sessions; what one router does not know the other cannot make up for."""
    formed = form([bird.Bird, frr.Frr])
    formed.start()

    formed.api.cordon("n2")
    formed.expect(services=["n1", "n3"], pods=["n1", "n3"])

    with traffic.Traffic(formed.fabric.client, addresses.WEB, 80) as flow:
        time.sleep(1)
    assert set(flow.report.by_node()) == {"n1", "n3"}
    assert flow.report.failed == (), flow.report


def test_a_peer_with_a_password_has_only_sessions_with_that_password(
    kind: type[bird.Bird | frr.Frr], form: cluster.Factory
) -> None:
    """The right password connects; a node whose Secret lacks the key does not even try."""
    formed = form(
        [kind],
        nodes_wanted=2,
        router_password="s3cret",
        passwords={"n1": "s3cret"},
    )
    for agent in formed.agents.values():
        agent.start()

    formed.expect(services=["n1"], pods=["n1"])
    without = formed.agents["n2"]
    waiting.until(without.answers, "the node without the password answers")
    waiting.until_equal(
        [("r1", "Held", "password-missing:routers")],
        lambda: [(row["peer"], row["state"], row["problem"]) for row in without.rows("sessions")],
        "it says what is missing",
    )
    assert list(formed.fabric.routers[0].sessions()) == [formed.fabric.node("n1").address]


def test_a_route_carries_our_as_and_nothing_else_by_default(pair: cluster.Cluster) -> None:
    """What the router admin sees of a node."""
    node = pair.fabric.node("n1")
    router = pair.fabric.routers[0]

    assert router.sessions() == {each.address: "Established" for each in pair.fabric.nodes}
    (path,) = router.rib(node.pod_cidr)
    assert (path.next_hop, path.as_path, path.med) == (
        node.address,
        (addresses.NODE_ASN,),
        None,
    )
    assert not path.communities | path.large_communities


def test_a_range_that_a_guard_withholds_is_not_called_announced(form: cluster.Factory) -> None:
    """The uplink lies in a flat network that the IPv4 service range is a part of."""
    formed = form([bird.Bird], nodes_wanted=1)
    formed.fabric.node("n1").namespace.ip("addr add 10.1.2.3/8 dev eth0")
    agent = formed.agents["n1"]
    agent.start()
    waiting.until(agent.answers, "the agent answers")

    waiting.until_equal(
        ("partly", [addresses.SERVICES6]),
        lambda: _class(agent.status(), "services", "state", "announced"),
        "one of the two service ranges is announced",
    )

    states = {each["prefix"]: each for each in agent.status()["prefixes"]}
    assert states[addresses.SERVICES]["state"] == "withheld"
    assert (states[addresses.SERVICES6]["sent"], states[addresses.SERVICES6]["meant"]) == (1, 1)
    assert agent.run_cli("status").returncode == 1
    assert formed.fabric.routers[0].rib(addresses.SERVICES) == []
    assert formed.fabric.routers[0].rib(addresses.SERVICES6)


def test_a_part_of_a_flat_network_is_announced_where_the_settings_say_so(
    form: cluster.Factory,
) -> None:
    """The same network; what is said of the services counts for them alone."""
    formed = form([bird.Bird, frr.Frr], nodes_wanted=1)
    node = formed.fabric.node("n1")
    node.namespace.ip("addr add 10.1.2.3/8 dev eth0")
    document = formed.document()
    document["announce"]["services"]["allowOverlapWithUplink"] = True
    formed.write(document)
    formed.agents["n1"].start()

    for router in formed.fabric.routers:
        waiting.until_equal(
            [node.address],
            lambda: [path.next_hop for path in router.rib(addresses.SERVICES)],  # noqa: B023
            f"{router.kind} has the service range",
            limit=cluster.START_LIMIT,
        )
        waiting.until(lambda: bool(router.rib(node.pod_cidr6)), "and the other pod range")  # noqa: B023
        assert router.rib(node.pod_cidr) == []


def _class(status: dict[str, Any], name: str, *keys: str) -> tuple[Any, ...]:
    return tuple(status["classes"][name][key] for key in keys)
