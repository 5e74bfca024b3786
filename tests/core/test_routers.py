"""Routers that the node finds itself: its default gateway, or what an annotation says."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, in_use, links, model, routers
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import addresses as looking
from exabgp_k8s.core.judge.routers import MOVED_AFTER
from exabgp_k8s.core.report import rows, summary
from exabgp_k8s.settings import addresses
from exabgp_k8s.wire import in_use as in_use_text
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B

KEY = "example.com/router"
GATEWAY = routers.Gateway(family=model.Family.IPV4)
ANNOTATED = routers.Annotated(key=KEY)
BY_ROUTE = "router-missing:default gateway of ipv4"
BY_NOTE = f"router-missing:annotation {KEY}"


def at(text: str) -> model.Address:
    return ipaddress.ip_address(text)


def sought(where: routers.Where = GATEWAY, name: str = "gw", **changes: object) -> config.Sought:
    said = config.Entry(name=name, asn=64513, local_asn=64512).at(where)
    assert isinstance(said, config.Sought)
    return dataclasses.replace(said, **changes)  # type: ignore[arg-type]


def settings(*found: config.Sought, peers: tuple[config.Peer, ...] = ()) -> config.Config:
    return builders.a_config(peers=peers, sought=found)


def seen(*gateways: model.Address) -> events.HostSeen:
    found = {model.Family.IPV4: gateways} if gateways else {}
    return events.HostSeen(gateways=found)


def noted(value: str | None) -> model.NodeFacts:
    return builders.a_node(annotations={} if value is None else {KEY: value})


def by_route(*gateways: model.Address, found: config.Config | None = None) -> World:
    return builders.a_serving_world(seen(*gateways), settings=found or settings(sought()))


def by_note(value: str | None, found: config.Config | None = None) -> World:
    return builders.a_serving_world(
        settings=found or settings(sought(ANNOTATED)), node=noted(value)
    )


def after(world: World, event: events.Event, now: float = START) -> World:
    return step.step(world, (event,), now).world


def where(world: World, now: float = START) -> list[model.Address]:
    return [each.address for each in builders.decided(world, now).neighbors or ()]


def held(world: World) -> dict[str, str]:
    return {each.name: str(each.cause) for each in builders.decided(world).peers_held}


def missing(world: World, now: float = START) -> list[str]:
    return [str(each.cause) for each in builders.decided(world, now).missing]


class TestADefaultGateway:
    """The one that the kernel uses."""

    def test_is_the_peers_router(self) -> None:
        world = by_route(TOR_A)

        assert where(world) == [TOR_A]
        assert (held(world), missing(world)) == ({}, [])
        (row,) = rows.sessions(builders.turn(world), START)
        assert (row["peer"], row["address"], row["up"]) == ("gw", str(TOR_A), True)
        assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)

    def test_that_was_never_there_is_told_and_the_others_run(self) -> None:
        world = by_route(found=settings(sought(), peers=(builders.a_peer(),)))

        assert held(world) == {"gw": BY_ROUTE}
        assert where(world) == [TOR_A]
        shown = {row["peer"]: row for row in rows.sessions(builders.turn(world), START)}
        assert shown["gw"]["address"] is None
        assert (shown["gw"]["state"], shown["gw"]["problem"]) == ("Held", BY_ROUTE)
        assert summary.status(builders.turn(world), START)["held"][0]["cause"] == BY_ROUTE

    def test_of_the_other_family_is_none(self) -> None:
        six = events.HostSeen(gateways={model.Family.IPV6: (at("2001:db8::1"),)})

        assert held(builders.a_world(six, settings=settings(sought()))) == {"gw": BY_ROUTE}

    def test_that_is_gone_ends_nothing(self) -> None:
        world = after(by_route(TOR_A), seen())

        assert where(world) == [TOR_A]
        assert missing(world) == [BY_ROUTE]
        assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)

    def test_that_is_gone_outlives_the_process(self) -> None:
        kept = in_use_text.load(in_use_text.dump(by_route(TOR_A).in_use))
        assert kept is not None

        world = builders.after(
            World(started=START),
            events.UseRecalled(in_use=kept),
            events.ConfigLoaded(config=settings(sought())),
            events.NodeSeen(node=builders.a_node()),
        )

        assert where(world) == [TOR_A]

    def test_is_left_for_another_one_only_after_a_while(self) -> None:
        """While a link is set up anew the kernel has another route for some seconds."""
        world = after(by_route(TOR_A), seen(TOR_B))

        assert where(world) == [TOR_A]
        assert missing(world) == [f"{BY_ROUTE} is {TOR_B} now"]
        assert builders.judged(world).deadline == START + MOVED_AFTER
        assert where(world, START + MOVED_AFTER - 1) == [TOR_A]
        moved = builders.turn(world, START + MOVED_AFTER)
        assert [each.address for each in moved.decision.neighbors or ()] == [TOR_B]
        assert moved.decision.missing == ()

    def test_that_is_back_in_time_was_never_away(self) -> None:
        world = after(by_route(TOR_A), seen(TOR_B))
        world = after(world, seen(TOR_A), START + 10)
        world = after(world, seen(TOR_B), START + 20)

        assert where(world, START + MOVED_AFTER + 5) == [TOR_A]
        assert where(world, START + MOVED_AFTER + 20) == [TOR_B]

    def test_whose_session_is_lost_is_left_at_once(self) -> None:
        world = after(by_route(TOR_A), builders.down())

        assert where(after(world, seen(TOR_B))) == [TOR_B]

    def test_that_is_left_is_withdrawn_from_first(self) -> None:
        world = after(by_route(TOR_A), seen(TOR_B))

        turn = builders.turn(world, START + MOVED_AFTER)

        changes = builders.single(turn.commands)
        away = {each.route.peer for each in changes if isinstance(each, commands.Withdraw)}
        assert away == {TOR_A}

    def test_of_several_that_are_as_good_stays_the_same(self) -> None:
        assert where(by_route(TOR_A, TOR_B)) == [TOR_A]
        world = after(by_route(TOR_B), seen(TOR_A, TOR_B))
        assert where(world, START + 3600) == [TOR_B]

    def test_that_is_link_local_is_met_on_its_link(self) -> None:
        """As router advertisements have it."""
        six = routers.Gateway(family=model.Family.IPV6)
        router, own = at("fe80::1%eth0"), at("fe80::11%eth0")
        link = links.Link(own=(own,), routers=(router,))
        found = events.HostSeen(gateways={model.Family.IPV6: (router,)}, links={"eth0": link})
        world = builders.a_world(found, settings=settings(sought(six)))

        (neighbor,) = builders.decided(world).neighbors or ()
        assert (neighbor.address, neighbor.local_address) == (router, own)
        looked_for = looking.looked_for(world, builders.a_node(), settings(sought(six)))
        assert looked_for.links == {"eth0"}

    @pytest.mark.parametrize("name", ["a;b", "my-reload", "a{"])
    def test_on_an_interface_that_exabgp_could_misread_is_none(self, name: str) -> None:
        six = routers.Gateway(family=model.Family.IPV6)
        found = events.HostSeen(gateways={model.Family.IPV6: (at(f"fe80::1%{name}"),)})
        world = builders.a_world(found, settings=settings(sought(six)))

        assert "whose name ExaBGP would take" in held(world)["gw"]

    def test_is_looked_for_only_where_a_peer_asks_for_it(self) -> None:
        world, node = by_route(TOR_A), builders.a_node()
        for selector, wanted in (("a", {model.Family.IPV4}), ("b", set())):
            asked = settings(sought(selector=builders.in_rack(selector)))
            assert looking.looked_for(world, node, asked).gateways == wanted


class TestAnAnnotation:
    """An address that the Node says."""

    def test_is_the_peers_router(self) -> None:
        assert where(by_note("192.0.2.1")) == [TOR_A]

    def test_of_another_family_than_the_local_address_has_no_session(self) -> None:
        peer = sought(ANNOTATED, local_address=builders.NODE_IP)
        world = builders.a_world(settings=settings(peer), node=noted("2001:db8::1"))

        assert held(world) == {"gw": "no-local-address:ipv6"}

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (None, BY_NOTE),
            ("", f"{BY_NOTE} holds no address of a router"),
            ("192.0.2.11", f"{BY_NOTE}: 192.0.2.11 is this node's own"),
            ("10.96.0.1", f"{BY_NOTE}: 10.96.0.1 lies in 10.96.0.0/16, which is announced"),
            ("10.244.3.1", f"{BY_NOTE}: 10.244.3.1 lies in 10.244.3.0/24, which is announced"),
            ("192.0.2.2", f"{BY_NOTE}: 192.0.2.2 is the address of tor-b"),
        ],
    )
    def test_that_cannot_be_a_router_ends_nothing(self, value: str | None, reason: str) -> None:
        both = settings(sought(ANNOTATED), peers=(builders.a_peer("tor-b", TOR_B),))

        never = by_note(value, both)
        assert (held(never), missing(never)) == ({"gw": reason}, [])
        assert builders.announced(builders.decided(never)) == set(builders.ALL_RANGES)

        once = after(by_note("192.0.2.1", both), events.NodeSeen(node=noted(value)))
        assert (held(once), missing(once)) == ({}, [reason])
        assert set(where(once)) == {TOR_A, TOR_B}
        assert builders.announced(builders.decided(once)) == set(builders.ALL_RANGES)

    def test_with_another_address_moves_the_session_at_once(self) -> None:
        world = after(by_note("192.0.2.1"), events.NodeSeen(node=noted("192.0.2.2")))

        assert where(world) == [TOR_B]

    def test_does_not_take_the_router_that_another_peer_has_found(self) -> None:
        other = sought(GATEWAY, "by-route", entry=1)
        world = builders.a_serving_world(
            seen(TOR_A), settings=settings(sought(ANNOTATED), other), node=noted("192.0.2.1")
        )

        assert where(world) == [TOR_A]
        assert len(held(world)) == 1


def test_a_router_that_the_settings_now_name_is_that_peers() -> None:
    world = by_route(TOR_A)
    named = settings(sought(), peers=(builders.a_peer(),))

    world = after(world, events.ConfigLoaded(config=named))

    assert [each.name for each in builders.decided(world).neighbors or ()] == ["tor-a"]
    assert held(world) == {"gw": f"{BY_ROUTE}: {TOR_A} is the address of tor-a"}


def test_a_peer_that_is_not_meant_for_the_node_finds_nothing() -> None:
    elsewhere = settings(sought(selector=builders.in_rack("b")))
    world = builders.a_world(seen(TOR_A), settings=elsewhere)

    assert held(world) == {"gw": "not-selected"}
    assert rows.sessions(builders.turn(world), START) == []
    assert world.in_use.routers == {}


def test_peers_are_shown_as_they_are_written() -> None:
    found = settings(
        sought(entry=1), peers=(builders.a_peer(), builders.a_peer("z", TOR_B, entry=2))
    )
    world = builders.a_world(seen(at("192.0.2.3")), settings=found)

    shown = [row["peer"] for row in rows.sessions(builders.turn(world), START)]
    assert shown == ["tor-a", "gw", "z"]


@pytest.mark.parametrize(
    "text",
    [
        *("192.0.2.1", "10.0.0.255", "2001:db8::1", "fd00::1", "::1", "::", "0.0.0.0", "0.1.2.3"),
        *("127.0.0.1", "224.0.0.1", "255.255.255.255", "ff02::1", "fe80::1", "fe80::1%eth0"),
        *("::ffff:192.0.2.1", "::192.0.2.1", "192.0.2.1/24", "192.0.2.01", " 192.0.2.1", "x", ""),
        *("2001:db8::1%eth0", "1" * 99),
    ],
)
def test_what_is_read_is_what_the_settings_would_take(text: str) -> None:
    """A loopback address may be written, for a router on the same host, and is never found."""
    try:
        expected = addresses.address(text)
    except ValueError:
        expected = None

    if expected is None or not expected.is_loopback:
        assert routers.read(text) == expected
    else:
        assert routers.read(text) is None


def test_what_waits_to_be_moved_to_is_of_one_process_only() -> None:
    """Its clock means nothing to the next one."""
    world = after(by_route(TOR_A), seen(TOR_B))

    kept = in_use_text.load(in_use_text.dump(world.in_use))

    assert kept is not None
    assert kept.routers == {str(GATEWAY): in_use.RouterInUse(address=TOR_A)}


def test_a_gateway_that_is_a_written_peers_router_is_no_router_from_the_first_moment() -> None:
    """Which peers are the node's is known by the labels that it is seen with, not by none."""
    written = builders.a_peer(selector=builders.in_rack("a"))
    loaded = events.ConfigLoaded(config=settings(sought(), peers=(written,)))
    world = builders.after(World(started=START), loaded, seen(TOR_A))

    world = builders.after(world, events.NodeSeen(node=builders.a_node()))

    assert world.in_use.routers == {}
