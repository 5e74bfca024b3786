"""What the outage budget does to one node's decision, and what the node tells the others."""

from __future__ import annotations

from typing import Any

import pytest

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import budget, config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import causes, slots
from exabgp_k8s.core.report import routes, summary
from tests.support import builders
from tests.support.builders import START, after, outcome

IN, SLOT, PLANNED = budget.Standing.IN, budget.Standing.SLOT, budget.Standing.PLANNED
GRANTED = events.BudgetSeen(count=budget.Count(taken=1, allowed=2, nodes=4))
EXHAUSTED = events.BudgetSeen(count=budget.Count(taken=2, allowed=2, nodes=4))
LOST = events.BudgetLost(problem="403")
GOOD, BAD = outcome(is_ok=True), outcome(is_ok=False)


def a_world(*happened: events.Event, node: dict[str, Any] | None = None, **changes: Any) -> World:
    """Return a serving world with one healthy check and a budget, then some events."""
    settings = builders.a_config(
        **{"checks": (builders.a_check(),), "budget": config.Budget(), **changes}
    )
    world = builders.a_serving_world(GOOD, settings=settings, node=builders.a_node(**(node or {})))
    return after(world, *happened, now=START)


def stands(world: World, now: float = START) -> bool:
    """Return whether the routers keep the service range."""
    return builders.SERVICE_RANGE in builders.announced(builders.decided(world, now))


def test_a_failing_check_withdraws_once_it_is_granted_a_slot() -> None:
    world = a_world(BAD)

    assert world.budget.standing is SLOT
    assert stands(world)
    assert not stands(after(world, GRANTED))


@pytest.mark.fault(
    area="outage budget",
    what="a health check fails on more nodes than `maxUnavailable`",
    sees="the routes of the others stay, and say `budget-exhausted`",
    within="0 s",
)
def test_a_failing_check_without_a_slot_stays_announced_and_says_why() -> None:
    world = a_world(BAD, EXHAUSTED)

    turn = step.step(world, (events.Tick(),), START)

    assert builders.SERVICE_RANGE in builders.announced(turn.decision)
    why = "budget-exhausted:unhealthy:kube-proxy"
    assert {why} == {reason for row in routes.rows(turn) for reason in row["reasons"]}
    assert summary.status(turn, START)["spared"][0]["reasons"] == [why]
    assert routes.why(turn, builders.SERVICE_RANGE, START)[0]["spared"] == [why]
    assert turn.decision.withheld == ()


def test_a_slot_that_becomes_free_is_used() -> None:
    assert not stands(after(a_world(BAD, EXHAUSTED), GRANTED))


def test_a_slot_is_claimed_at_the_first_failure_and_costs_no_time_at_the_last() -> None:
    world = a_world(BAD, checks=(builders.a_check(fall=3),))
    assert world.budget.standing is SLOT

    world = after(world, GRANTED, BAD)
    assert stands(world)
    assert not stands(after(world, BAD))


def test_a_streak_that_breaks_gives_the_slot_back() -> None:
    world = a_world(BAD, GRANTED, GOOD, checks=(builders.a_check(fall=3),))

    assert world.budget.standing is IN
    assert world.budget.verdict is None


def test_a_slot_is_held_until_the_class_is_back() -> None:
    world = after(a_world(BAD, GRANTED), GOOD)

    assert world.budget.standing is SLOT
    back = after(world, events.Tick(), now=START + 1)
    assert back.budget.standing is IN
    assert stands(back, START + 1)


@pytest.mark.parametrize(
    ("without_api", "is_kept"),
    [(config.WithoutApi.WITHDRAW, False), (config.WithoutApi.KEEP, True)],
)
def test_without_the_api_the_settings_say_what_counts(
    without_api: config.WithoutApi, is_kept: bool
) -> None:
    world = a_world(BAD, LOST, budget=config.Budget(without_api=without_api))

    assert stands(world) is is_kept
    assert bool(builders.judged(world).spared) is is_kept


@pytest.mark.fault(
    area="outage budget",
    what="the API server goes away after it said that the budget is exhausted",
    sees="nothing: the routes stay",
    within="0 s",
)
def test_what_was_exhausted_stays_so_while_the_api_is_away() -> None:
    world = a_world(BAD, EXHAUSTED, LOST)
    assert stands(world)

    assert stands(after(world, GOOD, BAD, LOST))


