"""An AS number for each node, from its labels, and routers that the settings name no AS of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fabric import addresses, bird, cluster, frr, routers, waiting
from tests.fabric.untouched import untouched

pytestmark = pytest.mark.fabric

LABEL = "example.com/asn"
ASNS = {"n1": ("64601", 64601), "n2": ("65000.10", 65000 * 65536 + 10)}
"""What each node's label says, and the number that this is."""


class Bird(bird.Bird):
    """BIRD, with nodes of any AS but its own."""

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield the one word that says so."""
        yield from super().edits()
        yield f" as {addresses.NODE_ASN};", " external;"


class Frr(frr.Frr):
    """FRR, with nodes of any AS but its own, and paths of one length counting as equal."""

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield what says so."""
        yield from super().edits()
        yield (
            f"neighbor NODES remote-as {addresses.NODE_ASN}",
            "neighbor NODES remote-as external\n bgp bestpath as-path multipath-relax",
        )


def label(formed: cluster.Cluster, node: str, asn: str | None) -> None:
    formed.api.patch_node(node, {"metadata": {"labels": {LABEL: asn}}})


def write(formed: cluster.Cluster, asn: str) -> None:
    """Write settings with our number at the nodes, and this of the router."""
    document = formed.document()
    document["bgp"]["asn"] = {"fromLabel": LABEL}
    document["peers"][0]["asn"] = asn
    formed.write(document)


def paths(router: routers.Router) -> dict[str, tuple[int, ...]]:
    """Return the AS path of the service range by each node."""
    return {path.next_hop: path.as_path for path in router.rib(addresses.SERVICES)}


def row(formed: cluster.Cluster, node: str) -> dict[str, Any]:
    (found,) = formed.agents[node].rows("sessions")
    return found


@pytest.fixture(params=[Bird, Frr], ids=["bird", "frr"])
def numbered(request: pytest.FixtureRequest, form: cluster.Factory) -> cluster.Cluster:
    """Two nodes, each with an AS of its own, and a router of any AS but theirs."""
    formed = form([request.param], nodes_wanted=2)
    write(formed, "external")
    for node, (written, _) in ASNS.items():
        label(formed, node, written)
    formed.start()
    return formed


def test_each_node_has_its_own_as_and_all_are_equal_paths(numbered: cluster.Cluster) -> None:
    (router,) = numbered.fabric.routers

    assert paths(router) == {node.address: (ASNS[node.name][1],) for node in numbered.fabric.nodes}
    for node, (written, number) in ASNS.items():
        shown = row(numbered, node)
        assert (shown["local_as"], shown["local_as_written"]) == (number, written)
        # ExaBGP's table is looked at every few seconds.
        waiting.until_equal(
            addresses.ROUTER_ASN,
            lambda: row(numbered, node)["remote_as"],  # noqa: B023 - called before the next node
            "the router's own number",
        )


@pytest.mark.fault(
    area="control plane",
    what="the label that our AS number is read from is taken off, or holds something else",
    sees="nothing; with another number in it the withdrawal, then a session with that number",
    within="0 s; 6 s",
)
def test_a_node_whose_label_says_no_number_keeps_the_last_one(numbered: cluster.Cluster) -> None:
    (router,), agent = numbered.fabric.routers, numbered.agents["n1"]
    node = numbered.fabric.node("n1")

    def is_missing() -> bool:
        return any(each["cause"].startswith("asn-missing") for each in agent.status()["missing"])

    with untouched(numbered, router):
        label(numbered, "n1", None)
        waiting.until(is_missing, "it is missing")
        label(numbered, "n1", "rack-a")
        waiting.until(lambda: "rack-a" in str(agent.status()["missing"]), "it is no number")

    label(numbered, "n1", "64699")
    waiting.until(lambda: paths(router).get(node.address) == (64699,), "the new number")
    numbered.expect(services=ASNS, pods=ASNS)
    waiting.until(lambda: not is_missing(), "it is there again")


def test_a_node_without_a_number_has_no_session_until_it_has_one(
    numbered: cluster.Cluster,
) -> None:
    label(numbered, "n1", None)
    numbered.reboot("n1")
    waiting.until(lambda: row(numbered, "n1")["state"] == "Held", "held")
    assert row(numbered, "n1")["problem"] == f"asn-missing:label {LABEL}"
    numbered.expect(services=["n2"], pods=["n2"])

    label(numbered, "n1", ASNS["n1"][0])
    numbered.expect(services=ASNS, pods=ASNS)


def test_an_internal_router_is_of_the_nodes_own_as(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=2)
    (router,) = formed.fabric.routers
    router.change(routers.Variation.OWN_ASN)
    write(formed, "internal")
    for node in formed.agents:
        label(formed, node, str(addresses.ROUTER_ASN))

    formed.start()

    assert paths(router) == {node.address: () for node in formed.fabric.nodes}
