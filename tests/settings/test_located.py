"""The address of a router that each node finds itself, as it is written."""

from __future__ import annotations

import copy
import ipaddress
from typing import Any

import pytest

from exabgp_k8s.core.facts import config, model, routers
from exabgp_k8s.settings import load, schema, selection
from tests.settings import samples
from tests.support import builders

KEY = "example.com/router"
NOTE = {"fromAnnotation": KEY}
V4, V6 = (routers.Gateway(family=family) for family in model.Family)


def peer(address: Any, name: str = "gw", **more: Any) -> dict[str, Any]:
    return {"name": name, "address": copy.deepcopy(address), "asn": 64513, **more}


def document(*peers: dict[str, Any]) -> dict[str, Any]:
    return {**samples.SMALLEST, "peers": list(peers)}


def sought(*peers: dict[str, Any]) -> tuple[config.Sought, ...]:
    return samples.parse(document(*peers)).sought


def test_a_default_gateway_is_a_peer_for_each_family_and_speaks_that_one() -> None:
    found = sought(peer("default-gateway"))

    assert [(each.name, each.where, each.families) for each in found] == [
        ("gw/ipv4", V4, (model.Family.IPV4,)),
        ("gw/ipv6", V6, (model.Family.IPV6,)),
    ]


def test_families_say_of_which_there_is_one() -> None:
    (found,) = sought(peer("default-gateway", families=["ipv6"]))

    assert (found.name, found.where, found.families) == ("gw/ipv6", V6, (model.Family.IPV6,))


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ("default-gateway-ipv4", V4),
        ("default-gateway-ipv6", V6),
        (NOTE, routers.Annotated(key=KEY)),
    ],
)
def test_one_router_is_one_peer_with_all_families(written: Any, where: routers.Where) -> None:
    (found,) = sought(peer(written, holdTime="3s"))

    assert (found.name, found.where, found.hold_time) == ("gw", where, 3)
    assert found.families == tuple(model.Family)


def test_it_takes_the_defaults_of_all_peers() -> None:
    written = document({"name": "gw", "address": NOTE}) | {"peerDefaults": {"asn": 1, "port": 9}}

    (found,) = samples.parse(written).sought

    assert (found.asn, found.port) == (1, 9)


@pytest.mark.parametrize("written", ["default-gateway", "default-gateway-ipv6", NOTE])
def test_what_is_shown_means_the_same(written: Any) -> None:
    settings = document(peer(written))

    shown = schema.effective(load.document(str(settings).replace("'", '"'), "test"))

    assert shown["peers"][0]["address"] == written
    assert samples.parse(shown) == samples.parse(settings)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"fromLabel": KEY}, "write an address, default-gateway, {fromAnnotation: example.com"),
        ({}, "write an address, default-gateway, {fromAnnotation: example.com/router}"),
        ({**NOTE, "x": "y"}, "write an address, default-gateway, {fromAnnotation"),
        ({"fromAnnotation": "a b"}, "'a b' is not a label key"),
        ("default", "or one of default-gateway, default-gateway-ipv4, default-gateway-ipv6"),
        ("default-gateway-v4", "'default-gateway-v4' is no address"),
        ("gateway", "'gateway' is not an IPv4 or IPv6 address"),
    ],
)
def test_a_mistake_says_what_to_write(written: Any, says: str) -> None:
    (problem,) = samples.problems(document(peer(written)))

    assert "peers[0].address: " in problem
    assert says in problem


def test_a_list_is_of_addresses_only() -> None:
    written = {"name": "gw", "addresses": ["default-gateway"], "asn": 64513}

    (problem,) = samples.problems(document(written))

    assert "'default-gateway' is not an IPv4 or IPv6 address" in problem


RACK_A: dict[str, Any]
RACK_B: dict[str, Any]
RACK_A, RACK_B = ({"nodeSelector": {"matchLabels": {"rack": rack}}} for rack in "ab")


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        (NOTE, NOTE, f"annotation {KEY}"),
        ("default-gateway", "default-gateway-ipv6", "default gateway of ipv6"),
        ("default-gateway-ipv4", "default-gateway-ipv4", "default gateway of ipv4"),
    ],
)
def test_two_peers_of_a_node_cannot_look_at_the_same_place(
    one: Any, other: Any, named: str
) -> None:
    (problem,) = samples.problems(document(peer(one), peer(other, "b")))

    assert f"peers[1].address: {named} is the address of gw at peers[0].address" in problem
    assert samples.problems(document(peer(one, **RACK_A), peer(other, "b", **RACK_B))) == []


def test_places_that_differ_may_be_one_nodes() -> None:
    both = (peer("default-gateway-ipv4"), peer("default-gateway-ipv6", "b"), peer(NOTE, "c"))

    assert samples.problems(document(*both)) == []


def test_peers_stay_in_the_order_of_the_document() -> None:
    settings = samples.parse(
        document(
            peer(NOTE, "a"), peer("192.0.2.1", "b"), peer(NOTE | {"fromAnnotation": "x"}, "c")
        )
    )

    assert [each.name for each in settings.entries] == ["a", "b", "c"]


def test_nodes_without_the_annotation_are_named_before_they_read_it() -> None:
    settings = samples.parse(document(peer(NOTE)))
    nodes = [
        model.NodeFacts(name=name, annotations={} if value is None else {KEY: value})
        for name, value in (("n1", "192.0.2.1"), ("n2", None), ("n3", ""))
    ]

    (problem,) = selection.find(settings, nodes)

    assert str(problem) == (
        f"peers[0].address: 2 of the nodes of peer gw have no address of a router in annotation "
        f"{KEY}, and the peer would stay down there (router-missing): n2, n3"
    )


def test_an_announced_range_is_compared_with_the_addresses_that_are_written() -> None:
    settings = samples.parse(document(peer(NOTE)))

    assert settings.service_cidrs == (ipaddress.ip_network("10.96.0.0/16"),)
    assert builders.a_world(settings=settings).peers == ()
