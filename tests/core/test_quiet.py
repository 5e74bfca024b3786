"""What changes nothing is noted, and whatever may change something is decided upon."""

from __future__ import annotations

import dataclasses

import pytest

from exabgp_k8s.core import quiet, step
from exabgp_k8s.core.facts import events, reload
from exabgp_k8s.core.plan import changes
from tests.support import builders
from tests.support.life import Life

WELL = builders.outcome(is_ok=True)


@pytest.fixture
def life() -> Life:
    """A node that serves, its one check well and nothing on its way."""
    found = Life(builders.a_config(checks=(builders.a_check(fall=2, rise=2),)))
    found.happen(WELL, WELL)
    found.wait(2)
    return found


def test_a_check_that_is_as_well_as_before_is_noted_and_shown(life: Life) -> None:
    noted = quiet.noted(life.turn, (WELL,), life.now + 0.5)

    assert noted is not None
    assert noted.world.checks["kube-proxy"].last_at == life.now + 0.5
    assert noted.decision is life.turn.decision


def test_what_is_noted_would_have_been_decided_as_before(life: Life) -> None:
    now = life.now + 0.5
    noted = quiet.noted(life.turn, (WELL, events.Tick()), now)
    taken = step.step(life.turn.world, (WELL, events.Tick()), now)

    assert noted is not None
    assert (noted.decision, noted.stage, noted.commands) == (
        taken.decision,
        taken.stage,
        taken.commands,
    )
    assert noted.world.checks == taken.world.checks


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(builders.outcome(is_ok=False), id="a first failure"),
        pytest.param(events.CheckMissed(name="kube-proxy", why="busy"), id="a missed run"),
        pytest.param(events.NodeSeen(node=builders.a_node(is_unschedulable=True)), id="a cordon"),
        pytest.param(builders.down(), id="a lost session"),
        pytest.param(events.DrainAsked(), id="a drain"),
    ],
)
def test_whatever_may_change_something_is_decided_upon(life: Life, event: events.Event) -> None:
    assert quiet.noted(life.turn, (WELL, event), life.now) is None


def test_a_turn_is_taken_at_its_deadline_and_whenever_exabgp_is_to_be_asked(life: Life) -> None:
    asked_at = life.turn.world.neighbors_read_at + changes.POLL
    due = dataclasses.replace(life.turn, deadline=life.now + 0.1)

    assert quiet.noted(due, (events.Tick(),), life.now + 0.1) is None
    assert quiet.noted(life.turn, (events.Tick(),), asked_at) is None


def test_a_turn_is_taken_each_second_as_long_as_something_is_on_its_way(life: Life) -> None:
    lost = events.KubeLost(problem="refused")
    for event in (lost, events.DrainAsked(), reload.Taken(neighbors=())):
        turn = step.step(life.turn.world, (event,), life.now)

        assert quiet.noted(turn, (events.Tick(),), life.now + 0.1) is None
