"""Whatever a clock alone will change says how long it takes yet, and what comes then."""

from __future__ import annotations

import json

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, lifecycle
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import routes, summary, waits
from exabgp_k8s.core.report.waits import What
from tests.support import builders
from tests.support.builders import PODS, SERVICES, START, after


def turn(world: World, now: float) -> Turn:
    return step.step(world, (events.Tick(),), now)


def found(world: World, now: float) -> dict[What, float]:
    """Return what is waited for, and for how many seconds yet."""
    return {each.what: each.until - now for each in waits.find(turn(world, now), now)}


def test_a_node_that_serves_waits_for_nothing() -> None:
    assert found(builders.a_serving_world(), START + 1) == {}


def test_a_hold_down_says_what_remains_of_it() -> None:
    settings = builders.a_config(hold_down=config.HoldDown(initial=30))
    cordoned = builders.a_node(is_unschedulable=True)
    world = builders.a_serving_world(settings=settings, node=cordoned)
    world = after(world, events.NodeSeen(node=builders.a_node()), now=START + 5)

    assert found(world, START + 15) == {What.HOLD_DOWN: 20}
    (row, *_) = routes.why(turn(world, START + 15), builders.SERVICE_RANGE, START + 15)
    assert [(each["reason"], each["remaining_seconds"]) for each in row["withheld"]] == [
        ("hold-down", 20)
    ]
    assert row["waits"][0]["then"] == "services: announce again"


def test_a_hold_of_a_cell_says_what_it_will_do() -> None:
    world = after(builders.a_serving_world(), events.NodeGone())

    later = turn(world, START + 10)
    (row,) = (each for each in summary.status(later, START + 10)["waits"])

    assert row == {
        "what": "after",
        "class": "services",
        "cause": "node-deleted",
        "then": "services: withdraw because of node-deleted",
        "remaining_seconds": 20,
    }


def test_what_is_withdrawn_already_waits_for_no_further_reason() -> None:
    world = after(builders.a_serving_world(), events.NodeGone(), events.DrainAsked())

    assert What.AFTER not in found(world, START + 10)


def test_graceful_shutdown_says_when_it_withdraws() -> None:
    settings = builders.a_config(graceful_shutdown=60)
    world = builders.a_serving_world(events.DrainAsked(), settings=settings)

    shown = waits.find(turn(world, START + 10), START + 10)

    assert {(each.what, each.prefix_class, each.until) for each in shown} == {
        (What.GRACEFUL_SHUTDOWN, SERVICES, START + 60),
        (What.GRACEFUL_SHUTDOWN, PODS, START + 60),
    }
    (row,) = routes.why(turn(world, START + 10), builders.SERVICE_RANGE, START + 10)
    assert row["withheld"][0]["remaining_seconds"] == 50


def test_the_settle_time_of_a_drain_says_what_remains() -> None:
    settings = builders.a_config(settle=30)
    world = builders.obeyed(
        after(builders.a_serving_world(settings=settings), events.DrainAsked())
    )

    assert world.phase is lifecycle.Phase.SETTLING
    assert found(world, START + 10) == {What.SETTLE: 20}


def test_a_node_registered_anew_says_how_long_it_inherits() -> None:
    world = builders.a_serving_world(node=builders.a_node(uid="1"))
    world = after(world, events.NodeSeen(node=builders.a_node(uid="2")))

    assert found(world, START + 10) == {What.SUCCESSION: 20}


def test_a_label_that_is_away_says_how_long_it_counts() -> None:
    rack = config.Requirement(key="rack", operator=config.Operator.EXISTS)
    peer = builders.a_peer(selector=config.Selector(requirements=(rack,)))
    world = builders.a_serving_world(settings=builders.a_config(peers=(peer,)))
    world = after(world, events.NodeSeen(node=builders.a_node(labels={})))

    assert found(world, START + 10) == {What.LABEL: 20}


def test_the_patience_with_the_outage_budget_has_an_end() -> None:
    settings = builders.a_config(checks=(builders.a_check(),), budget=config.Budget())
    world = builders.a_serving_world(builders.outcome(is_ok=True), settings=settings)
    world = after(world, events.KubeLost(problem="refused"), builders.outcome(is_ok=False))

    assert found(world, START + 4)[What.BUDGET] == 6


def test_a_refused_announcement_says_when_it_is_tried_again() -> None:
    world = builders.a_serving_world()
    command = commands.Announce(route=builders.a_route())
    failed = events.CommandFailed(command=command, problem="no")
    world = after(world, failed)

    (row,) = routes.why(turn(world, START + 10), builders.SERVICE_RANGE, START + 10)

    assert {each["remaining_seconds"] for each in row["withheld"]} == {20}


def test_every_wait_is_json() -> None:
    settings = builders.a_config(graceful_shutdown=60)
    world = builders.a_serving_world(events.DrainAsked(), settings=settings)

    rows = summary.status(turn(world, START + 1), START + 1)["waits"]

    assert json.loads(json.dumps(rows)) == rows