def test_a_slot_that_was_granted_stays_ours_while_the_api_is_away() -> None:
    keep = config.Budget(without_api=config.WithoutApi.KEEP)

    assert not stands(a_world(BAD, GRANTED, LOST, budget=keep))


def test_an_api_server_that_has_been_away_for_long_is_not_waited_for() -> None:
    world = a_world(events.KubeLost(problem="refused"))
    soon, later = START + slots.AWAY / 2, START + slots.AWAY

    assert stands(after(world, BAD, now=soon), soon)
    assert not stands(after(world, BAD, now=later), later)


def test_a_fresh_node_whose_check_fails_neither_announces_nor_withdraws_until_answered() -> None:
    settings = builders.a_config(checks=(builders.a_check(),), budget=config.Budget())
    world = after(builders.a_world(settings=settings), BAD)

    decision = builders.decided(world)

    assert decision.routes == {}
    assert builders.reasons(decision, builders.SERVICES) == {
        "starting:the outage budget has not answered yet"
    }
    assert builders.announced(builders.decided(after(world, EXHAUSTED)))


@pytest.mark.parametrize(
    ("node", "standing"),
    [
        ({"is_unschedulable": True}, PLANNED),
        ({"override": model.Override.NEVER}, PLANNED),
        ({"labels": {causes.EXCLUDE_LABEL: ""}}, budget.Standing.EXCLUDED),
        ({}, IN),
    ],
)
def test_a_planned_absence_needs_no_slot_and_is_told(
    node: dict[str, Any], standing: budget.Standing
) -> None:
    world = a_world(node=node)

    assert world.budget.standing is standing
    assert stands(world) is (standing is IN)


def test_a_failure_during_a_planned_absence_changes_nothing() -> None:
    world = a_world(BAD, node={"is_unschedulable": True})

    assert world.budget.standing is PLANNED
    assert not stands(world)


def test_a_planned_absence_that_ends_during_a_failure_stays_out_until_it_is_answered() -> None:
    world = a_world(BAD, node={"is_unschedulable": True})

    world = after(world, events.NodeSeen(node=builders.a_node()))

    assert world.budget.standing is SLOT
    assert not stands(world)
    assert stands(after(world, EXHAUSTED, events.Tick(), now=START + 10), START + 20)


def test_a_cordon_needs_a_slot_where_the_settings_say_so() -> None:
    covers = frozenset({model.Reason.UNHEALTHY, model.Reason.CORDONED})
    world = a_world(node={"is_unschedulable": True}, budget=config.Budget(covers=covers))

    assert world.budget.standing is SLOT
    assert stands(after(world, EXHAUSTED))
    assert not stands(after(world, GRANTED))


def test_what_only_deprioritises_needs_no_slot() -> None:
    cell = config.Cell(action=model.Action.DEPRIORITISE)
    cells = {(model.Reason.UNHEALTHY, each): cell for each in model.PrefixClass}
    world = a_world(BAD, policy=builders.a_policy(cells))

    assert world.budget.standing is PLANNED
    assert not builders.judged(world).spared


def test_a_restarted_agent_leaves_its_lease_alone_until_the_checks_have_spoken() -> None:
    settings = builders.a_config(checks=(builders.a_check(fall=2),), budget=config.Budget())
    world = builders.a_world(settings=settings)

    assert world.budget.standing is None
    assert after(world, BAD).budget.standing is SLOT


def test_without_a_budget_nothing_is_asked_for() -> None:
    world = a_world(BAD, budget=None)

    assert slots.wish(world).budget is None
    assert not stands(world)


def test_the_operators_word_beats_the_check_before_it_claims() -> None:
    world = a_world(BAD, node={"override": model.Override.ALWAYS})

    assert world.budget.standing is IN


def test_the_wish_names_the_node_that_owns_the_lease() -> None:
    assert slots.wish(a_world()) == budget.Wish(budget=config.Budget(), standing=IN, uid="5b0f")


def test_a_standing_does_not_flap_with_the_turn() -> None:
    """A turn more at the same moment changes nothing, also where a class has just come back."""
    world = after(after(a_world(BAD, GRANTED), GOOD), events.Tick(), now=START + 1)

    assert after(world, events.Tick(), now=START + 1) == world
