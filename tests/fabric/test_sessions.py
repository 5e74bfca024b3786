"""Sessions of other forms than the usual one: over IPv6, and within one AS."""

from __future__ import annotations

import pytest

from tests.fabric import addresses, cluster, frr, routers, waiting

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2")
OTHERS = ("n2",)


def test_a_session_over_ipv6_announces_and_withdraws_both_families(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    """An IPv4 prefix has the node's IPv4 address as its next hop, whatever carries the session."""
    formed = form([kind], nodes_wanted=2)
    (router,) = formed.fabric.routers
    router.change(routers.Variation.OVER_IPV6)
    document = formed.document()
    document["peers"][0]["address"] = router.address6
    formed.write(document)
    formed.start()
    assert set(router.connections()) == {node.address6 for node in formed.fabric.nodes}

    formed.agents["n1"].drain()
    assert formed.routes(router) == formed.wanted(OTHERS, OTHERS)

    formed.agents["n1"].undrain()
    formed.expect(services=ALL, pods=ALL)


def test_within_one_as_the_router_sees_the_local_preference(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    """Over iBGP the AS path is empty, and ``localPref`` says how much the routes are wanted."""
    formed = form([kind], nodes_wanted=2)
    (router,) = formed.fabric.routers
    router.change(routers.Variation.OWN_ASN)
    document = formed.document()
    document["bgp"]["asn"] = addresses.ROUTER_ASN
    document["peers"][0]["attributes"] = {"localPref": 250}
    formed.write(document)
    formed.start()

    for node in formed.fabric.nodes:
        (path,) = router.rib(node.pod_cidr)
        assert (path.next_hop, path.as_path, path.local_pref) == (node.address, (), 250)

    document["peers"][0]["attributes"] = {"localPref": 50}
    formed.write(document)
    node = formed.fabric.node("n1")
    waiting.until_equal(
        [50], lambda: [path.local_pref for path in router.rib(node.pod_cidr)], "less wanted"
    )
    formed.api.cordon("n1")
    formed.expect(services=OTHERS, pods=OTHERS)


@pytest.mark.parametrize("kind", [frr.Frr], ids=["frr"])
def test_frr_shows_the_node_by_its_name_unless_the_settings_say_not_to(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=2)
    formed.start()
    (router,) = formed.fabric.routers
    assert isinstance(router, frr.Frr)
    names = {node.address: node.name for node in formed.fabric.nodes}
    waiting.until_equal(names, router.hostnames, "the names of the nodes")

    document = formed.document()
    document["bgp"]["hostname"] = False
    formed.write(document)
    unnamed = dict.fromkeys(names, "")
    waiting.until_equal(unnamed, router.hostnames, "no names any more")
    formed.expect(services=ALL, pods=ALL)
