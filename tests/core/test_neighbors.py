"""Which peers a node has sessions with, why not with the others, and what each of them hears."""

from __future__ import annotations

import ipaddress

import pytest

from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.core.judge import addresses
from tests.support import builders
from tests.support.builders import TOR_A, TOR_B

SOURCE = ipaddress.ip_address("198.51.100.7")
SECRET = model.Secret("opensesame")


def requirement(key: str, operator: config.Operator, *values: str) -> config.Selector:
    one = config.Requirement(key=key, operator=operator, values=frozenset(values))
    return config.Selector(requirements=(one,))


def held(*peers: config.Peer, **facts: object) -> dict[str, str]:
    """Return the peers that have no session, each with its reason."""
    world = builders.a_world(
        settings=builders.a_config(peers=peers), node=builders.a_node(**facts)
    )
    return {each.name: str(each.cause) for each in builders.decided(world).peers_held}


def heard(peer: config.Peer) -> model.Attributes:
    """Return the attributes that a peer's routes have in common."""
    decision = builders.decided(builders.a_world(settings=builders.a_config(peers=(peer,))))
    (attributes,) = {route.attributes for route in (decision.routes or {}).values()}
    return attributes


@pytest.mark.parametrize(
    ("selector", "is_selected"),
    [
        (config.Selector(), True),
        (requirement("rack", config.Operator.IN, "a", "b"), True),
        (requirement("rack", config.Operator.IN, "b"), False),
        (requirement("absent", config.Operator.IN, "a"), False),
        (requirement("rack", config.Operator.NOT_IN, "b"), True),
        (requirement("rack", config.Operator.NOT_IN, "a"), False),
        (requirement("absent", config.Operator.NOT_IN, "a"), True),
        (requirement("rack", config.Operator.EXISTS), True),
        (requirement("absent", config.Operator.EXISTS), False),
        (requirement("rack", config.Operator.DOES_NOT_EXIST), False),
        (requirement("absent", config.Operator.DOES_NOT_EXIST), True),
    ],
)
def test_a_selector_reads_like_kubernetes_own(
    selector: config.Selector, is_selected: bool
) -> None:
    found = held(builders.a_peer(selector=selector))

    assert found == ({} if is_selected else {"tor-a": "not-selected"})


def test_every_requirement_of_a_selector_must_hold() -> None:
    rack, zone = (
        requirement(key, config.Operator.EXISTS).requirements[0] for key in ("rack", "zone")
    )

    assert not config.Selector(requirements=(rack, zone)).matches({"rack": "a"})
    assert config.Selector(requirements=(rack, zone)).matches({"rack": "a", "zone": ""})


def test_a_peer_without_its_password_has_no_session_and_the_others_do() -> None:
    peers = (builders.a_peer(password_from="tor-a"), builders.a_peer("tor-b", TOR_B))
    world = builders.a_world(settings=builders.a_config(peers=peers))

    decision = builders.decided(world)

    assert [each.name for each in decision.neighbors or ()] == ["tor-b"]
    assert held(*peers) == {"tor-a": "password-missing:tor-a"}


def test_a_peer_with_its_password_gets_it() -> None:
    peers = (builders.a_peer(password_from="tor-a"),)
    world = builders.a_world(settings=builders.a_config(peers=peers), passwords={"tor-a": SECRET})

    (neighbor,) = builders.decided(world).neighbors or ()

    assert neighbor.password == SECRET


def test_a_peer_of_a_family_without_a_node_address_has_no_session() -> None:
    peer = builders.a_peer("tor-6", ipaddress.ip_address("2001:db8::1"))

    assert held(peer, internal_ips=(builders.NODE_IP,)) == {"tor-6": "no-local-address:ipv6"}


