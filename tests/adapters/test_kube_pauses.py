"""A server that fails is asked less and less, and soon again when it is back."""

from __future__ import annotations

import pathlib
import time

import pytest

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import attempts, backoff, reflector
from exabgp_k8s.core.facts import events
from tests.adapters import reflecting
from tests.support import kubeapi


def test_a_server_that_ends_every_watch_at_once_is_asked_less_and_less(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """With the library's Watch it would be asked more than a thousand times a second."""
    server.inject_always(kubeapi.instant_end, kubeapi.WATCH)
    began = time.monotonic()
    with reflecting.Run(server, tmp_path, reflecting.failing_slowly(0.1)) as run:
        run.got.wait_for(reflecting.is_seen)
        time.sleep(0.7)
        assert server.count(kubeapi.WATCH) <= reflecting.at_most(5, 0.7, began)
        server.heal()
        run.sees_a_cordon()
    assert server.count(kubeapi.LIST) == 1


@pytest.mark.parametrize("kind", [kubeapi.LIST, kubeapi.WATCH])
def test_a_server_that_never_answers_is_asked_less_and_less(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, kind: str
) -> None:
    """Waiting long for an answer is not a watch that lived long."""
    server.inject_always(server.deafness, kind)
    timings, began = reflecting.failing_slowly(0.2), time.monotonic()
    with reflecting.Run(server, tmp_path, timings, answer_timeout=0.5):
        kubeapi.until(lambda: server.count(kind) > 0)
        time.sleep(2)
    assert server.count(kind) <= reflecting.at_most(5, 2, began)


@pytest.mark.fault(
    area="control plane",
    what="the API server is down: asked less and less, every 2 to 4 s in the end",
    sees="nothing",
    within="0 s",
)
def test_a_server_that_is_down_is_asked_less_and_less(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.kill()
    began = time.monotonic()
    with reflecting.Run(server, tmp_path, reflecting.failing_slowly(0.1)) as run:
        run.got.wait_for(reflecting.is_lost)
        time.sleep(0.7)
        assert len(run.got.of(events.KubeLost)) <= reflecting.at_most(5, 0.7, began)
        server.restart()
        run.got.wait_for(reflecting.is_seen)


def test_retry_after_is_respected(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> None:
    server.inject(kubeapi.status(429, "1"), kubeapi.LIST)
    before = time.monotonic()
    with reflecting.Run(server, tmp_path) as run:
        run.got.wait_for(reflecting.is_seen)
        assert time.monotonic() - before >= 1


@pytest.mark.fault(
    area="control plane",
    what="429 with Retry-After of six hours",
    sees="nothing; a cordon is heard",
    within="60 s",
)
def test_retry_after_cannot_silence_an_agent_for_hours(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.inject(kubeapi.status(429, "21600"), kubeapi.LIST)
    with reflecting.Run(
        server, tmp_path, reflector.Timings(pauses=attempts.Pauses(longest_retry_after=0.1))
    ) as run:
        run.got.wait_for(reflecting.is_seen)


def test_delays_double_up_to_the_ceiling_with_half_of_it_as_jitter() -> None:
    steps = backoff.Backoff(0.8, 30)
    for expected in (0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30):
        assert expected / 2 <= steps.delay() <= expected


UNREACHABLE = errors.Unreachable("refused")
REFUSED = errors.KubeError("no", status=503)


def test_a_server_that_is_not_there_is_asked_every_few_seconds_however_long_that_lasts() -> None:
    """Its kernel answers, or nobody: it costs nobody anything, and its return must be noticed."""
    asked = attempts.Attempts(attempts.Pauses(patience=0))
    pauses = [asked.failed(UNREACHABLE) for _ in range(50)]
    assert max(pauses) <= 4
    assert min(pauses[5:]) >= 2


def test_the_time_that_an_attempt_took_is_a_part_of_the_pause() -> None:
    asked = attempts.Attempts(attempts.Pauses(first=4))
    assert asked.failed(UNREACHABLE, took=3) <= 1


def test_a_server_that_answers_with_errors_is_given_a_while_and_then_asked_less_and_less() -> None:
    asked = attempts.Attempts(attempts.Pauses())
    assert max(asked.failed(REFUSED) for _ in range(50)) <= 4
    asked = attempts.Attempts(attempts.Pauses(patience=0))
    assert max(asked.failed(REFUSED) for _ in range(50)) > 15


def test_a_server_that_has_just_begun_to_answer_is_asked_again_soon() -> None:
    """While its caches fill it refuses a valid token, for some tens of milliseconds."""
    asked = attempts.Attempts(attempts.Pauses())
    for _ in range(10):
        asked.failed(UNREACHABLE)
    assert asked.failed(REFUSED) <= 0.8


@pytest.mark.parametrize("error", [REFUSED, UNREACHABLE])
def test_another_server_is_asked_at_once_but_not_again_and_again(error: errors.KubeError) -> None:
    """Each may fail just after it has answered well, which makes it one that may be asked."""
    asked = attempts.Attempts(attempts.Pauses(spread=0, spread_within=0))
    pauses = [asked.failed(error, has_another=True) for _ in range(40)]
    assert pauses[:5] == [0] * 5
    assert pauses[-1] > 20


def test_a_reset_starts_the_delays_again() -> None:
    steps = backoff.Backoff(0.8, 30)
    for _ in range(20):
        steps.delay()
    steps.reset()
    assert steps.delay() <= 0.8


def test_two_agents_do_not_wait_equally_long() -> None:
    delays = {backoff.Backoff(0.8, 30).delay() for _ in range(20)}
    assert len(delays) > 10
