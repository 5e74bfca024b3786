"""One gateway address in every rack, each rack's router with an AS of its own.

    router r1, AS 64513            router r2, AS 64514
      | 192.0.2.254                  | 192.0.2.254
    --+-------+---- rack a         --+-------+---- rack b
              |                              |
            node n1                        node n2

The API server is in both racks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fabric import addresses, agents, bird, cluster, frr, routers, topology, waiting

pytestmark = pytest.mark.fabric

GATEWAY = f"{addresses.SEGMENT}.254"
ASNS = {1: addresses.ROUTER_ASN, 2: 64514}
RACKS = {1: "a", 2: "b"}
LABEL = "example.com/rack"


class Bird(bird.Bird):
    """A gateway that runs BIRD."""

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield what makes it the gateway of its rack."""
        yield from super().edits()
        yield (
            f"local {self.address} as {addresses.ROUTER_ASN}",
            f"local {GATEWAY} as {ASNS[self.number]}",
        )


class Frr(frr.Frr):
    """A gateway that runs FRR."""

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield what makes it the gateway of its rack; it takes sessions at all its addresses."""
        yield from super().edits()
        yield f"router bgp {addresses.ROUTER_ASN}", f"router bgp {ASNS[self.number]}"


def gateway(rack: int) -> dict[str, Any]:
    """Return the peer of a rack."""
    return {
        "name": f"gw-{RACKS[rack]}",
        "address": GATEWAY,
        "asn": ASNS[rack],
        "nodeSelector": {"matchLabels": {LABEL: RACKS[rack]}},
        "gracefulRestart": "60s",
        "attributes": {"communities": [f"{addresses.NODE_ASN}:{rack}"]},
    }


def wire(fabric: topology.Fabric) -> None:
    """Give the second router and the second node a switch of their own, the API server on both."""
    for router in fabric.routers:
        router.namespace.ip(f"addr add {GATEWAY}/24 dev eth0")
    fabric.control.ip(f"link add eth1 type veth peer name api1 netns {fabric.switch.name}")
    fabric.switch.ip(
        "link add br1 type bridge",
        "link set br1 up",
        "link set api1 master br1 up",
        "link set r2 master br1",
        "link set n2 master br1",
    )
    fabric.control.ip(
        "link set eth1 up",
        f"route add {fabric.node('n2').address} dev eth1 src {addresses.API_SERVER}",
    )


def rewire(fabric: topology.Fabric) -> None:
    """Carry the second node over to the first rack."""
    node = fabric.node("n2")
    fabric.switch.ip("link set n2 master br0")
    fabric.control.ip(f"route del {node.address} dev eth1")
    fabric.control.ip("neigh flush all")
    node.namespace.ip("neigh flush all")


def heard(router: routers.Router, prefix: str) -> list[tuple[str, frozenset[tuple[int, int]]]]:
    """Return the paths that a router has: by which node, and with which communities."""
    return sorted((path.next_hop, path.communities) for path in router.rib(prefix))


@pytest.fixture(params=[(Bird, Frr), (Frr, Bird)], ids=["bird-frr", "frr-bird"])
def racks(request: pytest.FixtureRequest, form: cluster.Factory) -> cluster.Cluster:
    """A node in each of two racks, and one document for both."""
    formed = form(request.param, nodes_wanted=2)
    wire(formed.fabric)
    document = formed.document()
    document["peers"] = [gateway(number) for number in RACKS]
    formed.write(document)
    for number, rack in RACKS.items():
        formed.api.patch_node(f"n{number}", {"metadata": {"labels": {LABEL: rack}}})
    for agent in formed.agents.values():
        agent.start()
    return formed


def expect(formed: cluster.Cluster, router: routers.Router, *names: str) -> None:
    """Wait until exactly these nodes are a router's next hops, by its rack's attributes."""
    serving = [formed.fabric.node(name).address for name in names]
    communities = frozenset({(addresses.NODE_ASN, router.number)})
    waiting.until_equal(
        frozenset(serving), lambda: router.nexthops(addresses.SERVICES), f"r{router.number}"
    )
    waiting.until_equal(
        sorted((address, communities) for address in serving),
        lambda: heard(router, addresses.SERVICES),
        f"what r{router.number} was sent",
    )


def await_row(agent: agents.NodeAgent, rack: str, asn: int) -> None:
    """Wait until the agent, too, has heard that its only session is up: the router was first."""
    waiting.until_equal(
        [(f"gw-{rack}", GATEWAY, asn, True)],
        lambda: [
            (each["peer"], each["address"], each["remote_as"], each["up"])
            for each in agent.rows("sessions")
        ],
        "the agent's own row",
    )


def test_each_rack_has_its_gateway_at_the_same_address(racks: cluster.Cluster) -> None:
    for router, name in zip(racks.fabric.routers, ("n1", "n2"), strict=True):
        expect(racks, router, name)
        node = racks.fabric.node(name)
        waiting.until_equal(
            frozenset({node.address6}),
            lambda: router.nexthops(node.pod_cidr6),  # noqa: B023 - called before the next router
            "its pods over IPv6",
        )
        await_row(racks.agents[name], RACKS[router.number], ASNS[router.number])


@pytest.mark.fault(
    area="settings",
    what="a node's rack label is changed, where the gateways of both racks have one address, with "
    "graceful restart",
    sees="the one rack's router the withdrawal, then the end of the session, and nothing stale; "
    "the other's a session with its own AS and attributes, once the node is there",
    within="1 s; 6 s after the node is connected",
)
def test_a_node_that_changes_racks_leaves_nothing_at_the_former_gateway(
    racks: cluster.Cluster,
) -> None:
    here, there = racks.fabric.routers
    agent = racks.agents["n2"]
    expect(racks, there, "n2")

    racks.api.patch_node("n2", {"metadata": {"labels": {LABEL: RACKS[here.number]}}})
    # With the routes kept by graceful restart it would be a minute.
    waiting.until(lambda: not there.rib(addresses.SERVICES), "withdrawn", limit=40)
    left = racks.fabric.node("n2").pod_cidr
    waiting.until(lambda: not there.nexthops(left), "its kernel has no route either")
    rewire(racks.fabric)

    expect(racks, here, "n1", "n2")
    assert there.rib(addresses.SERVICES) == []
    waiting.until(lambda: not agent.rows("sessions")[0]["unacknowledged"], "all is sent")
    await_row(agent, "a", ASNS[here.number])
