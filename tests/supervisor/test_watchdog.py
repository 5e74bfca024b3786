"""What the supervisor does about a fault, and what about the next one, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.adapters import heartbeat
from exabgp_k8s.supervisor.watchdog import (
    FAULTS_APART,
    NOTICE_LIMIT,
    SILENCE_LIMIT,
    START_LIMIT,
    SUCCESSOR_LIMIT,
    TURN,
    UNANSWERED,
    Answer,
    Watchdog,
)

STEP = 0.5


class Node:
    """An agent and an ExaBGP that behave as told, and the watchdog's answers in their time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.watchdog = Watchdog()
        self.answers: list[tuple[float, Answer]] = []
        self.agent = 100
        self.beats = True
        self.exabgp_respawns = True
        self.ready, self.share = 0.0, 0.0
        """Seconds that the agent waited for a processor, and how much of each from now on."""
        self.watchdog.started(self.now)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self.now += STEP
            self.ready += self.share * STEP
            self.watchdog.turned(self.now, lambda: {self.agent: self.ready})
            if self.beats:
                self._take(self.watchdog.heard(str(self.agent).encode(), self.now))
            self._take(self.watchdog.look(self.now, lambda pid: pid == self.agent))

    def say_unanswered(self) -> None:
        """Let the agent report that ExaBGP does not answer, and end."""
        self.beats = False
        self._take(self.watchdog.heard(UNANSWERED + str(self.agent).encode(), self.now))

    def _take(self, answer: Answer) -> None:
        if answer is Answer.NOTHING:
            return
        self.answers.append((self.now, answer))
        if answer is Answer.KILL_AGENT and self.exabgp_respawns:
            self.agent += 1
        if answer is Answer.KILL_BOTH:
            self.watchdog.ended()
            self.watchdog.started(self.now)
            self.agent += 1

    @property
    def kinds(self) -> list[Answer]:
        """The answers without their times."""
        return [answer for _, answer in self.answers]


@pytest.fixture
def node() -> Node:
    """A node where all is well."""
    found = Node()
    found.run(5)
    return found


def test_nothing_is_done_while_all_is_well(node: Node) -> None:
    node.run(1000)

    assert node.answers == []


def test_a_silent_agent_is_killed_and_one_that_beats_again_is_left_alone(node: Node) -> None:
    node.beats = False
    node.run(SILENCE_LIMIT)
    node.beats = True
    node.run(100)

    assert node.answers == [(5 + SILENCE_LIMIT, Answer.KILL_AGENT)]


@pytest.mark.fault(
    area="our processes",
    what="the agent hangs again and again, a moment after each start",
    sees="nothing at the first time; then the sessions close, and the routes are gone",
    within="33 s until the container ends; 61 s where no other one comes up",
)
def test_an_agent_that_hangs_after_each_start_ends_the_container(node: Node) -> None:
    for _ in range(3):
        node.beats = True
        node.run(STEP)
        node.beats = False
        node.run(SILENCE_LIMIT)

    assert node.kinds == [Answer.KILL_AGENT, Answer.KILL_BOTH, Answer.END]
    assert node.answers[-1][0] - node.answers[0][0] <= 33 - SILENCE_LIMIT


def test_an_agent_that_never_comes_up_again_ends_the_container(node: Node) -> None:
    node.beats = False
    node.run(SILENCE_LIMIT + SUCCESSOR_LIMIT + START_LIMIT)

    assert node.kinds == [Answer.KILL_AGENT, Answer.KILL_BOTH, Answer.END]


@given(st.floats(min_value=0.5, max_value=FAULTS_APART - SILENCE_LIMIT - 1))
def test_beats_between_two_hangs_do_not_make_the_second_the_first(well: float) -> None:
    node = Node()
    node.run(5)
    for _ in range(3):
        node.beats = False
        node.run(SILENCE_LIMIT + STEP)
        node.beats = True
        node.run(well)

    assert node.kinds[:3] == [Answer.KILL_AGENT, Answer.KILL_BOTH, Answer.END]


