"""Routers that a node finds itself: its kernel's default gateway, and what an annotation says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fabric import addresses, agents, bird, cluster, frr, test_unnumbered, waiting
from tests.fabric.untouched import untouched

pytestmark = pytest.mark.fabric

KEY = "example.com/router"
MOVE_LIMIT = 240.0
"""Seconds; another gateway is moved to after half a minute, and looked for every five seconds."""


def expect(formed: cluster.Cluster, **nodes: list[str]) -> None:
    """Wait until each router has exactly these nodes as next hops, and their own ranges."""
    for router in formed.fabric.routers:
        names = nodes.get(f"r{router.number}", [])
        waiting.until_equal(
            formed.wanted(names, names),
            lambda: formed.routes(router),  # noqa: B023 - called before the next router
            f"the routes of r{router.number}",
            limit=MOVE_LIMIT,
        )


def row(agent: agents.NodeAgent) -> dict[str, Any]:
    # Another node's agent may have read nothing yet.
    waiting.until(lambda: len(agent.rows("sessions")) == 1, "one session")
    return agent.rows("sessions")[0]


def await_missing(agent: agents.NodeAgent, words: str) -> None:
    waiting.until(lambda: words in str(agent.status()["missing"]), words)


def begin(formed: cluster.Cluster, address: Any, **more: Any) -> None:
    """Start with one peer at an address that each node finds."""
    document = formed.document()
    document["peers"] = [document["peers"][0] | {"name": "gw", "address": address, **more}]
    formed.write(document)
    for agent in formed.agents.values():
        agent.start()


def route(formed: cluster.Cluster, name: str, *commands: str) -> None:
    """Change the routes of a node."""
    formed.fabric.node(name).namespace.ip(*(f"route {each}" for each in commands))


@pytest.fixture
def uplinks(form: cluster.Factory) -> cluster.Cluster:
    """Two nodes, and two routers that could each be their gateway."""
    return form([bird.Bird, frr.Frr], nodes_wanted=2)


@pytest.mark.long
@pytest.mark.fault(
    area="routers",
    what="the default gateway is a peer, and the default route is gone for a while, or is by "
    "another gateway",
    sees="nothing of a route that is gone; another gateway, once it has been there for 30 s, a "
    "session of its own, and the former one the withdrawal; at once where the former is down",
    within="0 s; 36 s; 7 s",
)
def test_a_node_follows_its_default_gateway_and_not_its_absence(
    uplinks: cluster.Cluster,
) -> None:
    first, second = uplinks.fabric.routers
    begin(uplinks, "default-gateway-ipv4")
    expect(uplinks, r1=["n1", "n2"])
    agent = uplinks.agents["n1"]
    assert (row(agent)["peer"], row(agent)["address"]) == ("gw", first.address)

    with untouched(uplinks, first, second):
        route(uplinks, "n1", "del default")
        await_missing(agent, "router-missing:default gateway of ipv4")
    with untouched(uplinks, first, second):
        route(uplinks, "n1", f"add default via {second.address}")
        await_missing(agent, f"is {second.address} now")

    expect(uplinks, r1=["n2"], r2=["n1"])
    waiting.until(lambda: row(agent)["up"], "the agent has heard of it, too")
    assert row(agent)["address"] == second.address
    waiting.until_equal([], lambda: agent.status()["missing"], "nothing is missing")

    second.stop()
    waiting.until(lambda: not row(agent)["up"], "the session is lost")
    route(uplinks, "n1", f"replace default via {first.address}")
    expect(uplinks, r1=["n1", "n2"])


@pytest.mark.fault(
    area="control plane",
    what="the annotation that a router's address comes from is removed, is no address, or is one "
    "of the service range",
    sees="nothing; with another router's address the former one the withdrawal, the other a "
    "session",
    within="0 s; 6 s",
)
def test_a_node_finds_its_router_in_an_annotation(uplinks: cluster.Cluster) -> None:
    routers_of = {"n1": uplinks.fabric.routers[0], "n2": uplinks.fabric.routers[1]}

    def annotate(name: str, value: str | None) -> None:
        uplinks.api.patch_node(name, {"metadata": {"annotations": {KEY: value}}})

    annotate("n1", routers_of["n1"].address)
    begin(uplinks, {"fromAnnotation": KEY})
    expect(uplinks, r1=["n1"])
    other = uplinks.agents["n2"]
    waiting.until_equal(
        f"router-missing:annotation {KEY}", lambda: row(other)["problem"], "the other has none"
    )
    annotate("n2", routers_of["n2"].address)
    expect(uplinks, r1=["n1"], r2=["n2"])

    with untouched(uplinks, *uplinks.fabric.routers):
        for value, words in (
            (None, f"router-missing:annotation {KEY}"),
            ("r2", "holds no address of a router"),
            (addresses.WEB, "which is announced"),
        ):
            annotate("n2", value)
            await_missing(other, words)

    annotate("n2", routers_of["n1"].address)
    expect(uplinks, r1=["n1", "n2"])


def test_a_gateway_that_is_link_local_is_met_on_its_link(form: cluster.Factory) -> None:
    """As router advertisements have it; both call themselves fe80::1, and IPv4 goes with it."""
    formed = form([test_unnumbered.Bird, test_unnumbered.Frr], nodes_wanted=1)
    test_unnumbered.link(formed)
    first, second = formed.fabric.routers
    route(formed, "n1", f"replace ::/0 via {test_unnumbered.ROUTER} dev up1")
    begin(formed, "default-gateway-ipv6", extendedNextHop=True)
    everything = test_unnumbered.wanted(formed, *test_unnumbered.wanted(formed))
    waiting.until_equal(
        everything, lambda: formed.routes(first), "at BIRD", limit=cluster.START_LIMIT
    )

    first.stop()
    waiting.until(lambda: not row(formed.agents["n1"])["up"], "the session is lost")
    route(formed, "n1", f"replace ::/0 via {test_unnumbered.ROUTER} dev up2")
    waiting.until_equal(everything, lambda: formed.routes(second), "at FRR", limit=MOVE_LIMIT)
    assert row(formed.agents["n1"])["address"] == f"{test_unnumbered.ROUTER}%up2"
