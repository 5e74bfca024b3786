"""Rise and fall of a check; hold-down of a prefix class."""

from __future__ import annotations

import itertools

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.core.facts.checks import Health, Hysteresis
from exabgp_k8s.core.facts.membership import Membership
from exabgp_k8s.core.judge import membership as damper
from exabgp_k8s.core.observe import checks
from exabgp_k8s.core.plan import pace

KEEP, DEPRIORITISE, WITHDRAW = model.Action.KEEP, model.Action.DEPRIORITISE, model.Action.WITHDRAW
HOLD = config.HoldDown(initial=1, maximum=60, window=600)

outcomes = st.lists(st.booleans(), max_size=60)
counts = st.integers(min_value=1, max_value=5)
asks = st.lists(
    st.tuples(
        st.floats(min_value=0, max_value=40) | st.floats(min_value=0, max_value=2),
        st.sampled_from(list(model.Action)),
    ),
    max_size=120,
)


def walk(is_oks: list[bool], *, rise: int, fall: int) -> list[Hysteresis]:
    """Return the state after each outcome, beginning with the state before any."""
    return list(
        itertools.accumulate(
            is_oks,
            lambda state, is_ok: checks.step(state, is_ok, rise=rise, fall=fall),
            initial=Hysteresis(),
        )
    )


@pytest.mark.parametrize(
    ("is_oks", "health"),
    [
        ([], Health.UNKNOWN),
        ([True], Health.UNKNOWN),
        ([True, True], Health.UP),
        ([False, False], Health.UNKNOWN),
        ([False, False, False], Health.DOWN),
        ([True, False, True, False, False], Health.UNKNOWN),
        ([True, False, False, True, True], Health.UP),
        ([True, True, False, False], Health.UP),
        ([True, True, False, False, True, False, False], Health.UP),
        ([True, True, False, False, False], Health.DOWN),
        ([False, False, False, True], Health.DOWN),
        ([False, False, False, True, True], Health.UP),
    ],
)
def test_two_successes_raise_and_three_failures_fell(is_oks: list[bool], health: Health) -> None:
    assert walk(is_oks, rise=2, fall=3)[-1].health is health


def test_the_streak_tells_successes_from_failures() -> None:
    assert [state.streak for state in walk([True, False, False], rise=2, fall=3)] == [0, 1, -1, -2]


@hypothesis.given(is_oks=outcomes, rise=counts, fall=counts)
def test_health_changes_only_after_enough_equal_outcomes_in_a_row(
    is_oks: list[bool], rise: int, fall: int
) -> None:
    states = walk(is_oks, rise=rise, fall=fall)
    for index, (before, after) in enumerate(itertools.pairwise(states), start=1):
        if after.health is before.health:
            continue
        is_up = after.health is Health.UP
        needed = rise if is_up else fall
        assert is_oks[:index][-needed:] == [is_up] * needed


@hypothesis.given(is_oks=outcomes, rise=counts, fall=counts, is_up=st.booleans())
def test_enough_equal_outcomes_settle_any_state(
    is_oks: list[bool], rise: int, fall: int, is_up: bool
) -> None:
    settled = [is_up] * (rise if is_up else fall)
    last = walk(is_oks + settled, rise=rise, fall=fall)[-1]
    assert last == Hysteresis(health=Health.UP if is_up else Health.DOWN)


@hypothesis.given(is_oks=outcomes, rise=counts, fall=counts)
def test_the_streak_stays_below_what_would_change_the_health(
    is_oks: list[bool], rise: int, fall: int
) -> None:
    assert all(-fall < state.streak < rise for state in walk(is_oks, rise=rise, fall=fall))


def settle_all(asked: list[tuple[float, model.Action]]) -> list[tuple[float, Membership]]:
    """Return (time, membership) after each ask; the asks are ``(seconds since the last, wanted)``.

    As the agent does, a deadline that lies between two asks is asked about when it comes.
    """
    now, wanted, membership = 0.0, KEEP, Membership()
    history = [(now, membership)]
    for pause, next_wanted in asked:
        if membership.until is not None and membership.until < now + pause:
            membership = damper.after(membership, wanted, HOLD, membership.until)
            history.append((history[-1][1].until or now, membership))
        now, wanted = now + pause, next_wanted
        membership = damper.after(membership, wanted, HOLD, now)
        history.append((now, membership))
    return history


def is_better(one: model.Action, other: model.Action) -> bool:
    return model.SEVERITY[one] < model.SEVERITY[other]


def test_worse_takes_effect_at_once() -> None:
    assert damper.after(Membership(), WITHDRAW, HOLD, 7).action is WITHDRAW


def test_better_waits_for_the_hold_down() -> None:
    out = damper.after(Membership(), WITHDRAW, HOLD, 0)
    waiting = damper.after(out, KEEP, HOLD, 10)
    assert (waiting.action, waiting.until) == (WITHDRAW, 11)
    assert damper.after(waiting, KEEP, HOLD, 10.9).action is WITHDRAW
    assert damper.after(waiting, KEEP, HOLD, 11) == Membership(action=KEEP, leaves=(0,))


def test_a_relapse_starts_the_hold_down_anew() -> None:
    out = damper.after(Membership(), WITHDRAW, HOLD, 0)
    waiting = damper.after(out, KEEP, HOLD, 10)
    relapsed = damper.after(waiting, WITHDRAW, HOLD, 10.5)
    assert relapsed.until is None
    assert damper.after(relapsed, KEEP, HOLD, 10.8).until == pytest.approx(11.8)


def test_a_hold_down_of_zero_lets_better_in_at_once() -> None:
    hold = config.HoldDown(initial=0)
    assert damper.after(Membership(action=WITHDRAW), KEEP, hold, 5).action is KEEP


