"""One address, another router in each rack: a node has the one that its labels select."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

import pytest

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, model, reload
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import remnants
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, notices, routes, rows, summary
from exabgp_k8s.core.report.told import Told
from tests.support import builders
from tests.support.builders import POD_RANGE, START, TOR_A, TOR_B, after

SECOND_IP = ipaddress.ip_address("192.0.2.77")
SECRET_A, SECRET_B = model.Secret("of rack a"), model.Secret("of rack b")
IN_RACK_A, IN_RACK_B = builders.a_node(labels={"rack": "a"}), builders.a_node(labels={"rack": "b"})


def gateway(rack: str, **changes: Any) -> config.Peer:
    """Return the gateway of a rack, each with an AS and a community of its own."""
    number = "ab".index(rack)
    attributes = model.Attributes(communities=((64512, number),))
    peer = builders.a_peer(f"gw-{rack}", TOR_A, asn=64513 + number, attributes=attributes)
    return dataclasses.replace(peer, **{"selector": builders.in_rack(rack), **changes})


def racks(**changes: Any) -> config.Config:
    """Return settings with the gateways of two racks, and one router that all nodes have."""
    peers = (gateway("a", **changes), gateway("b", **changes), builders.a_peer("spine", TOR_B))
    return builders.a_config(peers=peers)


def turn(world: World, now: float = START) -> Turn:
    return step.step(world, (events.Tick(),), now)


def seen(world: World, node: model.NodeFacts, now: float = START) -> World:
    return step.step(world, (events.NodeSeen(node=node),), now).world


def sessions(world: World) -> dict[str, int]:
    """Return the AS of each router that the node shall have a session with."""
    return {each.name: each.peer_asn for each in builders.decided(world).neighbors or ()}


def held(world: World) -> dict[str, str]:
    return {each.name: str(each.cause) for each in builders.decided(world).peers_held}


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        (IN_RACK_A, {"gw-a": 64513, "spine": 64513}),
        (IN_RACK_B, {"gw-b": 64514, "spine": 64513}),
        (builders.a_node(labels={"rack": "c"}), {"spine": 64513}),
    ],
)
def test_a_node_has_the_gateway_of_its_rack(node: model.NodeFacts, wanted: dict[str, int]) -> None:
    assert sessions(builders.a_world(settings=racks(), node=node)) == wanted


def test_its_routes_carry_what_is_written_at_that_gateway() -> None:
    world = builders.a_serving_world(settings=racks(), node=IN_RACK_B)

    assert world.rib is not None
    assert world.rib[TOR_A].routes[POD_RANGE].attributes.communities == ((64512, 1),)


def test_people_are_told_of_that_gateway_by_its_name() -> None:
    latest = turn(builders.a_serving_world(settings=racks(), node=IN_RACK_B))

    shown = {row["peer"]: (row["address"], row["up"]) for row in rows.sessions(latest, START)}
    assert shown == {"gw-b": (str(TOR_A), True), "spine": (str(TOR_B), True)}
    assert summary.status(latest, START)["sessions"] == {"up": 2, "configured": 2}
    assert {row["peer"] for row in routes.rows(latest)} == {"gw-b", "spine"}


def blind() -> World:
    """Return what an agent knows that started without the API server, beside running sessions."""
    serving = builders.a_serving_world(settings=racks(), node=IN_RACK_B)
    held_now = tuple(
        route for rib in (serving.rib or {}).values() for route in rib.routes.values()
    )
    table = tuple(builders.row_of(each) for each in serving.neighbors or ())
    return after(
        World(started=START),
        events.UseRecalled(in_use=serving.in_use),
        events.ConfigLoaded(config=racks()),
        events.NeighborsRead(rows=table),
        events.RibRead(routes=held_now),
    )


def test_before_the_node_is_seen_each_session_is_one_peers() -> None:
    latest = turn(blind())

    up = {row["peer"] for row in rows.sessions(latest, START) if row["up"]}
    assert up == {"gw-b", "spine"}
    found = announced.standings(latest.world, latest.decision)
    assert {each.meant for each in found if each.prefix == POD_RANGE} == {2}


class TestAPasswordOfAnotherRack:
    """It is another router's, whatever its address is."""

    SETTINGS = builders.a_config(
        peers=(gateway("a", password_from="a"), gateway("b", password_from="b"))
    )

    def moved(self, **passwords: model.Secret) -> World:
        """Return a node that was in rack a and had its password, and then came to rack b."""
        first = events.ConfigLoaded(config=self.SETTINGS, passwords={"a": SECRET_A, **passwords})
        world = after(World(started=START), first, events.NodeSeen(node=IN_RACK_A))
        return seen(world, IN_RACK_B)

    def test_is_never_used(self) -> None:
        assert held(self.moved()) == {"gw-a": "not-selected", "gw-b": "password-missing:b"}

    def test_gives_way_to_the_own_one(self) -> None:
        (session,) = builders.decided(self.moved(b=SECRET_B)).neighbors or ()

        assert session.password == SECRET_B

    def test_is_still_known_when_the_node_comes_back(self) -> None:
        world = after(self.moved(), events.ConfigLoaded(config=self.SETTINGS))

        (session,) = builders.decided(seen(world, IN_RACK_A)).neighbors or ()

        assert session.password == SECRET_A

    def test_goes_with_its_peer_when_that_is_renamed(self) -> None:
        world = seen(self.moved(), IN_RACK_A)
        running = builders.decided(world).neighbors or ()
        world = after(world, reload.Taken(neighbors=running))
        named_anew = tuple(
            dataclasses.replace(each, name=f"new-{each.name}") for each in self.SETTINGS.peers
        )

        world = after(world, events.ConfigLoaded(config=builders.a_config(peers=named_anew)))

        (session,) = builders.decided(world).neighbors or ()
        assert (session.name, session.password) == ("new-gw-a", SECRET_A)


