"""Routers at link-local addresses in the settings, and what does not go with them."""

from __future__ import annotations

from typing import Any

import pytest

from exabgp_k8s.core.facts import config, model, routers
from exabgp_k8s.settings import addresses
from exabgp_k8s.wire import checked
from tests.settings import samples

ON_A_LINK = "fe80::1%eth1"


def settings(**keys: Any) -> dict[str, Any]:
    return samples.changed(("peers", 0), {"name": "tor", "asn": 64513, **keys})


def peer(**keys: Any) -> config.Entry:
    """Return what the agent gets: by way of text, as from the process that checked it."""
    passed = checked.load(checked.dump(samples.parse(settings(**keys)), ""))
    assert passed is not None
    (found,) = passed.config.entries
    return found


def test_a_link_local_address_keeps_its_interface_on_the_way_to_the_agent() -> None:
    found = peer(address=ON_A_LINK)
    assert isinstance(found, config.Peer)
    assert str(found.address) == ON_A_LINK


def test_a_link_is_where_the_node_finds_the_router() -> None:
    found = peer(address={"interface": "eth1"})
    assert isinstance(found, config.Sought)
    assert found.where == routers.OnLink(interface="eth1")


@pytest.mark.parametrize(
    ("keys", "is_extended"),
    [
        ({"address": ON_A_LINK}, True),
        ({"address": ON_A_LINK, "extendedNextHop": False}, False),
        ({"address": ON_A_LINK, "families": ["ipv6"]}, False),
        ({"address": {"interface": "eth1"}}, True),
        ({"address": "2001:db8::1"}, False),
        ({"address": "2001:db8::1", "extendedNextHop": True}, True),
        ({"address": "192.0.2.1"}, False),
    ],
)
def test_ipv6_next_hops_for_ipv4_are_offered_on_links_and_where_asked(
    keys: dict[str, Any], is_extended: bool
) -> None:
    assert peer(**keys).is_extended is is_extended


def test_both_families_are_offered_as_ever() -> None:
    assert peer(address=ON_A_LINK).families == tuple(model.Family)


@pytest.mark.parametrize(
    ("keys", "path", "words"),
    [
        ({"address": "fe80::1"}, "address", "for example fe80::1%eth1"),
        ({"address": "2001:db8::1%eth1"}, "address", "leave %eth1 out"),
        ({"address": "192.0.2.1%eth1"}, "address", "leave %eth1 out"),
        ({"address": {"interface": "e;x"}}, "address", "is not an interface name"),
        ({"address": {"interface": "eth1"}, "multihop": 2}, "multihop", "own link; remove it"),
        ({"address": "fe80::1%e;x"}, "address", "is not an interface name"),
        ({"address": "fe80::1%my-reset"}, "address", "give it another name"),
        ({"address": ON_A_LINK, "multihop": 2}, "multihop", "the node's own link; remove it"),
        (
            {"address": ON_A_LINK, "localAddress": "2001:db8::9"},
            "localAddress",
            "starts from the interface's own one; remove it",
        ),
        (
            {"address": "192.0.2.1", "extendedNextHop": True},
            "extendedNextHop",
            "goes with an IPv6 address of the router; write that, or remove it",
        ),
        (
            {"address": ON_A_LINK, "extendedNextHop": True, "families": ["ipv4"]},
            "extendedNextHop",
            "write families: [ipv4, ipv6]",
        ),
    ],
)
def test_what_does_not_go_together_is_named(keys: dict[str, Any], path: str, words: str) -> None:
    found = samples.problems(settings(**keys))

    assert len(found) == 1
    assert f"peers[0].{path}" in found[0]
    assert words in found[0]


def test_a_rack_is_no_command() -> None:
    """Only the whole words of ExaBGP count."""
    assert str(addresses.router("fe80::1%rack")) == "fe80::1%rack"
