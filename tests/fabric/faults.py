"""The faults of the page about symptoms, each made in earnest and mended again.

They are at the router, on the node, on the way, or in the settings; each is known once the sick
node says what the page shows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.fabric import addresses, cluster, frr, routers, waiting
from tests.fabric.symptoms import PEERS, SICK, Symptoms

FIREWALL = "INPUT -p tcp --dport 179 -s 192.0.2.11 -j DROP"
Made = Callable[[Symptoms], contextlib.AbstractContextManager[None]]
Shows = Callable[[Symptoms], bool]


def _nothing(_: Symptoms) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def _typed(*lines: str, undone: Sequence[str]) -> Made:
    """Return the fault of lines that somebody typed into tor-a's terminal."""

    @contextlib.contextmanager
    def make(bed: Symptoms) -> Iterator[None]:
        bed.tor_a.configure(frr.BGP, *lines)
        bed.tor_a.clear()
        yield
        bed.tor_a.configure(frr.BGP, *undone)

    return make


def _varied(variation: routers.Variation) -> Made:
    """Return the fault of a router that is configured otherwise than documented."""

    @contextlib.contextmanager
    def make(bed: Symptoms) -> Iterator[None]:
        bed.tor_a.change(variation)
        if variation is not routers.Variation.NO_SERVICES:
            bed.tor_a.clear()
        yield
        bed.tor_a.change()

    return make


def _ruled(host: str, table: str, rule: str) -> Made:
    """Return the fault of a rule of iptables on a router or node."""

    @contextlib.contextmanager
    def make(bed: Symptoms) -> Iterator[None]:
        where = bed.router(host) if host in PEERS else bed.fabric.node(host)
        where.namespace.run("iptables", "-t", table, "-I", *rule.split())
        yield
        where.namespace.run("iptables", "-t", table, "-D", *rule.split())

    return make


def _edited(**changes: object) -> Made:
    """Return the fault of an edit of the first peer in the settings."""

    @contextlib.contextmanager
    def make(bed: Symptoms) -> Iterator[None]:
        bed.write(**changes)
        yield

    return make


@contextlib.contextmanager
def _cordoned(bed: Symptoms) -> Iterator[None]:
    bed.cluster.api.cordon(SICK)
    yield
    bed.cluster.api.cordon(SICK, False)


@contextlib.contextmanager
def _failing(bed: Symptoms) -> Iterator[None]:
    node = bed.fabric.node(SICK)
    node.kill_kube_proxy()
    yield
    node.start_kube_proxy()


@contextlib.contextmanager
def _strict(bed: Symptoms) -> Iterator[None]:
    """Let the sick node answer the client by another interface than the packets come in by."""
    namespace = bed.fabric.node(SICK).namespace
    bed.fabric.client.ip(f"route add {addresses.WEB} via 10.0.1.1 src {addresses.CLIENT}")
    bed.router("tor-a").namespace.ip(
        f"route add {addresses.WEB} via {bed.fabric.node(SICK).address}"
    )
    namespace.ip(
        "link add uplink2 type veth peer name far",
        "link set uplink2 up",
        "link set far up",
        f"route add {addresses.CLIENT} dev uplink2",
    )
    namespace.sysctl({"ipv4/conf/eth0/rp_filter": "1"})
    yield
    namespace.sysctl({"ipv4/conf/eth0/rp_filter": "0"})
    namespace.ip("link del uplink2")
    bed.router("tor-a").namespace.ip(f"route del {addresses.WEB}")
    bed.fabric.client.ip(f"route del {addresses.WEB}")


@contextlib.contextmanager
def _guarded(bed: Symptoms) -> Iterator[None]:
    router = bed.router("tor-b")
    router.change(password="right")
    yield
    router.change()


@contextlib.contextmanager
def _gone(bed: Symptoms) -> Iterator[None]:
    router = bed.router("tor-b")
    router.stop()
    yield
    router.start()


def _says(words: str, peer: str = "tor-a") -> Shows:
    return lambda bed: words in bed.problem(peer)


FAULTS: Mapping[str, tuple[Made, Shows]] = {
    "none": (_nothing, lambda bed: bed.states() == {"announced"}),
    "firewall": (_ruled("tor-a", "filter", FIREWALL), _says("no answer")),
    "password": (_guarded, _says("no answer", "tor-b")),
    "daemon": (_gone, _says("connection refused", "tor-b")),
    "range": (
        _typed(
            "no bgp listen range 192.0.2.0/24 peer-group NODES",
            undone=["bgp listen range 192.0.2.0/24 peer-group NODES"],
        ),
        _says("before its OPEN"),
    ),
    "asn": (_varied(routers.Variation.OTHER_ASN), _says("bad peer AS")),
    "maximum": (_varied(routers.Variation.ONE_PREFIX), _says("maximum number of prefixes")),
    "shut": (
        _typed(
            "neighbor NODES shutdown message moved to rack 7",
            undone=["no neighbor NODES shutdown"],
        ),
        _says("administrative shutdown"),
    ),
    "held": (_edited(passwordFrom="tor-a"), _says("password-missing")),
    "filter": (
        _varied(routers.Variation.NO_SERVICES),
        lambda bed: addresses.SERVICES not in {
            prefix
            for prefix, hops in bed.router("tor-a").routes().items()
            if bed.fabric.node(SICK).address in hops
        },
    ),
    "family": (
        _typed("address-family ipv6 unicast", "no neighbor NODES activate",
               undone=["address-family ipv6 unicast", "neighbor NODES activate"]),
        lambda bed: "family not negotiated" in bed.states(),
    ),
    "cordoned": (_cordoned, lambda bed: bed.states() == {"withheld"}),
    "unhealthy": (_failing, lambda bed: "withheld" in bed.states()),
    "refused": (
        _edited(asn="64513 or so"),
        lambda bed: bool(bed.cluster.agents[SICK].status()["settings"]["problems"]),
    ),
    "rp_filter": (_strict, lambda _: True),
}  # fmt: skip
"""How each fault is made, and when it is known at the sick node."""


@contextlib.contextmanager
def having(bed: Symptoms, fault: str) -> Iterator[None]:
    """Make a fault, wait until it shows, and mend it behind."""
    make, shows = FAULTS[fault]
    with make(bed):
        waiting.until(lambda: shows(bed), f"the fault {fault} shows", limit=cluster.START_LIMIT)
        yield
    bed.mend()
