"""What flaps on the node and what the routers hear of it, counted over virtual minutes.

The bounds follow from the default hold-down: 1 s, doubled from the fourth leave within ten minutes
on, 60 s at most. So a class leaves at 0, 1, 2, 3, 5, 9, 17 and 33 s, which is eight times in any
minute, and 17 times in ten.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import config, events, model
from tests.support import builders
from tests.support.life import Heard, Life

A_MINUTE, IN_A_MINUTE = 60.0, 8
TEN_MINUTES, IN_TEN_MINUTES = 600.0, 17


def assert_bounded(heard: list[Heard], *, steps: int = 1) -> None:
    """Count what one router hears of one prefix: leaves, and returns in so many steps each."""
    for key, group in itertools.groupby(sorted(heard, key=_key), key=_key):
        times: dict[bool, list[float]] = {True: [], False: []}
        for each in group:
            times[each.is_announced].append(each.at)
        for is_announced, at in times.items():
            factor = steps if is_announced else 1
            for window, limit in ((A_MINUTE, IN_A_MINUTE), (TEN_MINUTES, IN_TEN_MINUTES)):
                most = max((sum(t <= x <= t + window for x in at) for t in at), default=0)
                assert most <= limit * factor, (key, is_announced, window, most)


def _key(heard: Heard) -> tuple[str, str]:
    return str(heard.peer), str(heard.prefix)


def a_life(**changes: object) -> Life:
    """Return a node with one healthy check that needs three failures and two successes."""
    check = builders.a_check(fall=3, rise=2)
    life = Life(builders.a_config(checks=(check,), **changes))
    for _ in range(2):
        life.happen(builders.outcome(is_ok=True))
    life.heard.clear()
    return life


@pytest.mark.fault(
    area="health and flapping",
    what="a health check fails every other time, never as often in a row as `fall` says",
    sees="nothing",
    within="0 s",
)
def test_a_check_that_never_reaches_its_fall_is_not_heard_of() -> None:
    life = a_life()

    for number in range(1000):
        life.happen(builders.outcome(is_ok=number % 3 == 0))
        life.wait(1)

    assert life.heard == []


@pytest.mark.fault(
    area="health and flapping",
    what="a health check fails and recovers as fast as `fall` and `rise` allow",
    sees="at most 8 withdrawals in any minute and 17 in any ten; the routes after it",
    within="60 s after the last failure, by the default hold-down",
)
def test_a_check_that_always_reaches_its_fall_is_held_down_longer_and_longer() -> None:
    life = a_life()

    for number in range(1000):
        life.happen(builders.outcome(is_ok=number % 5 >= 3))
        life.wait(1)
    assert not all(each.is_announced for each in life.heard)
    assert_bounded(life.heard)

    for _ in range(2):
        life.happen(builders.outcome(is_ok=True))
    life.wait(60)
    assert life.routes() == set(builders.ALL_RANGES)


@pytest.mark.fault(
    area="health and flapping",
    what="a cordon is toggled 1,000 times",
    sees="at most 8 withdrawals in any minute and 17 in any ten; what the Node says in the end",
    within="60 s after the last change, by the default hold-down",
)
@pytest.mark.parametrize("longest", [0.05, 1, 5])
@pytest.mark.parametrize("graceful_shutdown", [0, 0.5])
def test_a_cordon_toggled_a_thousand_times_is_bounded_and_settles(
    longest: float, graceful_shutdown: float
) -> None:
    life = a_life(graceful_shutdown=graceful_shutdown)
    pauses = random.Random(longest)

    for number in range(1000):
        node = builders.a_node(is_unschedulable=number % 2 == 0)
        life.happen(events.NodeSeen(node=node))
        life.wait(pauses.uniform(0, longest))
    life.wait(60)

    assert_bounded(life.heard, steps=2)
    assert life.routes() == set(builders.ALL_RANGES)


def _node(life: Life, **changes: object) -> None:
    assert life.world.node is not None
    life.happen(events.NodeSeen(node=dataclasses.replace(life.world.node, **changes)))  # type: ignore[arg-type]


def _drain(life: Life, is_on: bool) -> None:
    life.happen(events.DrainAsked() if is_on else events.UndrainAsked())


def _check(life: Life, is_on: bool) -> None:
    for _ in range(3 if is_on else 2):
        life.happen(builders.outcome(is_ok=not is_on))


def _gone(life: Life, is_on: bool) -> None:
    life.happen(events.NodeGone() if is_on else events.NodeSeen(node=builders.a_node()))


DRAIN_TAINT = config.DRAIN_TAINTS[0]
CAUSES: dict[str, Callable[[Life, bool], None]] = {
    "cordon": lambda life, is_on: _node(life, is_unschedulable=is_on),
    "taint": lambda life, is_on: _node(life, taints=(DRAIN_TAINT,) if is_on else ()),
    "shutdown": lambda life, is_on: _node(life, is_shutting_down=is_on),
    "annotation": lambda life, is_on: _node(
        life, override=model.Override.NEVER if is_on else model.Override.NONE
    ),
    "drain": _drain,
    "check": _check,
    "gone": _gone,
}
some_causes = st.lists(st.sampled_from(sorted(CAUSES)), min_size=1, max_size=3, unique=True)
toggles = some_causes.flatmap(
    lambda names: st.lists(
        st.tuples(st.sampled_from([0.1, 0.1, 0.6, 1.1, 1.1, 20.0]), st.sampled_from(names)),
        min_size=60,
        max_size=120,
    )
)
half_of_it = builders.a_policy(
    {(model.Reason.DRAINING, each): config.Cell(action=builders.DEPRIORITISE)
     for each in model.PrefixClass}
)  # fmt: skip


@pytest.mark.fault(
    area="health and flapping",
    what="cordon, taint, shutdown, annotation, drain, check and the Node itself toggle at random",
    sees="at most 8 withdrawals in any minute and 17 in any ten; the routes after the last cause",
    within="60 s after the last cause is gone, by the default hold-down",
)
@hypothesis.settings(max_examples=20, phases=[hypothesis.Phase.generate])
@hypothesis.given(toggles, st.sampled_from([config.DEFAULT_POLICY, half_of_it]))
def test_causes_that_toggle_independently_are_bounded_together(
    found: list[tuple[float, str]], policy: config.Policy
) -> None:
    life, standing = a_life(policy=policy), set[str]()

    for pause, name in found:
        standing ^= {name}
        CAUSES[name](life, name in standing)
        life.wait(pause)
    assert_bounded(life.heard, steps=3)
    for toggle in CAUSES.values():
        toggle(life, False)
    life.wait(61)

    assert life.routes() == set(builders.ALL_RANGES)


@pytest.mark.fault(
    area="health and flapping",
    what="a cordon toggles while another cause keeps the routes deprioritised",
    sees="at most 8 withdrawals in any minute and 17 in any ten",
    within="60 s after the last change, by the default hold-down",
)
def test_a_swing_between_deprioritised_and_withdrawn_is_bounded_too() -> None:
    life = a_life(policy=half_of_it)
    CAUSES["taint"](life, True)

    for number in range(600):
        CAUSES["cordon"](life, number % 2 == 0)
        life.wait(0.1 if number % 2 == 0 else 1.1)

    assert_bounded(life.heard, steps=2)


@pytest.mark.fault(
    area="health and flapping",
    what="one cause toggles for ever while another one stands",
    sees="nothing more: it is withdrawn already",
    within="0 s",
)
def test_a_cause_that_toggles_behind_one_that_stands_is_not_heard_of() -> None:
    life = a_life()
    _drain(life, True)
    life.heard.clear()

    for number in range(200):
        CAUSES["cordon"](life, number % 2 == 0)
        CAUSES["check"](life, number % 3 == 0)
        life.wait(0.7)

    assert life.heard == []