@pytest.mark.parametrize(
    ("leaves", "delay"),
    [(0, 1), (1, 1), (3, 1), (4, 2), (5, 4), (8, 32), (9, 60), (32, 60)],
)
def test_the_hold_down_doubles_after_the_third_leave_up_to_the_maximum(
    leaves: int, delay: float
) -> None:
    membership = Membership(action=WITHDRAW, leaves=tuple(float(n) for n in range(leaves)))
    assert damper.after(membership, KEEP, HOLD, 100).until == 100 + delay


def test_leaves_older_than_the_window_are_forgotten() -> None:
    membership = Membership(action=WITHDRAW, leaves=(0, 1, 2, 3, 650))
    assert damper.after(membership, WITHDRAW, HOLD, 603).leaves == (3, 650)


def test_withdrawing_after_deprioritising_is_one_leave() -> None:
    softened = damper.after(Membership(), DEPRIORITISE, HOLD, 1)
    assert damper.after(softened, WITHDRAW, HOLD, 2).leaves == (1,)


@hypothesis.given(asks)
def test_nothing_gets_better_before_its_hold_down(asked: list[tuple[float, model.Action]]) -> None:
    for (_, before), (now, after) in itertools.pairwise(settle_all(asked)):
        if is_better(after.action, before.action):
            assert before.until is not None
            assert now >= before.until


@hypothesis.given(asks)
def test_the_action_in_force_is_never_milder_than_what_is_wanted(
    asked: list[tuple[float, model.Action]],
) -> None:
    now, membership = 0.0, Membership()
    for pause, wanted in asked:
        now += pause
        membership = damper.after(membership, wanted, HOLD, now)
        assert not is_better(membership.action, wanted)


@hypothesis.given(asks)
def test_the_deadline_stands_exactly_while_better_is_wanted(
    asked: list[tuple[float, model.Action]],
) -> None:
    now, membership = 0.0, Membership()
    for pause, wanted in asked:
        now += pause
        membership = damper.after(membership, wanted, HOLD, now)
        assert (membership.until is not None) == is_better(wanted, membership.action)
        assert membership.until is None or membership.until > now


def test_each_fall_back_from_deprioritised_is_a_leave_too() -> None:
    """Else a class that swings between the two lower actions would never be held down longer."""
    now, membership = 0.0, damper.after(Membership(), WITHDRAW, HOLD, 0)
    returned = []
    for _ in range(6):
        membership = damper.after(membership, DEPRIORITISE, HOLD, now)
        now = membership.until or now
        membership = damper.after(membership, DEPRIORITISE, HOLD, now)
        returned.append(now)
        membership = damper.after(membership, WITHDRAW, HOLD, now)

    assert returned == [1, 2, 3, 5, 9, 17]


def leaves_of(history: list[tuple[float, Membership]]) -> list[float]:
    """Return when it got worse for the first time, or after it had got better."""
    found, is_open = [], True
    for (_, before), (now, after) in itertools.pairwise(history):
        if is_better(before.action, after.action):
            if is_open:
                found.append(now)
            is_open = False
        elif is_better(after.action, before.action):
            is_open = True
    return found


@hypothesis.given(asks)
def test_no_toggling_leaves_more_often_than_the_hold_downs_allow(
    asked: list[tuple[float, model.Action]],
) -> None:
    """1+1+1+2+4+8+16 seconds lie between 8 leaves, and 17 fill 600 seconds with 60 each."""
    times = leaves_of(settle_all(asked))

    for end in times:
        assert sum(end - 60 <= time <= end for time in times) <= 8
        assert sum(end - HOLD.window <= time <= end for time in times) <= 17


def test_a_class_asked_to_flap_all_the_time_leaves_17_times_in_ten_minutes() -> None:
    """The bounds of the test above are reached, so they are no empty promise."""
    now, membership, left = 0.0, Membership(), []
    while now <= HOLD.window:
        wanted = WITHDRAW if membership.action is KEEP else KEEP
        after = damper.after(membership, wanted, HOLD, now)
        if membership.action is KEEP and after.action is WITHDRAW:
            left.append(now)
        membership, now = after, after.until or now
    assert len(left) == 17
    assert left[:8] == [0, 1, 2, 3, 5, 9, 17, 33]


@hypothesis.given(asks)
def test_the_memory_of_a_membership_is_bounded(asked: list[tuple[float, model.Action]]) -> None:
    hold = config.HoldDown(initial=0, window=1e9)
    now, membership = 0.0, Membership()
    for pause, wanted in asked:
        now += pause
        membership = damper.after(membership, wanted, hold, now)
        assert len(membership.leaves) <= damper.LEAVES_KEPT


@hypothesis.given(asks)
def test_equal_inputs_give_equal_histories(asked: list[tuple[float, model.Action]]) -> None:
    assert settle_all(asked) == settle_all(list(asked))


@hypothesis.given(st.lists(st.floats(min_value=0, max_value=20), max_size=60))
def test_no_more_than_three_changes_are_taken_in_any_ten_seconds(pauses: list[float]) -> None:
    now, all_taken = 0.0, list[float]()
    taken: tuple[float, ...] = ()
    for wait in pauses:
        now += wait + pace.pause(taken, now + wait)
        taken = pace.noted(taken, now)
        all_taken.append(now)
    for moment in all_taken:
        assert sum(moment - 9.99 < other <= moment for other in all_taken) <= 3


def test_three_changes_are_taken_at_once_and_the_fourth_waits() -> None:
    taken: tuple[float, ...] = ()
    for now in (100.0, 100.0, 101.0):
        assert pace.pause(taken, now) == 0
        taken = pace.noted(taken, now)

    assert pace.pause(taken, 102.0) == 8
    assert pace.pause(taken, 110.0) == 0
