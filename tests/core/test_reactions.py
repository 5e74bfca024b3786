"""From a cause to the last router: what is measured, from when, and what is not."""

from __future__ import annotations

import dataclasses

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import reactions
from exabgp_k8s.core.report.reactions import Kind
from tests.support import builders
from tests.support.builders import PODS, SERVICES, START, TOR_A, TOR_B

CORDONED = events.NodeSeen(node=builders.a_node(is_unschedulable=True))


class Node:
    """A node that is well, and an ExaBGP that does one thing each time that it is let to."""

    def __init__(self, settings: config.Config | None = None, *happened: events.Event) -> None:
        world = builders.a_serving_world(*happened, settings=settings)
        self.turn = builders.turn(world)
        self.watched = reactions.Watched()
        self.done: list[tuple[Kind, float]] = []

    def hear(self, *found: events.Event, at: float, arrived: float | None = None) -> None:
        """Take one turn over what came in together."""
        before, now = self.turn, START + at
        self.turn = step.step(before.world, found, now)
        self.watched, done = reactions.look(
            self.watched,
            before,
            self.turn,
            arrived=now if arrived is None else START + arrived,
            now=now,
        )
        self.done += [(kind, round(seconds, 6)) for kind, seconds in done]

    def obey(self, at: float, *, silent: frozenset[model.Address] = frozenset()) -> None:
        """Let ExaBGP do all it is told; nothing is heard of what it sends to the silent."""
        for _ in range(50):
            if not self.turn.commands:
                return
            command = self.turn.commands[0]
            for event in builders.answers(self.turn.world, command):
                if not isinstance(event, events.UpdateSent) or event.peer not in silent:
                    self.hear(event, at=at)


def test_a_cordon_is_timed_from_the_arrival_of_the_watchs_line() -> None:
    node = Node()

    node.hear(CORDONED, at=1.5, arrived=1.0)
    node.obey(at=1.75)

    assert node.done == [(Kind.NODE, 0.75)]


def test_it_lasts_until_the_last_router_was_sent_it() -> None:
    node = Node()

    node.hear(CORDONED, at=1)
    node.obey(at=1.1, silent=frozenset({TOR_B}))
    assert node.done == []
    withdrawn = frozenset((node.turn.world.rib or {})[TOR_B].pending)
    node.hear(events.UpdateSent(peer=TOR_B, withdrawn=withdrawn), at=3)

    assert node.done == [(Kind.NODE, 2)]


def test_a_router_that_is_away_is_not_waited_for() -> None:
    node = Node()
    node.hear(builders.down(TOR_B), at=0.5)

    node.hear(CORDONED, at=1)
    node.obey(at=1.1)

    assert node.done == [(Kind.NODE, 0.1)]


def test_a_failing_check_is_timed_from_the_beginning_of_its_first_failed_run() -> None:
    check = builders.a_check(fall=3)
    node = Node(builders.a_config(checks=(check,)), builders.outcome(is_ok=True))
    failed = dataclasses.replace(builders.outcome(is_ok=False), duration=0.5)

    for at in (1, 2, 3):
        node.hear(failed, at=at)
    node.obey(at=3.25)

    assert node.done == [(Kind.HEALTH, 2.75)]


def test_a_run_that_succeeds_between_begins_it_anew() -> None:
    check = builders.a_check(fall=2)
    node = Node(builders.a_config(checks=(check,)), builders.outcome(is_ok=True))

    for at, is_ok in ((1, False), (2, True), (3, False), (4, False)):
        node.hear(builders.outcome(is_ok=is_ok), at=at)
    node.obey(at=4.5)

    assert node.done == [(Kind.HEALTH, 1.5)]


def test_a_hold_of_the_settings_is_part_of_it() -> None:
    cells = {
        (model.Reason.CORDONED, each): config.Cell(action=model.Action.WITHDRAW, after=30)
        for each in (SERVICES, PODS)
    }
    node = Node(builders.a_config(policy=builders.a_policy(cells)))

    node.hear(CORDONED, at=1)
    node.hear(events.Tick(), at=31)
    node.obey(at=31.5)

    assert node.done == [(Kind.NODE, 30.5)]


def test_a_drain_that_somebody_asks_for_is_one() -> None:
    node = Node()

    node.hear(events.DrainAsked(), at=1, arrived=0.75)
    node.obey(at=1)

    assert node.done == [(Kind.DRAIN, 0.25)]


def test_a_session_is_timed_from_when_it_comes_up_to_its_last_route() -> None:
    node = Node()
    node.hear(builders.down(TOR_A), at=1)

    node.hear(*builders.up(TOR_A), at=5)
    assert node.done == []
    node.obey(at=5.5)

    assert node.done == [(Kind.SESSION, 0.5)]


def test_an_edit_of_the_settings_is_timed_from_when_it_came_in() -> None:
    node = Node()
    edited = builders.a_config(pods_within=())

    node.hear(events.ConfigLoaded(config=edited, passwords={}), at=2, arrived=1)
    node.obey(at=2.5)

    assert node.done == [(Kind.SETTINGS, 1.5)]


def test_an_edit_that_moves_no_route_is_not_measured() -> None:
    node = Node()
    edited = builders.a_config(checks=(builders.a_check(),))

    node.hear(events.ConfigLoaded(config=edited, passwords={}), at=2)
    node.obey(at=2.5)

    assert node.done == []


def test_what_is_taken_back_before_it_was_sent_is_not_measured() -> None:
    node = Node()
    node.hear(CORDONED, at=1)
    node.obey(at=1, silent=frozenset({TOR_A, TOR_B}))

    node.hear(events.NodeSeen(node=builders.a_node()), at=2)
    node.hear(events.Tick(), at=100)
    node.obey(at=101)

    assert node.done == []
    assert node.watched.under_way == ()


def test_what_comes_back_after_its_hold_down_is_not_measured() -> None:
    node = Node()
    node.hear(CORDONED, at=1)
    node.obey(at=1)
    node.done.clear()

    node.hear(events.NodeSeen(node=builders.a_node()), at=2)
    node.hear(events.Tick(), at=100)
    node.obey(at=101)

    assert node.turn.decision.routes
    assert node.done == []


def test_a_second_cause_that_changes_nothing_is_not_measured() -> None:
    node = Node()
    node.hear(CORDONED, at=1)
    node.obey(at=1)
    node.done.clear()

    node.hear(events.DrainAsked(), at=5)
    node.obey(at=6)

    assert node.done == []


def test_what_is_remembered_of_causes_ends_with_them() -> None:
    node = Node()
    node.hear(CORDONED, at=1)
    assert set(node.watched.began) == {model.Cause(model.Reason.CORDONED)}

    node.hear(events.NodeSeen(node=builders.a_node()), at=2)

    assert node.watched.began == {}


def test_a_class_that_gets_worse_is_a_leave_and_one_that_gets_better_is_none() -> None:
    was = builders.turn(builders.a_serving_world())
    cordoned = step.step(was.world, (CORDONED,), START + 1)

    assert set(reactions.worse(was, cordoned)) == {SERVICES, PODS}
    assert reactions.worse(cordoned, was) == ()
    assert reactions.worse(Turn(world=World()), cordoned) == ()