def test_the_local_address_may_be_the_kernel_s_choice() -> None:
    peer = builders.a_peer(local_address=config.LocalAddress.ROUTE)
    seen = events.HostSeen(sources={TOR_A: SOURCE})
    world = builders.a_world(seen, settings=builders.a_config(peers=(peer,)))

    (neighbor,) = builders.decided(world).neighbors or ()

    assert neighbor.local_address == SOURCE
    assert held(peer) == {"tor-a": "no-local-address:ipv4"}


def test_the_router_id_is_the_node_s_ipv4_address() -> None:
    (first, _) = builders.decided(builders.a_world()).neighbors or ()

    assert first.router_id == builders.NODE_IP


def test_the_settings_own_router_id_wins() -> None:
    identifier = ipaddress.IPv4Address("10.0.0.3")
    world = builders.a_world(settings=builders.a_config(router_id=identifier))

    assert {each.router_id for each in builders.decided(world).neighbors or ()} == {identifier}


def test_nodes_without_an_ipv4_address_have_router_ids_of_their_own() -> None:
    """The same on every start, another one on every node (RFC 6286)."""
    settings = builders.a_config()
    names = [f"node-{number}" for number in range(100)]
    found = [
        addresses.router_id(
            settings, builders.a_node(name=name, internal_ips=(builders.NODE_IP6,))
        )
        for name in names + names[:1]
    ]

    assert found[0] == found[-1]
    assert len(set(found)) == len(names)


def test_the_parameters_of_a_session_are_those_of_the_peer() -> None:
    peer = builders.a_peer(
        description="rack a",
        port=1790,
        hold_time=3,
        multihop=2,
        graceful_restart=120,
        families=(model.Family.IPV4,),
    )

    (neighbor,) = (
        builders.decided(builders.a_world(settings=builders.a_config(peers=(peer,)))).neighbors
        or ()
    )

    assert neighbor == model.Neighbor(
        name="tor-a",
        description="rack a",
        address=TOR_A,
        port=1790,
        local_address=builders.NODE_IP,
        router_id=ipaddress.IPv4Address("192.0.2.11"),
        peer_asn=64513,
        local_asn=64512,
        hold_time=3,
        multihop=2,
        graceful_restart=120,
        families=(model.Family.IPV4,),
        hostname=builders.a_node().name,
    )


def test_the_routers_are_told_no_name_where_the_settings_say_so() -> None:
    world = builders.a_world(settings=builders.a_config(is_named=False))

    assert {each.hostname for each in builders.decided(world).neighbors or ()} == {""}


def test_each_peer_hears_its_own_attributes() -> None:
    plain = builders.a_peer()
    marked = builders.a_peer(
        "tor-b",
        TOR_B,
        attributes=model.Attributes(
            communities=((64512, 20), (64512, 10), (64512, 20)),
            large_communities=((64512, 1, 2),),
            med=100,
        ),
    )
    world = builders.a_world(settings=builders.a_config(peers=(plain, marked)))

    routes = builders.decided(world).routes or {}

    assert routes[TOR_A, builders.POD_RANGE].attributes == model.Attributes()
    assert routes[TOR_B, builders.POD_RANGE].attributes == model.Attributes(
        communities=((64512, 10), (64512, 20)), large_communities=((64512, 1, 2),), med=100
    )


def test_local_pref_is_for_internal_peers_only() -> None:
    asked = model.Attributes(local_pref=200)

    assert heard(builders.a_peer(attributes=asked)).local_pref is None
    assert heard(builders.a_peer(asn=64512, attributes=asked)).local_pref == 200


def test_prepending_writes_the_whole_path_our_own_as_included() -> None:
    assert heard(builders.a_peer(prepend=2)).as_path == (64512, 64512, 64512)


def test_prepending_uses_the_local_as_of_the_session() -> None:
    assert heard(builders.a_peer(local_asn=65001, prepend=1)).as_path == (65001, 65001)


def test_without_prepending_the_path_is_left_to_exabgp() -> None:
    assert heard(builders.a_peer()).as_path == ()


def test_an_internal_peer_is_never_prepended_to() -> None:
    assert heard(builders.a_peer(asn=64512, prepend=2)).as_path == ()