def test_the_address_that_one_router_knows_the_node_by_says_nothing_to_another() -> None:
    node = builders.a_node(labels={"rack": "a"})
    world = builders.a_serving_world(settings=racks(), node=node)
    lists_another = dataclasses.replace(IN_RACK_B, internal_ips=(SECOND_IP, *node.internal_ips))

    world = seen(world, lists_another)

    found = {each.name: each.local_address for each in builders.decided(world).neighbors or ()}
    assert found == {"gw-b": SECOND_IP, "spine": builders.NODE_IP}


class TestTwoThatSelectTheSameNode:
    """The document is refused where that may be; should it come to that, nobody has to guess."""

    SETTINGS = builders.a_config(
        peers=(
            gateway("a"),
            gateway("b", selector=config.Selector()),
            builders.a_peer("spine", TOR_B),
        )
    )

    def test_are_held_and_the_others_run(self) -> None:
        world = builders.a_world(settings=self.SETTINGS, node=IN_RACK_A)

        assert held(world) == {"gw-a": "same-address:gw-b", "gw-b": "same-address:gw-a"}
        assert sessions(world) == {"spine": 64513}

    def test_do_not_concern_a_node_that_only_one_selects(self) -> None:
        world = builders.a_world(settings=self.SETTINGS, node=IN_RACK_B)

        assert held(world) == {"gw-a": "not-selected"}

    def test_are_both_shown_as_held(self) -> None:
        latest = turn(builders.a_world(settings=self.SETTINGS, node=IN_RACK_A))

        shown = {row["peer"]: row["problem"] for row in rows.sessions(latest, START)}
        assert shown["gw-a"] == "same-address:gw-b"
        assert shown["gw-b"] == "same-address:gw-a"
        assert [each["peer"] for each in summary.status(latest, START)["held"]] == ["gw-a", "gw-b"]


