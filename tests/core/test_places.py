"""Our own end of a session, and the next hop, where the settings say on which interface it is."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from exabgp_k8s.core.facts import config, events, model, places
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import addresses
from tests.support import builders
from tests.support.builders import NODE_IP, TOR_A

BOND = places.OnInterface(interface="bond0")
STORAGE = places.InSubnet(subnet=ipaddress.ip_network("198.51.100.0/24"))
FIRST, SECOND, THIRD = (
    ipaddress.ip_interface(each) for each in ("203.0.113.5/24", "192.0.2.88/24", "203.0.113.6/24")
)
FIRST6 = ipaddress.ip_interface("2001:db8:7::5/64")


def host(*there: places.Interface, place: places.Place = BOND) -> events.HostSeen:
    """Return a host where a place has these addresses."""
    ips = tuple(each.ip for each in there)
    return events.HostSeen(places={place: there}, addresses=dict.fromkeys(ips, ips))


def nothing(place: places.Place = BOND) -> events.HostSeen:
    return events.HostSeen(places={place: None})


def one_peer(**changes: Any) -> config.Config:
    return builders.a_config(peers=(builders.a_peer(**{"local_address": BOND} | changes),))


def a_world(*happened: events.Event, **changes: Any) -> World:
    return builders.a_world(*happened, settings=one_peer(**changes))


def up(local: places.Interface) -> events.SessionChanged:
    return events.SessionChanged(peer=TOR_A, state="up", local=local.ip)


def local(world: World) -> model.Address | None:
    found = builders.decided(world).neighbors or ()
    return next((each.local_address for each in found), None)


def held(world: World) -> list[str]:
    return [str(each.cause) for each in builders.decided(world).peers_held]


def missing(world: World) -> list[str]:
    return [str(each.cause) for each in builders.decided(world).missing]


def hops(world: World) -> set[str]:
    return {str(each.next_hop) for each in (builders.decided(world).routes or {}).values()}


def withheld(world: World) -> set[str]:
    decision = builders.decided(world)
    return {str(cause) for each in decision.withheld for cause in each.causes}


class TestTheEndOfASession:
    """It is an address of the interface or of the network."""

    def test_is_the_interfaces_address(self) -> None:
        assert local(a_world(host(FIRST))) == FIRST.ip

    def test_is_the_hosts_address_in_the_subnet(self) -> None:
        there = ipaddress.ip_interface("198.51.100.9/24")

        assert local(a_world(host(there, place=STORAGE), local_address=STORAGE)) == there.ip

    def test_is_the_one_in_the_routers_own_network_where_there_are_several(self) -> None:
        assert local(a_world(host(FIRST, SECOND))) == SECOND.ip

    def test_is_else_the_one_that_the_node_names(self) -> None:
        node = builders.a_node(internal_ips=(THIRD.ip,))
        world = builders.a_world(host(FIRST, THIRD), settings=one_peer(), node=node)

        assert local(world) == THIRD.ip

    def test_stays_while_it_is_there_whatever_comes_beside_it(self) -> None:
        world = a_world(host(FIRST), up(FIRST), host(SECOND, FIRST))

        assert local(world) == FIRST.ip

    def test_follows_when_the_interface_has_another_instead(self) -> None:
        assert local(a_world(host(FIRST), up(FIRST), host(THIRD))) == THIRD.ip

    @pytest.mark.parametrize("seen", [host(), nothing()])
    def test_is_kept_and_missed_when_the_interface_loses_it(self, seen: events.HostSeen) -> None:
        world = a_world(host(FIRST), up(FIRST), seen)

        assert (local(world), missing(world)) == (FIRST.ip, [f"address-missing:{FIRST.ip}"])

    def test_is_kept_over_a_restart_where_the_host_cannot_be_seen(self) -> None:
        used = a_world(host(FIRST), up(FIRST)).in_use
        recalled = events.UseRecalled(in_use=used)
        lost = events.HostLost(problem="no descriptors")
        loaded = events.ConfigLoaded(config=one_peer())
        seen = events.NodeSeen(node=builders.a_node())

        world = builders.after(World(started=builders.START), recalled, lost, loaded, seen)

        assert local(world) == FIRST.ip

    def test_is_not_moved_by_an_edit_to_words_that_mean_the_same_address(self) -> None:
        world = a_world(host(FIRST, THIRD), up(THIRD), local_address=THIRD.ip)

        world = builders.after(world, events.ConfigLoaded(config=one_peer()))

        assert local(world) == THIRD.ip

    @pytest.mark.parametrize(
        ("peer", "seen", "why"),
        [
            ({}, nothing(), "there is no interface bond0"),
            ({}, host(FIRST6), "interface bond0 has no ipv4 address"),
            ({}, events.HostSeen(), "interface bond0 not looked for yet"),
            (
                {"local_address": STORAGE},
                host(place=STORAGE),
                "no address of this host is in 198.51.100.0/24",
            ),
        ],
    )
    def test_is_held_with_the_reason_where_there_never_was_one(
        self, peer: dict[str, Any], seen: events.HostSeen, why: str
    ) -> None:
        assert held(a_world(seen, **peer)) == [f"no-local-address:{why}"]

    def test_is_guarded_from_being_announced(self) -> None:
        inside = ipaddress.ip_interface("10.96.0.7/32")

        assert any(each.startswith("not-allowed") for each in withheld(a_world(host(inside))))


class TestTheNextHop:
    """It follows the session, or is what the settings name."""

    def test_of_both_families_is_on_the_interface(self) -> None:
        assert hops(a_world(host(FIRST, FIRST6))) == {str(FIRST.ip), str(FIRST6.ip)}

    def test_may_be_the_nodes_own_address(self) -> None:
        world = a_world(host(FIRST, FIRST6), next_hop=config.LocalAddress.NODE)

        assert hops(world) == {str(each) for each in builders.a_node().internal_ips}

    def test_may_be_on_another_interface(self) -> None:
        other = places.OnInterface(interface="lo")
        seen = events.HostSeen(places={BOND: (FIRST,), other: (THIRD, FIRST6)})

        assert hops(a_world(seen, next_hop=other)) == {str(THIRD.ip), str(FIRST6.ip)}

    def test_that_is_an_address_is_of_its_own_family_only(self) -> None:
        seen = events.HostSeen(
            places={BOND: (FIRST, FIRST6)},
            addresses={FIRST.ip: (FIRST.ip, FIRST6.ip), THIRD.ip: (THIRD.ip,)},
        )

        assert hops(a_world(seen, next_hop=THIRD.ip)) == {str(THIRD.ip), str(FIRST6.ip)}

    @pytest.mark.parametrize("there", [{}, {THIRD.ip: ()}])
    def test_that_the_host_is_not_known_to_have_is_never_announced(
        self, there: dict[model.Address, tuple[model.Address, ...]]
    ) -> None:
        seen = events.HostSeen(places={BOND: (FIRST,)}, addresses={FIRST.ip: (FIRST.ip,), **there})
        world = a_world(seen, next_hop=THIRD.ip)

        assert hops(world) == set()
        assert f"no-next-hop:ipv4: {THIRD.ip} is not on this host" in withheld(world)

    def test_goes_on_where_the_host_cannot_be_seen_any_more(self) -> None:
        seen = events.HostSeen(
            places={BOND: (FIRST,)}, addresses={FIRST.ip: (FIRST.ip,), THIRD.ip: (THIRD.ip,)}
        )
        world = a_world(seen, next_hop=THIRD.ip, families=(model.Family.IPV4,))

        world = builders.after(world, events.HostLost(problem="no descriptors"))

        assert hops(world) == {str(THIRD.ip)}


def test_places_are_looked_for_only_where_the_peer_is_meant_for_the_node() -> None:
    rack = config.Requirement(key="rack", operator=config.Operator.IN, values=frozenset({"b"}))
    elsewhere = builders.a_peer(
        "tor-b",
        builders.TOR_B,
        local_address=STORAGE,
        selector=config.Selector(requirements=(rack,)),
    )
    settings = builders.a_config(peers=(builders.a_peer(local_address=BOND), elsewhere))
    world = builders.a_world(settings=settings)

    wanted = addresses.looked_for(world, builders.a_node(), settings)

    assert wanted.places.places == {BOND}
    assert NODE_IP in wanted.addresses
    assert {builders.SERVICE_RANGE, builders.POD_RANGE} <= wanted.places.inner
