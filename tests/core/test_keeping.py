"""What stands, stays: absence ends no session and no route; what says so, does."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import keeping
from tests.support import builders
from tests.support.builders import NODE_IP, NODE_IP6, START, TOR_A

SECOND = ipaddress.ip_address("192.0.2.77")
THIRD = ipaddress.ip_address("192.0.2.78")
SECRET, NEW_SECRET = model.Secret("opensesame"), model.Secret("changed")
LABELS_GONE = START + keeping.LABELS_KEPT_FOR

RACK_A = config.Selector(
    requirements=(
        config.Requirement(key="rack", operator=config.Operator.IN, values=frozenset({"a"})),
    )
)


def host(*addresses: model.Address, lost: tuple[model.Address, ...] = ()) -> events.HostSeen:
    """Return a host whose one interface has these addresses, and none that has the lost ones."""
    found = {address: (address, *addresses) for address in addresses}
    return events.HostSeen(addresses={**found, **dict.fromkeys(lost, ())})


def one_peer(**changes: Any) -> config.Config:
    return builders.a_config(peers=(builders.a_peer(**changes),))


def seen(world: World, now: float = START, **facts: Any) -> World:
    """Return a world after its Node was seen once more."""
    return builders.after(world, events.NodeSeen(node=builders.a_node(**facts)), now=now)


def session(world: World, now: float = START) -> model.Neighbor | None:
    """Return the session with the one peer."""
    found = builders.decided(world, now).neighbors or ()
    return next(iter(found), None)


def local(world: World, now: float = START) -> model.Address | None:
    found = session(world, now)
    return None if found is None else found.local_address


def missing(world: World, now: float = START) -> list[str]:
    return [str(each.cause) for each in builders.decided(world, now).missing]


def restarted(world: World, *first: events.Event, settings: config.Config) -> World:
    """Return the world of the next process of the pod, which has read what was in use."""
    recalled = events.UseRecalled(in_use=world.in_use)
    return builders.after(
        World(started=START), recalled, events.ConfigLoaded(config=settings), *first
    )


class TestTheAddressOfASession:
    """The router knows the node by it."""

    @pytest.mark.parametrize("listed", [(), (NODE_IP6,), (SECOND, NODE_IP), (SECOND,)])
    def test_stays_for_as_long_as_the_host_has_it(self, listed: tuple[model.Address, ...]) -> None:
        world = builders.a_serving_world(host(NODE_IP, NODE_IP6, SECOND))
        before = builders.decided(world).neighbors

        world = seen(world, internal_ips=listed)

        assert builders.decided(world).neighbors == before

    def test_stays_where_the_host_was_not_looked_at(self) -> None:
        world = seen(builders.a_serving_world(), internal_ips=(SECOND,))

        assert local(world) == NODE_IP

    def test_is_chosen_anew_once_the_host_has_lost_it(self) -> None:
        world = seen(builders.a_serving_world(), internal_ips=(SECOND,))

        world = builders.after(world, host(SECOND, lost=(NODE_IP,)))

        assert local(world) == SECOND

    def test_returns_when_a_makeshift_never_had_a_session(self) -> None:
        """An interface is set up anew in the moment of a look: the router expects the old one."""
        world = seen(builders.a_serving_world(), internal_ips=(SECOND, NODE_IP))
        world = builders.after(world, host(SECOND, lost=(NODE_IP,)))
        assert local(world) == SECOND

        world = builders.after(world, builders.down(), host(NODE_IP, SECOND))

        assert local(world) == NODE_IP

    def test_moves_for_good_once_the_new_one_had_a_session(self) -> None:
        world = builders.a_serving_world(
            settings=one_peer(), node=builders.a_node(internal_ips=(NODE_IP, SECOND))
        )
        world = builders.after(world, host(SECOND, lost=(NODE_IP,)))
        up = events.SessionChanged(peer=TOR_A, state="up", local=SECOND)

        world = builders.after(world, up, host(NODE_IP, SECOND))

        assert local(world) == SECOND

    def test_stays_although_the_host_lost_it_where_there_is_no_other(self) -> None:
        """What else: the session can only be tried, and the address may come back."""
        world = builders.a_serving_world(host(NODE_IP))

        world = seen(world, internal_ips=())
        world = builders.after(world, host(lost=(NODE_IP,)))

        assert local(world) == NODE_IP

    def test_follows_an_edit_of_the_settings(self) -> None:
        world = builders.a_serving_world(host(NODE_IP, SECOND), settings=one_peer())

        world = builders.after(world, events.ConfigLoaded(config=one_peer(local_address=SECOND)))
        assert local(world) == SECOND
        up = events.SessionChanged(peer=TOR_A, state="up", local=SECOND)
        world = builders.after(world, up, events.ConfigLoaded(config=one_peer()))

        assert local(world) == NODE_IP

    def test_outlives_the_process(self) -> None:
        world = builders.a_serving_world(settings=one_peer())
        bare = builders.a_node(internal_ips=(SECOND,))

        world = restarted(world, events.NodeSeen(node=bare), settings=one_peer())

        assert local(world) == NODE_IP

    def test_found_by_a_route_outlives_the_process_and_the_route(self) -> None:
        settings = one_peer(local_address=config.LocalAddress.ROUTE)
        world = builders.a_serving_world(
            events.HostSeen(sources={TOR_A: SECOND}), settings=settings
        )

        world = restarted(world, events.NodeSeen(node=builders.a_node()), settings=settings)

        assert local(world) == SECOND

    def test_of_a_session_that_never_was_up_is_the_first_that_the_node_has_here(self) -> None:
        world = builders.a_world(host(THIRD, NODE_IP, lost=(SECOND,)), settings=one_peer())

        world = seen(world, internal_ips=(SECOND, THIRD, NODE_IP))

        assert local(world) == THIRD

    def test_that_the_node_does_not_list_is_still_guarded(self) -> None:
        """A prefix that covers the node's own address would draw the routers' traffic for it."""
        covering = builders.a_config(service_cidrs=builders.networks("192.0.0.0/16"))
        world = builders.a_serving_world(settings=covering)

        world = seen(world, internal_ips=())

        reasons = builders.reasons(builders.decided(world), builders.SERVICES)
        assert reasons == {f"not-allowed:covers {NODE_IP}, an address of this node or of a peer"}

    def test_that_the_node_does_not_list_is_named(self) -> None:
        world = seen(builders.a_serving_world(settings=one_peer()), internal_ips=())

        assert missing(world) == [f"address-missing:{NODE_IP}"]


class TestTheRouterId:
    """Another one ends every session of the node."""

    @pytest.mark.parametrize("listed", [(), (SECOND, NODE_IP), (SECOND,)])
    def test_stays_while_the_host_has_the_address(self, listed: tuple[model.Address, ...]) -> None:
        world = builders.a_serving_world(host(NODE_IP, SECOND))

        world = seen(world, internal_ips=listed)

        assert {each.router_id for each in builders.decided(world).neighbors or ()} == {NODE_IP}

    def test_is_chosen_anew_once_the_host_has_lost_the_address(self) -> None:
        world = seen(builders.a_serving_world(), internal_ips=(SECOND,))

        world = builders.after(world, host(SECOND, lost=(NODE_IP,)))

        assert {each.router_id for each in builders.decided(world).neighbors or ()} == {SECOND}

    def test_made_from_the_name_stays_when_the_node_gets_an_ipv4_address(self) -> None:
        """It never was an address, so the host has not lost it."""
        only6 = builders.a_node(internal_ips=(NODE_IP6,))
        peer = builders.a_peer(address=ipaddress.ip_address("2001:db8::1"))
        world = builders.a_serving_world(node=only6, settings=builders.a_config(peers=(peer,)))
        found = session(world)
        assert found is not None

        world = builders.after(seen(world), host(NODE_IP, NODE_IP6, lost=(found.router_id,)))

        assert session(world) == found

    def test_is_free_to_be_the_better_one_before_the_first_session(self) -> None:
        """A Node that has just registered may list its IPv6 address first."""
        world = builders.a_world(node=builders.a_node(internal_ips=(NODE_IP6,)))

        world = seen(world)

        assert {each.router_id for each in builders.decided(world).neighbors or ()} == {NODE_IP}

    def test_follows_an_edit_of_the_settings_and_its_undoing(self) -> None:
        world = builders.a_serving_world(settings=one_peer())
        written = ipaddress.IPv4Address("10.0.0.3")
        edited = builders.a_config(peers=one_peer().peers, router_id=written)

        world = builders.after(world, events.ConfigLoaded(config=edited))
        first = session(world)
        world = builders.after(world, events.ConfigLoaded(config=one_peer()))
        second = session(world)

        assert first is not None
        assert second is not None
        assert (first.router_id, second.router_id) == (written, NODE_IP)

    def test_outlives_the_process(self) -> None:
        world = builders.a_serving_world(settings=one_peer())
        moved = builders.a_node(internal_ips=(SECOND, NODE_IP))

        world = restarted(world, events.NodeSeen(node=moved), settings=one_peer())

        found = session(world)
        assert found is not None
        assert found.router_id == NODE_IP


class TestALabelThatSelectsAPeer:
    """Feature discovery takes its labels off and puts them on again when it restarts."""

    def test_still_does_for_half_a_minute_after_it_is_gone(self) -> None:
        world = seen(builders.a_serving_world(settings=one_peer(selector=RACK_A)), labels={})

        assert session(world, LABELS_GONE - 0.1) is not None
        assert builders.turn(world).judgement.deadline == LABELS_GONE
        assert session(world, LABELS_GONE) is None

    def test_that_is_back_in_time_has_cost_nothing(self) -> None:
        world = seen(builders.a_serving_world(settings=one_peer(selector=RACK_A)), labels={})

        world = seen(world, START + 20)

        assert session(world, START + 200) is not None

    def test_has_its_whole_time_again_after_it_was_back(self) -> None:
        world = seen(builders.a_serving_world(settings=one_peer(selector=RACK_A)), labels={})

        world = seen(seen(world, START + 20), START + 25, labels={})

        assert session(world, START + 54) is not None
        assert session(world, START + 55) is None

    def test_with_another_value_says_so_at_once(self) -> None:
        world = builders.a_serving_world(settings=one_peer(selector=RACK_A))

        assert session(seen(world, labels={"rack": "b"})) is None

    def test_that_is_gone_does_not_select_another_peer_meanwhile(self) -> None:
        no_rack = config.Requirement(key="rack", operator=config.Operator.DOES_NOT_EXIST)
        selector = config.Selector(requirements=(no_rack,))

        world = seen(builders.a_world(settings=one_peer(selector=selector)), labels={})

        assert session(world) is None
        assert session(world, LABELS_GONE) is not None

    def test_that_is_gone_is_named(self) -> None:
        world = seen(builders.a_serving_world(settings=one_peer(selector=RACK_A)), labels={})

        assert missing(world) == ["label-missing:rack"]
        assert missing(world, LABELS_GONE) == []

    def test_has_its_time_in_the_next_process_too(self) -> None:
        settings = one_peer(selector=RACK_A)
        world = builders.a_serving_world(settings=settings)
        bare = builders.a_node(labels={})

        world = restarted(world, events.NodeSeen(node=bare), settings=settings)

        assert session(world, LABELS_GONE - 0.1) is not None
        assert session(world, LABELS_GONE) is None

    def test_of_load_balancers_is_no_such_label(self) -> None:
        """Taken off, it says that the node is to be announced again."""
        label = "node.kubernetes.io/exclude-from-external-load-balancers"
        world = builders.a_world(node=builders.a_node(labels={label: ""}))

        world = seen(world, labels={})

        assert "excluded" not in {str(cause) for cause in world.causes}


class TestAPassword:
    """A Secret, or a key of it, is deleted and made anew, pruned or renamed."""

    def known(self, key: str = "tor-a") -> World:
        loaded = events.ConfigLoaded(config=one_peer(password_from=key), passwords={key: SECRET})
        return builders.a_world(loaded)

    def test_that_vanished_is_still_used(self) -> None:
        before = session(self.known())

        world = builders.after(
            self.known(), events.ConfigLoaded(config=one_peer(password_from="tor-a"))
        )

        assert before is not None
        assert before.password == SECRET
        assert session(world) == before

    def test_that_vanished_is_named_and_the_peer_is_not_held(self) -> None:
        world = builders.after(
            self.known(), events.ConfigLoaded(config=one_peer(password_from="tor-a"))
        )

        assert missing(world) == ["password-missing:tor-a"]
        assert builders.decided(world).peers_held == ()

    def test_that_is_there_again_with_another_text_takes_effect(self) -> None:
        settings = one_peer(password_from="tor-a")
        world = builders.after(self.known(), events.ConfigLoaded(config=settings))

        loaded = events.ConfigLoaded(config=settings, passwords={"tor-a": NEW_SECRET})
        world = builders.after(world, loaded)

        found = session(world)
        assert found is not None
        assert found.password == NEW_SECRET
        assert missing(world) == []

    def test_under_a_new_key_that_is_not_there_yet_is_the_one_that_was(self) -> None:
        """The ConfigMap and the Secret are edited together and arrive a minute apart."""
        world = builders.after(
            self.known(), events.ConfigLoaded(config=one_peer(password_from="tor-a-new"))
        )

        found = session(world)
        assert found is not None
        assert found.password == SECRET
        assert missing(world) == ["password-missing:tor-a-new"]

    def test_that_the_settings_ask_for_no_more_is_gone(self) -> None:
        world = builders.after(self.known(), events.ConfigLoaded(config=one_peer()))
        found = session(world)
        assert found is not None
        assert found.password is None

        world = builders.after(world, events.ConfigLoaded(config=one_peer(password_from="tor-a")))

        assert session(world) is None

    def test_that_never_was_there_lets_nobody_connect(self) -> None:
        world = builders.a_serving_world(settings=one_peer())

        world = builders.after(world, events.ConfigLoaded(config=one_peer(password_from="tor-a")))

        (held,) = builders.decided(world).peers_held
        assert str(held.cause) == "password-missing:tor-a"

    def test_of_one_peer_is_none_of_another(self) -> None:
        peers = (
            builders.a_peer(password_from="tor-a"),
            builders.a_peer("tor-b", builders.TOR_B, password_from="tor-b"),
        )
        world = builders.after(
            self.known(), events.ConfigLoaded(config=builders.a_config(peers=peers))
        )

        assert [each.name for each in builders.decided(world).neighbors or ()] == ["tor-a"]

    def test_outlives_the_process(self) -> None:
        settings = one_peer(password_from="tor-a")

        world = restarted(self.known(), events.NodeSeen(node=builders.a_node()), settings=settings)

        found = session(world)
        assert found is not None
        assert found.password == SECRET


class TestThePodRange:
    """The API server lets it be set once: it cannot leave the object."""

    @pytest.mark.parametrize("left", [(), (builders.POD_RANGE,)])
    def test_that_the_same_object_lacks_stays(self, left: tuple[model.Network, ...]) -> None:
        world = seen(builders.a_world(), pod_cidrs=left)

        assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)
        assert missing(world) == [
            f"no-pod-cidr:{each}"
            for each in (builders.POD_RANGE, builders.POD_RANGE6)
            if each not in left
        ]

    def test_that_the_same_object_has_instead_counts(self) -> None:
        (other,) = builders.networks("10.244.9.0/24")

        world = seen(builders.a_world(), pod_cidrs=(other,))

        assert other in builders.announced(builders.decided(world))
        assert builders.POD_RANGE not in builders.announced(builders.decided(world))

    def test_that_the_same_object_lacks_stays_in_the_next_process(self) -> None:
        settings = one_peer()
        world = builders.a_world(settings=settings)
        bare = builders.a_node(pod_cidrs=())

        world = restarted(world, events.NodeSeen(node=bare), settings=settings)

        assert builders.POD_RANGE in builders.announced(builders.decided(world))


def test_a_host_that_cannot_be_looked_at_changes_nothing() -> None:
    world = builders.a_serving_world(host(NODE_IP, NODE_IP6))
    before = builders.decided(world)

    world = builders.after(world, events.HostLost(problem="too many open files"))

    assert builders.decided(world).routes == before.routes
    assert builders.decided(world).neighbors == before.neighbors
    assert missing(world) == ["host-unseen:too many open files"]
    assert missing(builders.after(world, host(NODE_IP, NODE_IP6))) == []


def test_an_api_without_service_ranges_takes_none_away_and_is_named() -> None:
    settings = builders.a_config(service_cidrs=None)
    ranges = events.ServiceCidrsSeen(cidrs=(builders.SERVICE_RANGE,))
    world = builders.a_world(ranges, settings=settings)

    world = builders.after(world, events.ServiceCidrsSeen(cidrs=()))

    assert builders.SERVICE_RANGE in builders.announced(builders.decided(world))
    assert missing(world) == ["no-service-cidr"]


def test_no_password_is_shown_of_what_is_in_use() -> None:
    world = TestAPassword().known()

    assert SECRET.reveal() not in repr(world)


def test_one_range_of_several_that_the_api_lists_no_more_is_withdrawn() -> None:
    """The list is complete, and Kubernetes lets none go that has an address in use."""
    both = (builders.SERVICE_RANGE, builders.SERVICE_RANGE6)
    settings = builders.a_config(service_cidrs=None)
    world = builders.a_world(events.ServiceCidrsSeen(cidrs=both), settings=settings)

    world = builders.after(world, events.ServiceCidrsSeen(cidrs=both[:1]))

    announced = builders.announced(builders.decided(world))
    assert announced & frozenset(both) == {builders.SERVICE_RANGE}
    assert missing(world) == []


def test_a_check_that_vanishes_from_the_settings_takes_no_route() -> None:
    checked = builders.a_config(checks=(builders.a_check(),))
    world = builders.a_serving_world(builders.outcome(is_ok=True), settings=checked)

    world = builders.after(world, events.ConfigLoaded(config=builders.a_config()))

    assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)
