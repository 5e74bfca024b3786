"""Each node in one word, its foremost reason, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from exabgp_k8s.cluster import advice, states
from exabgp_k8s.cluster.states import Standing, State
from exabgp_k8s.core.facts import model
from tests.cluster import samples


def one(speaker: dict[str, Any] | None, node: dict[str, Any] | None, **at: float) -> Standing:
    """Return the standing of the only node."""
    found = samples.take([node] if node else [], [speaker] if speaker else [], **at)
    (standing,) = found.nodes.values()
    return standing


READY = samples.node("n1")


@pytest.mark.parametrize(
    ("speaker", "state", "reason", "do"),
    [
        (samples.well(1), State.ANNOUNCING, "", ""),
        (samples.cordoned(1), State.WITHHELD, "cordoned", "kubectl uncordon n1"),
        (samples.failing(1), State.PARTLY, "unhealthy:kube-proxy", "exabgp-k8s checks"),
        (samples.refused(1), State.SESSIONS_DOWN, "waiting for the session", "AS numbers"),
        (samples.stale(1), State.STALE_SETTINGS, "settings-refused", "config validate"),
    ],
    ids=["well", "cordoned", "failing", "refused", "stale"],
)
def test_a_node_is_in_one_word_with_its_reason_its_moment_and_what_to_do(
    speaker: dict[str, Any], state: State, reason: str, do: str
) -> None:
    found = one(speaker, READY)

    assert (found.state, found.reason) == (state, reason)
    assert found.since == (samples.HAPPENED if reason else None)
    assert all(do in each.do for each in found.faults)
    assert bool(found.faults) == bool(reason)


def test_a_node_that_is_not_ready_is_never_healthy_whatever_its_agent_said_last() -> None:
    found = one(samples.well(1), samples.node("n1", ready="Unknown"))

    assert found.state is State.NOT_READY
    assert (found.reason, found.since) == ("NodeStatusUnknown", samples.HAPPENED)
    assert not found.is_well
    assert not found.is_current


def test_a_node_without_the_condition_is_not_known_to_be_ready() -> None:
    found = one(samples.well(1), {"metadata": {"name": "n1"}})

    assert found.state is State.NOT_READY


def test_an_agent_that_missed_its_heartbeat_is_silent_since_it_last_wrote() -> None:
    heard = samples.NOW - 400
    late = one(samples.well(1), READY, now=heard + states.SILENT_AFTER)
    silent = one(samples.well(1), READY, now=heard + states.SILENT_AFTER + 1)

    assert late.state is State.ANNOUNCING
    assert (silent.state, silent.since) == (State.SILENT, samples.HEARD)
    assert not silent.is_well


def test_a_cordon_excuses_no_agent_that_is_silent() -> None:
    cordoned = samples.node("n1", is_cordoned=True)
    later = samples.NOW + 90_000

    found = one(samples.cordoned(1), cordoned, now=later)

    assert (found.state, found.is_well) == (State.SILENT, False)


def test_an_agent_whose_clock_runs_ahead_is_silent_when_it_has_ended() -> None:
    ahead = one(samples.well(1), READY, now=samples.NOW - 400 - states.SILENT_AFTER - 1)

    assert ahead.state is State.SILENT


def test_an_agent_that_never_said_when_it_wrote_is_silent() -> None:
    assert one(samples.well(1, lastContact="soon"), READY).state is State.SILENT


def test_a_node_without_an_object_has_no_speaker_since_it_is_there() -> None:
    found = one(None, READY)

    assert (found.state, found.since) == (State.NO_SPEAKER, samples.BEGAN)
    assert not found.is_well


def test_an_object_without_a_node_is_gone() -> None:
    assert one(samples.well(1), None).state is State.GONE


def test_what_somebody_did_on_purpose_is_as_it_should_be() -> None:
    assert one(samples.cordoned(1), READY).is_well
    assert not one(samples.failing(1), READY).is_well


def test_a_cordoned_node_that_reboots_is_as_it_should_be() -> None:
    found = one(samples.cordoned(1), samples.node("n1", ready="Unknown", is_cordoned=True))

    assert found.state is State.NOT_READY
    assert found.is_well


def test_one_session_of_two_that_is_down_is_named_though_all_is_announced() -> None:
    down = samples.session("tor-b", state="Idle", lastError="no answer", since=samples.HAPPENED)
    summary = {"sessions": "1/2", "services": "announced", "pods": "announced"}
    found = one(samples.well(1, sessions=[samples.session("tor-a"), down], summary=summary), READY)

    assert (found.state, found.reason) == (State.SESSIONS_DOWN, "no answer")
    assert found.faults[0].about == "session tor-b"


def test_a_prefix_kept_from_one_router_whose_session_is_up_is_partly_announced() -> None:
    why = {"reason": "no-next-hop:ipv4", "since": samples.HAPPENED, "peers": ["tor-b"]}
    lacking = samples.prefix(samples.SERVICES, "services", sent=1, sentTo=["tor-a"], reasons=[why])
    found = one(samples.well(1, prefixes=[lacking]), READY)

    assert found.state is State.PARTLY
    assert found.faults[0].peers == ("tor-b",)


def test_nothing_sent_yet_is_waiting_and_not_well() -> None:
    summary = {"sessions": "2/2", "services": "waiting", "pods": "waiting"}
    found = one(samples.well(1, summary=summary, prefixes=[]), READY)

    assert found.state is State.WAITING
    assert not found.is_well


def test_a_reason_that_only_says_that_the_session_is_down_is_not_told_twice() -> None:
    faults = one(samples.refused(1), READY).faults

    assert [each.about for each in faults] == ["session tor-a", "session tor-b"]


@pytest.mark.parametrize("reason", model.Reason)
def test_each_reason_has_a_sentence_that_says_what_to_do(reason: model.Reason) -> None:
    assert advice.OF_REASONS[reason].strip()
    assert "NODE" not in advice.of_reason(f"{reason}:detail", "n1")
