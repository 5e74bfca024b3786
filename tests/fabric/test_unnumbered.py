"""Two uplinks without an address: link-local sessions, both families over each (RFC 8950).

Both routers call themselves fe80::1, each on its own link, as the same gateway address everywhere.
"""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Iterator

import pytest

from tests.fabric import addresses, bird, cluster, fib, frr, waiting
from tests.fabric.untouched import untouched

pytestmark = pytest.mark.fabric

ROUTER, NODE = "fe80::1", "fe80::11"
PASSWORD = "s3cret"
LINK = "down1"
"""A router's interface to the node; the node's to router 1 is up1."""
EXTENDED, PLAIN = "extended next hop on; ", ""


class Bird(bird.Bird):
    """BIRD, with any node on one link."""

    extended = EXTENDED

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield what says so."""
        yield from super().edits()
        yield f"local {self.address} as", f"local {ROUTER} as"
        yield (
            f"neighbor range {addresses.SEGMENT}.0/24 as {addresses.NODE_ASN};",
            f"neighbor {NODE}%{LINK} as {addresses.NODE_ASN};",
        )
        yield '  dynamic name "node";\n', ""
        yield (
            "ipv4 { import filter from_nodes;",
            f"ipv4 {{ {self.extended}import filter from_nodes;",
        )

    def offer(self, extended: str) -> None:
        """Offer IPv6 next hops for IPv4, or no longer; the sessions are made anew."""
        self.extended = extended
        self.change(password=self.password)


class Frr(frr.Frr):
    """FRR, unnumbered: the node is whoever sends router advertisements on the link."""

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield what says so."""
        yield from super().edits()
        yield (
            f" bgp listen range {addresses.SEGMENT}.0/24 peer-group NODES",
            f" neighbor {LINK} interface peer-group NODES",
        )


def link(formed: cluster.Cluster) -> None:
    """Lay a cable from the node to each router; nobody has any other address there."""
    (node,) = formed.fabric.nodes
    for router in formed.fabric.routers:
        own, far = f"up{router.number}", router.namespace
        node.namespace.ip(f"link add {own} type veth peer name {LINK} netns {far.name}")
        for namespace, name, address in ((node.namespace, own, NODE), (far, LINK, ROUTER)):
            namespace.ip(
                f"link set {name} addrgenmode none",
                f"addr add {address}/64 dev {name} nodad",
                f"link set {name} up",
            )
        node.namespace.start_module("tests.fabric.advertiser", own, log=node.directory / "log")


def wanted(formed: cluster.Cluster, *prefixes: str) -> dict[str, frozenset[str]]:
    """Return what a router's kernel shall have: these prefixes by way of the node's link."""
    (node,) = formed.fabric.nodes
    everything = (addresses.SERVICES, addresses.SERVICES6, node.pod_cidr, node.pod_cidr6)
    return {each: frozenset({NODE} if each in prefixes else ()) for each in everything}


def await_all(formed: cluster.Cluster) -> None:
    prefixes = wanted(formed)
    for router in formed.fabric.routers:
        waiting.until_equal(
            wanted(formed, *prefixes),
            lambda: formed.routes(router),  # noqa: B023 - called before the next router
            f"the routes of {router.kind}",
            limit=cluster.START_LIMIT,
        )


@pytest.fixture
def linked(form: cluster.Factory) -> cluster.Cluster:
    """One node with an uplink to BIRD and one to FRR, with a password for both."""
    formed = form(
        [Bird, Frr], nodes_wanted=1, router_password=PASSWORD, passwords={"n1": PASSWORD}
    )
    link(formed)
    document = formed.document()
    for peer, router in zip(document["peers"], formed.fabric.routers, strict=True):
        # FRR's router advertisements say where it is; BIRD sends none.
        peer["address"] = (
            {"interface": f"up{router.number}"}
            if router.kind == "frr"
            else f"{ROUTER}%up{router.number}"
        )
        peer |= {"gracefulRestart": "60s"}
    formed.write(document)
    formed.agents["n1"].start()
    await_all(formed)
    return formed


def withheld(formed: cluster.Cluster) -> set[tuple[str, str]]:
    """Return what is withheld from which router, each with the word for why."""
    return {
        (row["prefix"], row["peer"])
        for row in formed.agents["n1"].rows("routes")
        if any(reason.startswith("no-next-hop:ipv4") for reason in row["reasons"])
    }


def answer(url: str) -> str:
    with urllib.request.urlopen(url, timeout=waiting.LIMIT) as response:
        found: str = response.read().decode()
        return found.strip()


