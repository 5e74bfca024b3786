"""The thread that asks the API servers: its pauses, its end, and what it outlives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import due, turns
from tests.support import kubeapi


class Task:
    """Counts its turns; each may be made to fail, and has the pause that is set."""

    def __init__(self, pause: turns.Pause = turns.UNTIL_WOKEN) -> None:
        self.pause = pause
        self.made = 0
        self.moments: list[float] = []
        self.woken: list[bool] = []
        self.failures: list[errors.KubeError] = []
        self.forgot = threading.Event()
        self.errors: list[Exception] = []
        self.thread = turns.Turns(self, name="test", about="a test")

    def turn(self) -> turns.Pause:
        self.moments.append(time.monotonic())
        self.woken.append(self.thread.was_woken)
        self.made += 1
        if self.errors:
            raise self.errors.pop()
        return self.pause

    def failed(self, error: errors.KubeError) -> turns.Pause:
        self.failures.append(error)
        return turns.AT_ONCE

    def forget(self) -> None:
        self.forgot.set()


@pytest.fixture
def begin() -> Iterator[Callable[[Task], Task]]:
    """Start the thread of a task; it ends with the test."""
    begun = []

    def started(task: Task) -> Task:
        begun.append(task)
        task.thread.start()
        return task

    yield started
    for task in begun:
        task.thread.stop()
    kubeapi.until(lambda: not any(task.thread.is_alive for task in begun))


def test_whoever_wakes_it_has_the_next_turn_at_once(begin: Callable[[Task], Task]) -> None:
    task = begin(Task())
    kubeapi.until(lambda: task.made == 1)
    task.thread.wake()
    kubeapi.until(lambda: task.made == 2)
    assert task.woken == [False, True]


def test_a_pause_that_is_over_is_no_wish(begin: Callable[[Task], Task]) -> None:
    task = begin(Task(turns.Pause(0.01)))
    kubeapi.until(lambda: task.made >= 3)
    assert not any(task.woken[:3])


def test_nobody_shortens_the_least_pause(begin: Callable[[Task], Task]) -> None:
    task = begin(Task(turns.Pause(3600, least=0.5)))
    kubeapi.until(lambda: task.made == 1)
    task.thread.wake()
    kubeapi.until(lambda: task.made == 2)
    assert task.moments[1] - task.moments[0] >= 0.5


def test_its_end_shortens_the_least_pause(begin: Callable[[Task], Task]) -> None:
    task = begin(Task(turns.Pause(3600, least=3600)))
    kubeapi.until(lambda: task.made == 1)
    task.thread.stop()
    kubeapi.until(lambda: not task.thread.is_alive)


def test_a_failed_request_is_the_tasks_to_judge_and_nothing_is_forgotten(
    begin: Callable[[Task], Task],
) -> None:
    task, refused = Task(), errors.KubeError("no", status=503)
    task.errors = [refused]
    begin(task)
    kubeapi.until(lambda: task.made == 2)
    assert task.failures == [refused]
    assert not task.forgot.is_set()


def test_an_error_of_ours_is_a_failure_and_what_it_may_have_come_from_is_forgotten(
    begin: Callable[[Task], Task],
) -> None:
    task = Task()
    task.errors = [ZeroDivisionError("nobody thought of this")]
    begin(task)
    kubeapi.until(lambda: task.made == 2)
    assert task.forgot.is_set()
    assert "nobody thought of this" in str(task.failures[0])


def test_what_was_never_done_is_due() -> None:
    assert due.Due().is_now
    assert due.Due().seconds == 0


def test_what_was_put_off_is_due_later_and_at_once_if_need_be() -> None:
    moment = due.Due()
    moment.after(3600)
    assert not moment.is_now
    assert 3000 < moment.seconds <= 3600
    moment.at_once()
    assert moment.is_now


def test_what_two_nodes_put_off_for_equally_long_is_not_due_in_the_same_moment() -> None:
    moments = [due.Due() for _ in range(20)]
    for moment in moments:
        moment.after(1000, spread=0.2)
    assert all(700 < moment.seconds <= 1200 for moment in moments)
    assert len({round(moment.seconds) for moment in moments}) > 10
