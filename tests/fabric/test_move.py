"""From static routes to ours, in the order of the page about moving: no connection is lost."""

from __future__ import annotations

import subprocess

import pytest

from tests.fabric import addresses, cluster, frr, traffic, waiting

pytestmark = pytest.mark.fabric


def _type(router: frr.Frr, *lines: str) -> None:
    typed = [word for line in ("configure terminal", *lines) for word in ("-c", line)]
    asked = ["vtysh", "--vty_socket", str(router.directory), "-d", "staticd", *typed]
    subprocess.run(asked, check=True, capture_output=True)


@pytest.mark.fault(
    area="routers",
    what="static routes to one node are taken away where BGP has the same prefixes",
    sees="the routes of BGP in their place, with every node",
    within="at once; no new connection fails",
)
def test_what_was_static_is_taken_over_without_losing_a_connection(form: cluster.Factory) -> None:
    formed = form([frr.Frr], nodes_wanted=2)
    (router,) = formed.fabric.routers
    assert isinstance(router, frr.Frr)
    first, second = formed.fabric.nodes
    (router.directory / "staticd.conf").write_text("frr defaults datacenter\n")
    router.daemon("staticd")
    static = [
        f"ip route {addresses.SERVICES} {first.address}",
        f"ip route {second.pod_cidr} {second.address}",
    ]
    waiting.until_equal(0, lambda: _answers(router), "staticd answers")
    _type(router, *static)
    for agent in formed.agents.values():
        agent.start()
    waiting.until_equal(
        2, lambda: len(router.rib(addresses.SERVICES)), "BGP has both nodes", limit=180
    )
    # What is static stands meanwhile, and is preferred.
    assert router.nexthops(addresses.SERVICES) == {first.address}

    with traffic.Traffic(formed.fabric.client, addresses.WEB, 80) as clients:
        _type(router, *(f"no {line}" for line in static))
        formed.expect(services=formed.agents, pods=formed.agents)

    assert clients.report.connections
    assert not clients.report.failed, str(clients.report)


def _answers(router: frr.Frr) -> int:
    asked = ["vtysh", "--vty_socket", str(router.directory), "-d", "staticd", "-c", "show version"]
    return subprocess.run(asked, check=False, capture_output=True).returncode
