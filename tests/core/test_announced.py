"""Announced is what a router has been sent, and nothing else is called so anywhere."""

from __future__ import annotations

import dataclasses

import pytest

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, routes, summary
from exabgp_k8s.core.report.announced import Summary
from exabgp_k8s.shown import status
from tests.support import builders
from tests.support.builders import (
    POD_RANGE,
    SERVICE_RANGE,
    SERVICE_RANGE6,
    START,
    TOR_A,
    TOR_B,
    after,
)

NOW = START + 10


def turn(world: World) -> Turn:
    return step.step(world, (events.Tick(),), NOW)


def standing(world: World, prefix: model.Network = SERVICE_RANGE) -> announced.Standing:
    latest = turn(world)
    found = announced.standings(latest.world, latest.decision)
    return next(each for each in found if each.prefix == prefix)


def count(world: World, prefix: model.Network = SERVICE_RANGE) -> tuple[int, int]:
    found = standing(world, prefix)
    return len(found.sent), found.meant


def negotiated(peer: model.Address, *families: model.Family) -> events.Event:
    return events.Negotiated(peer=peer, families=frozenset(families), hold_time=9)


def test_what_all_routers_have_been_sent_is_announced_to_all() -> None:
    assert count(builders.a_serving_world()) == (2, 2)
    assert standing(builders.a_serving_world()).summary is Summary.ANNOUNCED


def test_one_router_of_two_is_enough_and_the_count_says_so() -> None:
    world = after(builders.a_serving_world(), builders.down())

    assert count(world) == (1, 2)
    assert standing(world).summary is Summary.ANNOUNCED


def test_with_no_session_up_nothing_is_announced() -> None:
    world = after(builders.a_serving_world(), builders.down(), builders.down(TOR_B))

    assert count(world) == (0, 2)
    assert standing(world).summary is Summary.WAITING


def test_a_family_that_no_session_negotiated_is_not_announced() -> None:
    only = [negotiated(peer, model.Family.IPV4) for peer in (TOR_A, TOR_B)]
    world = after(builders.a_serving_world(), *only)

    assert count(world) == (2, 2)
    assert count(world, SERVICE_RANGE6) == (0, 2)
    assert standing(world, SERVICE_RANGE6).summary is Summary.WAITING
    assert summary.status(turn(world), NOW)["classes"]["services"]["state"] == "partly"


def test_a_change_that_is_pending_is_not_announced_yet() -> None:
    changed = commands.Announce(route=builders.a_route())
    world = after(builders.a_serving_world(), events.CommandDone(command=changed))

    assert count(world) == (1, 2)


def test_a_withdrawal_that_is_pending_says_that_the_router_may_have_it() -> None:
    world = builders.a_serving_world()
    gone = commands.Withdraw(route=builders.a_route())
    world = after(world, events.DrainAsked(), events.CommandDone(command=gone))

    states = {each.peer: each.state for each in standing(world).hearings}

    assert states["tor-a"] is announced.State.WITHDRAWING
    assert standing(world).summary is Summary.WITHHELD


def test_status_names_who_still_has_what_is_withheld_until_it_is_acknowledged() -> None:
    world = after(builders.a_serving_world(), events.DrainAsked())
    obeyed = builders.obeyed(world)

    first, *_ = summary.status(turn(world), NOW)["prefixes"]
    assert first["state"] == "withheld"
    assert first["still_at"] == {"tor-a": "withdrawing", "tor-b": "withdrawing"}
    shown = dict(status.lines(summary.status(turn(world), NOW)))
    assert shown[""].endswith("withheld; still at tor-a (withdrawing), tor-b (withdrawing)")

    first, *_ = summary.status(turn(obeyed), NOW)["prefixes"]
    assert (first["state"], first["still_at"]) == ("withheld", {})
    assert dict(status.lines(summary.status(turn(obeyed), NOW)))[""].endswith(": withheld")


def test_what_nothing_speaks_of_any_more_is_named_while_a_router_has_it() -> None:
    world = builders.a_serving_world()
    settings = builders.a_config(service_cidrs=())
    world = dataclasses.replace(world, config=settings)

    shown = list(status.lines(summary.status(turn(world), NOW)))

    (text,) = (text for label, text in shown if label == "to be withdrawn" and "96::" in text)
    assert text.endswith("; still at tor-a (withdrawing), tor-b (withdrawing)")


def test_a_change_that_stays_unacknowledged_is_said_and_not_called_announced() -> None:
    """ExaBGP says that it has it, and asked once more it says so again."""
    changed = events.CommandDone(command=commands.Announce(route=builders.a_route()))
    flushed = events.CommandDone(command=commands.Flush(peer=TOR_A))
    early = after(builders.a_serving_world(), changed)
    late = after(early, flushed, now=START + 6)

    (state,) = (each.state for each in standing(early).hearings if each.peer == "tor-a")
    assert state is announced.State.SENDING
    (state,) = (each.state for each in standing(late).hearings if each.peer == "tor-a")
    assert state is announced.State.UNACKNOWLEDGED
    assert count(late) == (1, 2)
    first, *_ = summary.status(turn(late), NOW)["prefixes"]
    assert first["late"] == ["tor-a"]


def test_a_withdrawal_that_stays_unacknowledged_is_said() -> None:
    gone = events.CommandDone(command=commands.Withdraw(route=builders.a_route()))
    world = after(builders.a_serving_world(), events.DrainAsked(), gone, gone)

    states = {each.peer: each.state for each in standing(world).hearings}

    assert states["tor-a"] is announced.State.STUCK


