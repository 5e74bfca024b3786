"""An AS number that the node says itself, and routers of any external or of our own AS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import asns, commands, config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import rows, summary
from exabgp_k8s.wire import in_use as in_use_text
from tests.support import builders
from tests.support.builders import START, TOR_A

KEY = "example.com/asn"
IN_A_LABEL = asns.OfTheNode(source=asns.Source.LABEL, key=KEY)
IN_AN_ANNOTATION = asns.OfTheNode(source=asns.Source.ANNOTATION, key=KEY)
MISSING = f"asn-missing:label {KEY}"


def settings(
    local: int | asns.OfTheNode = IN_A_LABEL, theirs: int | asns.Relation = 64513
) -> config.Config:
    return builders.a_config(peers=(builders.a_peer(local_asn=local, asn=theirs),))


def labelled(value: str | None) -> model.NodeFacts:
    return builders.a_node(labels={} if value is None else {KEY: value})


def seen(world: World, value: str | None) -> World:
    return step.step(world, (events.NodeSeen(node=labelled(value)),), START).world


def session(world: World) -> model.Neighbor | None:
    found = builders.decided(world).neighbors or ()
    return next(iter(found), None)


def local(world: World) -> int | None:
    found = session(world)
    return None if found is None else found.local_asn


def held(world: World) -> list[str]:
    return [str(each.cause) for each in builders.decided(world).peers_held]


def missing(world: World) -> list[str]:
    return [str(each.cause) for each in builders.decided(world).missing]


def row(world: World) -> rows.Row:
    (found,) = rows.sessions(builders.turn(world), START)
    return found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("64512", 64512),
        ("65000.1", 65000 * 65536 + 1),
        ("65000.10", 65000 * 65536 + 10),
        ("0.64512", 64512),
        ("4294967294", 4294967294),
        *((bad, None) for bad in ("0", "23456", "65535", "0.23456", "4294967295", "65536.1")),
        *((bad, None) for bad in ("", "64512 ", "064512", "1.2.3", "-1", "1.", "٣", "AS64512")),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, number: int | None) -> None:
    assert asns.read(text) == number


@given(st.integers(1, asns.HIGHEST).filter(lambda number: number not in asns.RESERVED))
def test_each_notation_is_shown_as_it_was_written(number: int) -> None:
    plain, dotted = str(number), f"{number >> 16}.{number & asns.HALF}"

    assert (str(asns.read(plain)), str(asns.read(dotted))) == (plain, dotted)
    assert asns.read(plain) == asns.read(dotted) == number


def test_each_node_has_the_number_of_its_own_label() -> None:
    for value in ("64600", "64601"):
        assert local(builders.a_world(settings=settings(), node=labelled(value))) == int(value)


def test_it_may_stand_in_an_annotation() -> None:
    node = builders.a_node(annotations={KEY: "65000.7"})
    found = session(builders.a_world(settings=settings(IN_AN_ANNOTATION), node=node))

    assert found is not None
    assert (found.local_asn, type(found.local_asn)) == (65000 * 65536 + 7, int)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, MISSING),
        ("rack-a", f"{MISSING} is no AS number: rack-a"),
        ("0", f"{MISSING} is no AS number: 0"),
    ],
)
def test_a_node_that_never_said_one_has_no_session(value: str | None, reason: str) -> None:
    world = builders.a_world(settings=settings(), node=labelled(value))

    assert held(world) == [reason]
    assert missing(world) == []
    assert summary.status(builders.turn(world), START)["held"][0]["cause"] == reason


@pytest.mark.parametrize("value", [None, "rack-a"])
def test_one_that_it_does_not_say_any_more_goes_on(value: str | None) -> None:
    world = builders.a_serving_world(settings=settings(), node=labelled("64600"))

    world = seen(world, value)

    assert local(world) == 64600
    assert len(missing(world)) == 1
    assert missing(world)[0].startswith(MISSING)
    assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)


def test_one_that_it_does_not_say_any_more_outlives_the_process() -> None:
    world = builders.a_serving_world(settings=settings(), node=labelled("65000.1"))
    kept = in_use_text.load(in_use_text.dump(world.in_use))
    assert kept is not None

    world = builders.after(
        World(started=START),
        events.UseRecalled(in_use=kept),
        events.ConfigLoaded(config=settings()),
        events.NodeSeen(node=labelled(None)),
    )

    assert local(world) == 65000 * 65536 + 1
    assert row(world)["local_as_written"] == "65000.1"


def test_another_number_moves_the_session_as_an_edit_would() -> None:
    world = builders.a_serving_world(settings=settings(), node=labelled("64600"))

    turn = step.step(world, (events.NodeSeen(node=labelled("64601")),), START)

    changes = builders.single(turn.commands)
    assert {each.route.peer for each in changes if isinstance(each, commands.Withdraw)} == {TOR_A}
    latest = builders.turn(builders.obeyed(turn.world))
    assert [each.local_asn for each in latest.stage or ()] == [64601]


def test_prepending_repeats_the_nodes_own_number() -> None:
    peer = builders.a_peer(local_asn=IN_A_LABEL, prepend=1)
    world = builders.a_world(settings=builders.a_config(peers=(peer,)), node=labelled("64600"))

    paths = {route.attributes.as_path for route in (builders.decided(world).routes or {}).values()}
    assert paths == {(64600, 64600)}


def test_an_internal_router_is_of_our_as_whatever_that_is() -> None:
    world = builders.a_world(
        settings=settings(theirs=asns.Relation.INTERNAL), node=labelled("64600")
    )
    found = session(world)

    assert found is not None
    assert (found.peer_asn, found.is_external) == (64600, False)
    assert row(world)["remote_as"] == 64600


class TestAnExternalRouter:
    """Any AS but ours, as the router answers."""

    def serving(self) -> World:
        world = builders.a_serving_world(
            settings=settings(local=64512, theirs=asns.Relation.EXTERNAL)
        )
        answered = builders.a_row(peer_asn=65000)
        return builders.after(world, events.NeighborsRead(rows=(answered,)))

    def test_is_an_external_one_before_it_has_answered(self) -> None:
        world = builders.a_world(settings=settings(64512, asns.Relation.EXTERNAL))
        found = session(world)

        assert found is not None
        assert found.is_external
        assert (row(world)["remote_as"], row(world)["remote_as_written"]) == (None, "external")

    def test_is_shown_with_the_number_that_it_answered(self) -> None:
        shown = row(self.serving())

        assert (shown["remote_as"], shown["remote_as_written"]) == (65000, "65000")

    def test_is_the_configured_one_whatever_it_answered(self) -> None:
        """Else ExaBGP would be asked again and again, and in the end started anew."""
        world = self.serving()

        assert world.is_rib_current
        assert not world.is_reload_lost

    def test_is_no_stranger_to_the_next_agent(self) -> None:
        answered = builders.a_row(peer_asn=65000)
        held_now = builders.a_route(builders.POD_RANGE)
        world = builders.a_world(settings=settings(64512, asns.Relation.EXTERNAL))

        read = (events.NeighborsRead(rows=(answered,)), events.RibRead(routes=(held_now,)))
        turn = step.step(world, read, START)

        assert not turn.world.leaving


def test_a_number_is_shown_as_the_settings_have_it() -> None:
    dotted = asns.read("65000.1")
    assert dotted is not None
    world = builders.a_world(settings=settings(local=64512, theirs=dotted))

    assert row(world)["remote_as_written"] == "65000.1"
    assert row(world)["remote_as"] == int(dotted)
    found = session(world)
    assert found is not None
    assert str(found.peer_asn) == str(65000 * 65536 + 1), "exabgp.conf has the plain number"