def test_a_session_that_ends_is_not_shown_as_that_of_the_peer_held_at_its_address() -> None:
    settings = builders.a_config(peers=(gateway("a"), gateway("b", password_from="b")))
    world = builders.a_serving_world(settings=settings, node=IN_RACK_A)

    latest = step.step(world, (events.NodeSeen(node=IN_RACK_B),), START)

    (row,) = rows.sessions(latest, START)
    assert (row["peer"], row["state"], row["up"]) == ("gw-b", "Held", False)
    found = announced.standings(latest.world, latest.decision)
    pods = next(each for each in found if each.prefix == POD_RANGE)
    states = {each.peer: each.state for each in pods.hearings}
    assert states == {"gw-b": announced.State.HELD, "gw-a": announced.State.WITHDRAWING}


def test_a_session_that_goes_over_to_the_other_gateway_is_news_of_neither() -> None:
    world = builders.a_serving_world(settings=racks(), node=IN_RACK_A)
    told, _ = notices.tell(Told(), turn(world))
    said: list[str] = []

    def happens(*happened: events.Event) -> None:
        nonlocal world, told
        latest = step.step(world, happened, START)
        told, found = notices.tell(told, latest)
        said.extend(f"{each.word} {each.message}" for each in found)
        world = latest.world

    happens(events.NodeSeen(node=IN_RACK_B))
    (row, _) = rows.sessions(turn(world), START)
    assert (row["peer"], row["up"]) == ("gw-b", False), "the session is still the other one's"
    world = builders.obeyed(world)
    happens(reload.Taken(neighbors=turn(world).stage or ()))
    happens(builders.down(TOR_A, "peer reset"))
    happens(*builders.up(TOR_A))

    assert [each for each in said if "session" in each] == []
    (row, _) = rows.sessions(turn(world), START)
    assert (row["peer"], row["up"]) == ("gw-b", True)


class TestWhatALostSessionLeft:
    """A router keeps the routes of a session that it has not seen end."""

    SETTINGS = builders.a_config(
        peers=(gateway("a", graceful_restart=60), gateway("b", graceful_restart=600)), settle=0
    )

    def awaited(self, world: World, now: float = START) -> set[float]:
        world = step.step(world, (events.Tick(),), now).world
        return set(remnants.awaited(world, now).values())

    def test_is_not_cleared_by_another_router_of_the_same_address(self) -> None:
        world = builders.a_serving_world(settings=self.SETTINGS, node=IN_RACK_A)
        world = seen(after(world, builders.down()), IN_RACK_B)

        world = after(
            world,
            reload.Taken(neighbors=builders.decided(world).neighbors or ()),
            *builders.up(),
        )

        assert self.awaited(builders.obeyed(world)) == {START + 69}

    def test_lasts_as_long_as_this_racks_router_was_asked_to_keep_it(self) -> None:
        world = builders.a_serving_world(settings=self.SETTINGS, node=IN_RACK_A)

        assert self.awaited(after(world, builders.down())) == {START + 69}

    def test_lasts_as_long_as_any_of_them_may_where_the_rack_is_not_known(self) -> None:
        world = after(World(started=START), events.ConfigLoaded(config=self.SETTINGS))

        assert self.awaited(world) == {START + 609}


def test_a_node_that_moves_is_withdrawn_from_the_one_router_before_it_turns_to_the_other() -> None:
    world = builders.a_serving_world(settings=racks(), node=IN_RACK_A)

    moving = step.step(world, (events.NodeSeen(node=IN_RACK_B),), START)
    changes = list(builders.single(moving.commands))
    assert {each.route.peer for each in changes if isinstance(each, commands.Withdraw)} == {TOR_A}
    stage = {each.address: each.peer_asn for each in moving.stage or ()}
    assert stage == {TOR_A: 64513, TOR_B: 64513}, "not before the withdrawal is acknowledged"

    latest = turn(builders.obeyed(moving.world))
    assert {each.address: each.peer_asn for each in latest.stage or ()}[TOR_A] == 64514

    taken = reload.Taken(neighbors=latest.stage or ())
    new = builders.down(TOR_A, "peer reset"), *builders.up(TOR_A)
    world = builders.obeyed(after(latest.world, taken, *new, now=START + 1), START + 2)
    assert world.rib is not None
    heard = world.rib[TOR_A].routes[POD_RANGE]
    assert heard.attributes.communities == ((64512, 1),)