def test_the_first_flush_of_a_session_is_no_reminder() -> None:
    world = builders.a_serving_world()
    flushed = events.CommandDone(command=commands.Flush(peer=TOR_A))
    world = after(world, builders.down(), *builders.up(), flushed)

    states = {each.peer: each.state for each in standing(world).hearings}

    assert states["tor-a"] is announced.State.SENDING


def test_a_peer_that_is_held_is_meant_and_names_what_is_missing() -> None:
    peers = (builders.a_peer(), builders.a_peer("tor-b", TOR_B, password_from="tor-b"))
    world = builders.a_serving_world(settings=builders.a_config(peers=peers))

    assert count(world) == (1, 2)
    (row,) = [row for row in routes.rows(turn(world)) if row["prefix"] == str(SERVICE_RANGE)
              and row["peer"] == "tor-b"]  # fmt: skip
    assert (row["state"], row["reasons"]) == ("held", ["password-missing:tor-b"])


def test_a_peer_that_does_not_speak_the_family_is_not_meant() -> None:
    peers = (builders.a_peer(), builders.a_peer("tor-b", TOR_B, families=(model.Family.IPV4,)))
    world = builders.a_serving_world(settings=builders.a_config(peers=peers))

    assert count(world) == (2, 2)
    assert count(world, SERVICE_RANGE6) == (1, 1)


def test_a_class_with_a_guard_on_one_of_its_ranges_is_announced_partly() -> None:
    ranges = (*builders.networks("0.0.0.0/0"), SERVICE_RANGE)
    world = builders.a_serving_world(settings=builders.a_config(service_cidrs=ranges))

    services = summary.status(turn(world), NOW)["classes"]["services"]

    assert (services["state"], services["announced"]) == ("partly", [str(SERVICE_RANGE)])


def test_deprioritised_is_a_word_of_its_own() -> None:
    settings = builders.a_config(graceful_shutdown=60)
    world = builders.obeyed(builders.a_serving_world(events.DrainAsked(), settings=settings))

    assert standing(world).summary is Summary.DEPRIORITISED
    assert summary.status(turn(world), NOW)["classes"]["pods"]["state"] == "deprioritised"


@pytest.mark.parametrize("is_blind", [False, True])
def test_what_an_earlier_agent_announced_is_announced(is_blind: bool) -> None:
    """Before the Node is seen, what ExaBGP has is the only word on who is meant."""
    world = builders.a_serving_world()
    if is_blind:
        world = dataclasses.replace(world, node=None, node_seen=None)

    classes = summary.status(turn(world), NOW)["classes"]

    assert {each["state"] for each in classes.values()} == {"announced"}
    assert count(world, POD_RANGE) == (2, 2)


class TestNoPeer:
    """A node that no peer is meant for says so wherever somebody may look."""

    RACK = config.Requirement(key="rack", operator=config.Operator.IN, values=frozenset({"z"}))

    def world(self) -> World:
        peer = builders.a_peer(selector=config.Selector(requirements=(self.RACK,)))
        return builders.a_serving_world(settings=builders.a_config(peers=(peer,)))

    def test_is_withheld_with_that_reason(self) -> None:
        status = summary.status(turn(self.world()), NOW)

        assert {each["state"] for each in status["classes"].values()} == {"withheld"}
        assert {tuple(each["reasons"]) for each in status["withheld"]} == {("no-peer",)}

    def test_is_what_why_says(self) -> None:
        for row in routes.why(turn(self.world()), None, NOW):
            assert [each["reason"] for each in row["withheld"]] == ["no-peer"]
            assert (row["sent"], row["meant"]) == (0, 0)

    def test_names_the_family_where_only_that_has_none(self) -> None:
        peer = builders.a_peer(families=(model.Family.IPV4,))
        world = builders.a_serving_world(settings=builders.a_config(peers=(peer,)))

        found = standing(world, SERVICE_RANGE6)

        assert [str(cause) for cause in found.causes] == ["no-peer:ipv6"]
        assert standing(world).summary is Summary.ANNOUNCED

    def test_stands_beside_what_else_withholds_the_prefix(self) -> None:
        world = after(self.world(), events.NodeSeen(node=builders.a_node(is_unschedulable=True)))

        assert {str(each) for each in standing(world).causes} == {"cordoned", "no-peer"}


class TestNoNode:
    """The API has no Node of the name that the agent looks for."""

    def world(self) -> World:
        loaded = events.ConfigLoaded(config=builders.a_config())
        return after(World(started=START, node_name="n1.example.org"), loaded, events.NodeGone())

    def test_is_named(self) -> None:
        status = summary.status(turn(self.world()), NOW)

        assert status["node"] == "n1.example.org"
        assert {reason for each in status["withheld"] for reason in each["reasons"]} == {
            "starting:no Node object named n1.example.org"
        }

    def test_is_not_called_deleted(self) -> None:
        assert summary.status(turn(self.world()), NOW)["causes"] == []

    def test_does_not_leave_its_classes_out_of_the_settings(self) -> None:
        classes = summary.status(turn(self.world()), NOW)["classes"]

        assert {each["state"] for each in classes.values()} == {"withheld"}

    def test_takes_back_what_an_earlier_agent_announced(self) -> None:
        """Then there was a Node, and it was deleted while no agent looked."""
        stood = builders.a_serving_world()
        world = dataclasses.replace(stood, node=None, node_seen=None, is_node_gone=False)

        world = after(world, events.NodeGone())

        latest = turn(world)
        assert [str(cause) for cause in latest.world.causes] == ["node-deleted"]
        assert POD_RANGE not in latest.decision.kept