def test_both_families_go_over_each_of_two_links_and_carry_traffic(
    linked: cluster.Cluster,
) -> None:
    """IPv4 and IPv6, through BIRD and through FRR, to a node without an address on the links."""
    client = linked.fabric.client
    for router in linked.fabric.routers:
        for prefix in wanted(linked):
            (shown,) = router.namespace.ip_json(
                *(["-6"] if ":" in prefix else []), "route", "show", prefix
            )
            assert shown["dev"] == LINK
        client.ip(
            f"route replace default via 10.0.{router.number}.1 src {addresses.CLIENT}",
            f"route replace ::/0 via fd00:{router.number}::1 src {addresses.CLIENT6}",
        )
        for host in (addresses.WEB, f"[{addresses.WEB6}]"):
            assert client.inside(lambda: answer(f"http://{host}/")) == "n1"  # noqa: B023


@pytest.mark.fault(
    area="routers",
    what="a router over a link-local session takes no IPv6 next hops for IPv4 (RFC 8950) any more",
    sees="the IPv6 routes only, in a session that stays up; `no-next-hop` says why",
    within="at once",
)
def test_a_router_that_takes_no_ipv6_next_hop_is_sent_no_ipv4_route(
    linked: cluster.Cluster,
) -> None:
    """Graceful restart is on, so it is our End-of-RIB that ends what the router kept."""
    first, second = linked.fabric.routers
    (node,) = linked.fabric.nodes
    assert isinstance(first, Bird)
    ipv4, ipv6 = (addresses.SERVICES, node.pod_cidr), (addresses.SERVICES6, node.pod_cidr6)
    with untouched(linked, second):
        first.offer(PLAIN)

        waiting.until_equal(wanted(linked, *ipv6), lambda: linked.routes(first), "IPv6 only")
        waiting.until_equal({(each, "r1") for each in ipv4}, lambda: withheld(linked), "the word")

        first.offer(EXTENDED)
        waiting.until_equal(
            wanted(linked, *ipv4, *ipv6), lambda: linked.routes(first), "both again"
        )
    assert not withheld(linked)


def test_a_killed_exabgp_moves_no_route_of_a_router_on_a_link(linked: cluster.Cluster) -> None:
    """What the next session agrees on is known before its End-of-RIB."""
    before = {router.kind: router.routes() for router in linked.fabric.routers}
    agent = linked.agents["n1"]
    killed = agent.exabgp()
    with contextlib.ExitStack() as stack:
        watches = [stack.enter_context(fib.Watch(each)) for each in linked.fabric.routers]
        killed.kill()
        waiting.until(lambda: not killed.is_running(), "it has ended")
        waiting.until(lambda: is_up_again(linked), "all is sent again")
    assert not [message for watch in watches for message in watch.messages]
    assert {router.kind: router.routes() for router in linked.fabric.routers} == before


def is_up_again(formed: cluster.Cluster) -> bool:
    rows = formed.agents["n1"].rows("routes")
    shown = formed.agents["n1"].rows("sessions")
    return len(rows) == 2 * len(wanted(formed)) and (
        all(row["state"] == "announced" for row in rows) and all(row["up"] for row in shown)
    )


@pytest.mark.fault(
    area="routers",
    what="another router is on the link of `interface` than before, or it has another address",
    sees="the old one loses the session by its hold time; the new one gets everything",
    within="1 min: the kernel takes the old one for reachable for up to 45 s",
)
def test_another_router_on_the_link_takes_over(linked: cluster.Cluster) -> None:
    first, second = linked.fabric.routers

    # For how long the kernel takes an address for reachable: 15 to 45 s unless told.
    linked.fabric.nodes[0].namespace.sysctl(
        {
            f"ipv6/neigh/up2/{name}": "1000"
            for name in ("base_reachable_time_ms", "retrans_time_ms")
        }
        | {"ipv6/neigh/up2/delay_first_probe_time": "1"}
    )
    with untouched(linked, first):
        second.namespace.ip(
            f"addr add fe80::2/64 dev {LINK} nodad", f"addr del {ROUTER}/64 dev {LINK}"
        )
        # FRR's own next advertisement may be ten seconds away.
        second.namespace.start_module(
            "tests.fabric.advertiser", LINK, log=second.directory / "log"
        )
        waiting.until(
            lambda: any(
                row["address"] == "fe80::2%up2" and row["up"]
                for row in linked.agents["n1"].rows("sessions")
            ),
            "a session with the other one",
            limit=120,
        )
        await_all(linked)