@pytest.mark.fault(
    area="our processes",
    what="the agent hangs once in every few minutes",
    sees="nothing",
    within="unwatched for 10 s of every 70 s at most",
)
def test_hangs_far_apart_never_cost_a_session(node: Node) -> None:
    for _ in range(20):
        node.beats = False
        node.run(SILENCE_LIMIT)
        node.beats = True
        node.run(FAULTS_APART + 1)

    assert set(node.kinds) == {Answer.KILL_AGENT}


@pytest.mark.fault(
    area="our processes",
    what="the whole container stands still for a while: paused, or on a node that is too busy",
    sees="nothing of ours; a session whose hold time is over meanwhile closes, and is back",
    within="0 s; the hold time",
)
@pytest.mark.parametrize("seconds", [SILENCE_LIMIT / 2, SILENCE_LIMIT + 0.5, 600])
def test_an_agent_is_not_killed_for_a_time_in_which_the_supervisor_did_not_run_either(
    node: Node, seconds: float
) -> None:
    node.beats = False
    node.run(1)
    node.now += seconds
    node.run(SILENCE_LIMIT / 2)
    node.beats = True
    node.run(100)

    assert node.answers == []


def test_after_a_standstill_an_agent_that_hangs_is_killed_all_the_same(node: Node) -> None:
    node.beats = False
    node.now += 600
    node.run(SILENCE_LIMIT)

    assert node.kinds == [Answer.KILL_AGENT]


def test_a_start_that_waits_for_a_processor_takes_as_long_as_it_takes() -> None:
    """As at a boot, when everything starts at once; killed for it, it would begin again."""
    node = Node()
    node.beats, node.share = False, 0.9
    node.run(9 * START_LIMIT)
    node.beats = True
    node.run(100)

    assert node.answers == []


def test_the_time_that_an_agent_had_before_it_hung_is_no_excuse(node: Node) -> None:
    node.ready = 3600
    node.beats = False
    node.run(SILENCE_LIMIT)

    assert node.kinds == [Answer.KILL_AGENT]


def test_on_a_node_too_busy_for_a_turn_in_time_an_agent_that_hangs_is_killed_later(
    node: Node,
) -> None:
    node.beats = False
    for _ in range(5):
        node.now += 2 * TURN
        node.run(STEP)

    assert node.kinds == [Answer.KILL_AGENT]


def test_an_exabgp_that_does_not_notice_the_agents_end_is_killed_at_once(node: Node) -> None:
    node.exabgp_respawns = False
    node.say_unanswered()
    node.run(NOTICE_LIMIT)

    assert node.answers == [(5, Answer.KILL_AGENT), (5 + NOTICE_LIMIT, Answer.KILL_BOTH)]


def test_an_answer_that_was_lost_once_costs_no_session(node: Node) -> None:
    node.say_unanswered()
    node.beats = True
    node.run(100)

    assert node.kinds == [Answer.KILL_AGENT]


def test_a_successor_that_starts_slowly_costs_no_session(node: Node) -> None:
    node.say_unanswered()
    node.beats = False
    node.run(SUCCESSOR_LIMIT - STEP)
    node.beats = True
    node.run(100)

    assert node.kinds == [Answer.KILL_AGENT]


def test_an_exabgp_that_never_answers_is_killed_and_then_the_container_ends(node: Node) -> None:
    for _ in range(3):
        node.beats = True
        node.run(5)
        node.say_unanswered()

    assert node.kinds == [Answer.KILL_AGENT, Answer.KILL_BOTH, Answer.END]


def test_an_exabgp_whose_agent_never_starts_is_killed() -> None:
    node = Node()
    node.beats = False
    node.run(START_LIMIT)

    assert node.kinds == [Answer.KILL_BOTH]


def test_a_last_word_of_an_agent_whose_exabgp_ended_changes_nothing(node: Node) -> None:
    node.watchdog.ended()
    node.run(1)
    node.beats = False
    node.run(1000)

    assert node.answers == []


def test_what_is_no_sign_of_life_is_none(node: Node) -> None:
    for said in (b"", b"x", UNANSWERED, b"-1"):
        assert node.watchdog.heard(said, node.now) is Answer.NOTHING


def test_both_sides_say_unanswered_alike() -> None:
    assert heartbeat.UNANSWERED == UNANSWERED
