"""The guards that no setting lifts: what is never announced, and to whom nothing can be said."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest

from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.core.facts.world import World
from tests.support import builders
from tests.support.builders import PODS, SERVICES

AUTO = builders.a_config(service_cidrs=None)


def withheld(decision_of: config.Config, *happened: events.Event, **facts: object) -> str:
    """Return the only reason for which the only withheld prefix is withheld."""
    world = builders.a_world(*happened, settings=decision_of, node=builders.a_node(**facts))
    (found,) = builders.decided(world).withheld
    (cause,) = found.causes
    assert found.action is model.Action.WITHDRAW
    return str(cause)


def test_a_pod_range_outside_of_the_allowed_ones_is_not_announced() -> None:
    pod_cidrs = builders.networks("10.245.3.0/24", "fd00:10:244:3::/64")

    said = withheld(builders.a_config(), pod_cidrs=pod_cidrs)

    assert said == "not-allowed:outside of the allowed 10.244.0.0/16 fd00:10:244::/48"


def test_a_pod_range_wider_than_the_allowed_one_is_not_announced() -> None:
    said = withheld(builders.a_config(), pod_cidrs=builders.networks("10.244.0.0/15"))

    assert said.startswith("not-allowed:outside")


@pytest.mark.parametrize("default", ["0.0.0.0/0", "::/0"])
def test_a_default_route_is_never_announced(default: str) -> None:
    settings = builders.a_config(service_cidrs=builders.networks(default))

    assert withheld(settings) == "not-allowed:a default route is never announced"


@pytest.mark.parametrize("uplink", ["10.96.8.0/24", "10.0.0.0/8", "10.96.0.0/16"])
def test_a_prefix_that_overlaps_the_uplink_network_is_not_announced(uplink: str) -> None:
    seen = events.HostSeen(uplinks=frozenset(builders.networks(uplink, "2001:db8::/64")))

    said = withheld(builders.a_config(pods_within=()), seen)

    assert said == f"not-allowed:overlaps the node's own uplink network {uplink}"


OVERLAP = {
    "overlap_allowed": frozenset({model.PrefixClass.SERVICES}),
    "pods_within": (),
    "service_cidrs": builders.networks("10.96.0.0/16"),
}
FLAT = events.HostSeen(uplinks=frozenset(builders.networks("10.0.0.0/8")))


def test_a_part_of_the_uplink_network_is_announced_where_the_settings_say_so() -> None:
    world = builders.a_world(FLAT, settings=builders.a_config(**OVERLAP))

    assert builders.decided(world).withheld == ()


def test_what_is_allowed_for_the_services_is_not_allowed_for_the_pods() -> None:
    settings = builders.a_config(**OVERLAP | {"pods_within": builders.networks("10.244.0.0/16")})

    said = withheld(settings, FLAT, pod_cidrs=builders.networks("10.244.3.0/24"))

    assert said == "not-allowed:overlaps the node's own uplink network 10.0.0.0/8"


@pytest.mark.parametrize("uplink", ["10.96.0.0/16", "10.96.8.0/24"])
def test_no_setting_lets_the_whole_uplink_network_be_announced(uplink: str) -> None:
    seen = events.HostSeen(uplinks=frozenset(builders.networks(uplink)))

    said = withheld(builders.a_config(**OVERLAP), seen)

    assert said == (
        f"not-allowed:covers the node's own uplink network {uplink}, which is never announced"
    )


def test_no_setting_lets_a_part_with_the_node_or_a_peer_in_it_be_announced() -> None:
    flat = events.HostSeen(uplinks=frozenset(builders.networks("192.0.0.0/8")))
    settings = builders.a_config(**OVERLAP | {"service_cidrs": builders.networks("192.0.2.0/24")})

    assert withheld(settings, flat).startswith("not-allowed:covers 192.0.2.")


def test_no_setting_lets_a_part_with_an_api_server_in_it_be_announced() -> None:
    server = ipaddress.IPv4Address("10.96.3.4")
    learned = events.KubeContact(servers=frozenset({server}))
    # A contact that tells no address takes none away.
    happened = (FLAT, learned, events.KubeContact())

    said = withheld(builders.a_config(**OVERLAP), *happened)

    assert said == "not-allowed:covers 10.96.3.4, the address of an API server"


def test_a_prefix_that_covers_the_node_is_not_announced() -> None:
    settings = builders.a_config(service_cidrs=builders.networks("192.0.2.8/29"))

    said = withheld(settings)

    assert said == "not-allowed:covers 192.0.2.11, an address of this node or of a peer"


def test_a_prefix_that_covers_a_peer_is_not_announced() -> None:
    settings = builders.a_config(service_cidrs=builders.networks("192.0.2.0/30"))

    assert withheld(settings).startswith("not-allowed:covers 192.0.2.1,")


@pytest.mark.fault(
    area="control plane",
    what="the podCIDR of the Node lies within a service range, or around it",
    sees="the service range; no such pod range",
    within="0 s",
)
@pytest.mark.parametrize("cidr", ["10.96.7.0/24", "10.96.0.0/16", "10.96.0.0/12"])
@pytest.mark.parametrize("source", ["settings", "API"])
def test_a_pod_range_that_overlaps_a_service_range_is_not_announced(
    cidr: str, source: str
) -> None:
    ranges = builders.networks("10.96.0.0/16")
    settings = builders.a_config(
        service_cidrs=ranges if source == "settings" else None,
        pods_within=builders.networks("10.0.0.0/8"),
    )
    seen = events.ServiceCidrsSeen(cidrs=ranges)

    said = withheld(settings, seen, pod_cidrs=builders.networks(cidr))

    assert said == "not-allowed:overlaps the service range 10.96.0.0/16"


def test_a_node_without_a_pod_range_says_so() -> None:
    assert withheld(builders.a_config(), pod_cidrs=()) == "no-pod-cidr"


def test_pods_are_not_spoken_of_where_the_settings_do_not_announce_them() -> None:
    settings = builders.a_config(pods_within=())

    decision = builders.decided(builders.a_world(settings=settings))

    assert builders.reasons(decision, PODS) == frozenset()
    assert builders.announced(decision) == {builders.SERVICE_RANGE, builders.SERVICE_RANGE6}


def test_a_guard_stands_beside_the_causes() -> None:
    world = builders.a_world(node=builders.a_node(pod_cidrs=(), is_unschedulable=True))

    assert builders.reasons(builders.decided(world), PODS) == {"no-pod-cidr", "cordoned"}


class TestAutomaticServiceRanges:
    """``cidrs: auto``: the ServiceCIDR objects of the API."""

    SEEN = events.ServiceCidrsSeen(cidrs=(builders.SERVICE_RANGE,))

    def test_are_announced_once_seen(self) -> None:
        decision = builders.decided(builders.a_world(self.SEEN, settings=AUTO))

        assert builders.SERVICE_RANGE in builders.announced(decision)

    def test_are_waited_for(self) -> None:
        assert withheld(AUTO) == "starting:ServiceCIDRs not seen yet"

    def test_may_be_absent(self) -> None:
        assert withheld(AUTO, events.ServiceCidrsSeen(cidrs=())) == "no-service-cidr"

    def test_are_not_taken_away_by_an_empty_list(self) -> None:
        """Every cluster has one: such a list is of an API server that is new, or wrong."""
        emptied = events.ServiceCidrsSeen(cidrs=())
        seen = builders.a_world(self.SEEN, emptied, settings=AUTO)
        standing = builders.a_serving_world(self.SEEN, settings=AUTO)
        respawned = builders.after(builders.a_world(emptied, settings=AUTO), *reread(standing))

        assert builders.SERVICE_RANGE in builders.announced(builders.decided(seen))
        assert builders.SERVICE_RANGE in builders.decided(respawned).kept

    def test_must_lie_inside_the_ranges_the_settings_name(self) -> None:
        settings = builders.a_config(
            service_cidrs=None, services_within=builders.networks("10.97.0.0/16")
        )

        assert withheld(settings, self.SEEN) == "not-allowed:outside of the allowed 10.97.0.0/16"

    def test_that_stand_stay_until_the_api_names_them(self) -> None:
        """A new agent sees its Node before the ServiceCIDRs: no flap in between."""
        standing = builders.a_serving_world(self.SEEN, settings=AUTO)
        respawned = builders.a_world(settings=AUTO)

        decision = builders.decided(builders.after(respawned, *reread(standing)))

        assert builders.SERVICE_RANGE in decision.kept

    def test_that_stand_are_withdrawn_by_a_drain_though_unnamed(self) -> None:
        standing = builders.a_serving_world(self.SEEN, settings=AUTO)
        respawned = builders.a_world(events.DrainAsked(), settings=AUTO)

        decision = builders.decided(builders.after(respawned, *reread(standing)))

        assert (decision.kept, decision.routes) == (frozenset(), {})


def reread(world: World) -> tuple[events.Event, ...]:
    """Return what a new agent reads from an ExaBGP that an earlier one left so."""
    rib = world.rib or {}
    return (
        events.NeighborsRead(rows=tuple(builders.a_row(peer) for peer in rib)),
        events.RibRead(
            routes=tuple(route for held in rib.values() for route in held.routes.values())
        ),
    )


class TestNextHop:
    """An address of the interface that the session uses, in every family."""

    SOURCE = ipaddress.ip_address("198.51.100.7")
    SOURCE6 = ipaddress.ip_address("2001:db8:1::7")
    ELSEWHERE = builders.a_config(peers=(builders.a_peer(local_address=SOURCE),))

    def hops(
        self, *happened: events.Event, settings: config.Config = ELSEWHERE
    ) -> tuple[model.Address | None, model.Address | None]:
        """Return the next hops of the two service ranges."""
        routes = builders.decided(builders.a_world(*happened, settings=settings)).routes or {}
        hops = {prefix: route.next_hop for (_, prefix), route in routes.items()}
        return hops.get(builders.SERVICE_RANGE), hops.get(builders.SERVICE_RANGE6)

    def test_is_the_local_address_of_the_session_and_one_beside_it(self) -> None:
        beside = (self.SOURCE, self.SOURCE6)
        seen = events.HostSeen(addresses={self.SOURCE: beside})

        assert self.hops(seen) == (self.SOURCE, self.SOURCE6)

    def test_is_never_one_of_another_interface(self) -> None:
        """The router may hold it unreachable while we say announced."""
        seen = events.HostSeen(addresses={self.SOURCE: (self.SOURCE,)})
        world = builders.a_world(seen, settings=self.ELSEWHERE)

        assert self.hops(seen) == (self.SOURCE, None)
        assert builders.reasons(builders.decided(world), SERVICES) == {"no-next-hop:ipv6"}

    def test_is_not_guessed_where_the_host_was_not_looked_at(self) -> None:
        assert self.hops() == (self.SOURCE, None)

    def test_is_the_one_that_the_node_lists_before_others_beside_it(self) -> None:
        beside = (builders.NODE_IP, self.SOURCE6, builders.NODE_IP6)
        seen = events.HostSeen(addresses={builders.NODE_IP: beside})

        hops = self.hops(seen, settings=builders.a_config())

        assert hops == (builders.NODE_IP, builders.NODE_IP6)

    def test_stays_while_the_interface_has_it(self) -> None:
        first = events.HostSeen(addresses={self.SOURCE: (self.SOURCE, self.SOURCE6)})
        better = (self.SOURCE, builders.NODE_IP6, self.SOURCE6)
        then = events.HostSeen(addresses={self.SOURCE: better})

        assert self.hops(first, then) == (self.SOURCE, self.SOURCE6)

    def test_moves_with_the_session(self) -> None:
        first = events.HostSeen(addresses={self.SOURCE: (self.SOURCE, self.SOURCE6)})
        moved = ipaddress.ip_address("203.0.113.7")
        there = ipaddress.ip_address("2001:db8:2::7")
        peers = (builders.a_peer(local_address=moved),)
        edited = events.ConfigLoaded(config=builders.a_config(peers=peers))
        then = events.HostSeen(addresses={moved: (moved, there)})

        assert self.hops(first, edited, then) == (moved, there)

    def test_stays_with_a_session_that_has_not_moved_yet(self) -> None:
        first = events.HostSeen(addresses={self.SOURCE: (self.SOURCE, self.SOURCE6)})
        negotiated, changed = builders.up()
        assert isinstance(changed, events.SessionChanged)
        up = dataclasses.replace(changed, local=self.SOURCE)
        moved = ipaddress.ip_address("203.0.113.7")
        peers = (builders.a_peer(local_address=moved),)
        edited = events.ConfigLoaded(config=builders.a_config(peers=peers))
        there = ipaddress.ip_address("2001:db8:2::7")
        then = events.HostSeen(addresses={moved: (moved, there)})
        world = builders.a_world(first, negotiated, up, edited, then, settings=self.ELSEWHERE)

        (used,) = world.in_use.peers.values()
        assert used.next_hop == self.SOURCE6

    def test_of_a_family_that_the_node_lacks_is_missing(self) -> None:
        settings = builders.a_config(peers=(builders.a_peer(),), pods_within=())
        world = builders.a_world(
            settings=settings, node=builders.a_node(internal_ips=(builders.NODE_IP,))
        )

        decision = builders.decided(world)

        assert builders.announced(decision) == {builders.SERVICE_RANGE}
        assert builders.reasons(decision, SERVICES) == {"no-next-hop:ipv6"}
        assert decision.withheld[0].peer == "tor-a"

    def test_is_not_asked_for_in_a_family_that_the_peer_does_not_speak(self) -> None:
        peer = builders.a_peer(families=(model.Family.IPV4,))
        settings = builders.a_config(peers=(peer,))

        decision = builders.decided(builders.a_world(settings=settings))

        assert builders.announced(decision) == {builders.SERVICE_RANGE, builders.POD_RANGE}
        assert {str(cause) for each in decision.withheld for cause in each.causes} == {
            "no-peer:ipv6"
        }
