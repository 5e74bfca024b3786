"""The bed itself, tried with a bare ExaBGP: what it shows must be true before we rely on it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from tests.fabric import addresses, bird, namespaces, routers, speaker, topology, traffic, waiting

pytestmark = pytest.mark.fabric


def _announce(fabric: topology.Fabric) -> list[speaker.Speaker]:
    speakers = [
        speaker.Speaker(node, [router.address for router in fabric.routers])
        for node in fabric.nodes
    ]
    for each in speakers:
        each.start()
    for router in fabric.routers:
        waiting.until_equal(
            frozenset(node.address for node in fabric.nodes),
            lambda: router.nexthops(addresses.SERVICES),  # noqa: B023 - called before the next one
            f"every node is a next hop of {router.kind}",
        )
    return speakers


def test_a_router_shows_what_a_node_announces(
    kind: type[routers.Router], build: topology.Factory
) -> None:
    """Next hops from the kernel, paths and sessions from the daemon, for both families."""
    fabric = build([kind], nodes_wanted=2)
    _announce(fabric)
    router = fabric.routers[0]
    first, second = fabric.nodes

    # Each of a node's routes may come in an UPDATE of its own.
    for prefix, hops in (
        (addresses.SERVICES6, {first.address6, second.address6}),
        (first.pod_cidr, {first.address}),
        (second.pod_cidr6, {second.address6}),
    ):
        waiting.until_equal(
            hops,
            lambda: set(router.nexthops(prefix)),  # noqa: B023 - called before the next one
            f"the next hops of {prefix}",
        )
    assert router.sessions() == {first.address: "Established", second.address: "Established"}
    assert router.rib(first.pod_cidr) == [
        routers.BgpPath(
            next_hop=first.address, as_path=(addresses.NODE_ASN,), local_pref=100, med=50
        )
    ]
    assert {path.next_hop: path for path in router.rib(addresses.SERVICES)}[
        second.address
    ] == routers.BgpPath(
        next_hop=second.address,
        as_path=(addresses.NODE_ASN,),
        local_pref=100,
        communities=frozenset({(64512, 10)}),
        large_communities=frozenset({(64512, 1, 2)}),
    )


def test_a_session_that_ends_takes_its_next_hop_along(
    kind: type[routers.Router], build: topology.Factory
) -> None:
    """Without graceful restart the end of the speaker is a withdrawal."""
    fabric = build([kind], nodes_wanted=2)
    speakers = _announce(fabric)
    first, second = fabric.nodes
    router = fabric.routers[0]

    speakers[0].terminate()

    waiting.until_equal(
        {second.address},
        lambda: set(router.nexthops(addresses.SERVICES)),
        "only the other node is left",
    )
    waiting.until(lambda: not router.nexthops(first.pod_cidr), "its pods are gone as well")


def test_a_death_that_nobody_announced_is_seen_by_the_traffic(
    kind: type[routers.Router], build: topology.Factory
) -> None:
    """The negative control: if this loses nothing, no other traffic test proves anything."""
    fabric = build([kind], nodes_wanted=2)
    _announce(fabric)

    with traffic.Traffic(fabric.client, addresses.WEB, 80) as flow:
        fabric.nodes[1].power_off()
        time.sleep(1)

    assert len(flow.report.failed) + flow.report.lost_syns > 20, flow.report


def test_a_password_that_differs_gives_no_session(
    kind: type[routers.Router], build: topology.Factory
) -> None:
    """TCP MD5 is in force for the whole listen range."""
    fabric = build([kind], nodes_wanted=2, password="s3cret")
    router = fabric.routers[0].address
    right, wrong = fabric.nodes
    speaker.Speaker(wrong, [router], password="other").start()
    speaker.Speaker(right, [router], password="s3cret").start()

    waiting.until_equal(
        {right.address}, lambda: set(fabric.routers[0].nexthops(addresses.SERVICES)), "one session"
    )


def test_a_packet_to_a_service_that_is_not_there_does_not_circle(build: topology.Factory) -> None:
    """The rule that the router guide asks for on every node: without it, 30 rounds a packet."""
    fabric = build([bird.Bird], nodes_wanted=1)
    _announce(fabric)
    router = fabric.routers[0].namespace
    before = _packets_to_nodes(router)

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(20):
                sender.sendto(b"anybody?", (addresses.UNUSED, 9))

    fabric.client.inside(send)

    waiting.until(lambda: _packets_to_nodes(router) >= before + 20, "the packets passed by")
    time.sleep(0.2)
    assert _packets_to_nodes(router) < before + 100


def _packets_to_nodes(router: namespaces.Namespace) -> int:
    (link,) = router.ip_json("-s", "link", "show", "eth0")
    return int(link["stats64"]["tx"]["packets"])


@pytest.mark.usefixtures("_privileges")
def test_the_namespaces_of_a_process_that_is_gone_are_removed() -> None:
    """Even a test run that is killed leaves nothing for long."""
    script = (
        "import os; from tests.fabric import namespaces\n"
        "one = namespaces.Namespace(namespaces.serial())\n"
        "print(one.name, flush=True); os._exit(1)"
    )
    name = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=namespaces.REPOSITORY,
    ).stdout.strip()
    assert (namespaces.RUN_DIR / name).exists()

    namespaces.remove_leftovers()

    assert not (namespaces.RUN_DIR / name).exists()
