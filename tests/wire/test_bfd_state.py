"""What the engine of BFD writes down, and what anybody else might."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from hypothesis import given

from exabgp_k8s.core.facts import bfd
from exabgp_k8s.wire import bfd_state
from tests.wire import documents

SESSION: dict[str, Any] = {
    "address": "192.0.2.1",
    "interface": "eth0",
    "local": "192.0.2.11",
    "state": "Up",
    "since": 1_700_000_000.5,
    "diagnostic": None,
    "interval": 300,
    "detect": 900,
    "downs": 2,
}


def load(*sessions: Any, **more: Any) -> bfd_state.Report | None:
    document = {"at": 1_700_000_100, "problem": "", "sessions": [*sessions], **more}
    return bfd_state.load(json.dumps(document))


def one(**changes: Any) -> bfd.Session | None:
    found = load(SESSION | changes)
    assert found is not None
    return next(iter(found.sessions), None)


def test_a_session_is_read() -> None:
    assert one() == bfd.Session(
        address=ipaddress.ip_address("192.0.2.1"),
        state=bfd.State.UP,
        since=1_700_000_000.5,
        interval=300,
        detect=900,
        downs=2,
    )


def test_a_link_local_router_is_known_with_its_link() -> None:
    found = one(address="fe80::1", interface="eth1.100")

    assert found is not None
    assert found.address == ipaddress.ip_address("fe80::1%eth1.100")


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "192.0.2.300"},
        {"address": 1},
        {"address": "fe80::1", "interface": None},
        {"address": "fe80::1", "interface": "eth0\n"},
        {"state": "Sideways"},
        {"state": ["Up"]},
        {"state": None},
    ],
)
def test_a_session_that_cannot_be_understood_is_left_out(changes: dict[str, Any]) -> None:
    assert one(**changes) is None


@pytest.mark.parametrize("wrong", [-1, 1e300, "3", True, None, [], {}])
def test_a_number_that_is_none_is_not_known(wrong: Any) -> None:
    found = one(diagnostic=wrong, interval=wrong, detect=wrong, downs=wrong, since=wrong)

    assert found is not None
    assert (found.diagnostic, found.interval, found.detect) == (None, None, None)
    assert (found.downs, found.since) == (0, 0)


def test_what_is_wrong_with_the_engine_is_one_printable_line() -> None:
    found = load(problem="no\n\x1b[31mroute" + "x" * 1000)

    assert found is not None
    assert found.problem.isprintable()
    assert len(found.problem) <= 200


def test_more_sessions_than_a_node_can_have_are_left_out() -> None:
    found = load(*({**SESSION, "address": f"10.0.{n >> 8}.{n & 255}"} for n in range(1000)))

    assert found is not None
    assert len(found.sessions) == bfd.MOST


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"at": "now"}', '{"at": NaN}', '{"at": -1}', "[" * 100_000],
)
def test_what_is_something_else_is_nothing(text: str) -> None:
    assert bfd_state.load(text) is None


@given(documents.JSON)
def test_any_document_is_read_or_not(document: Any) -> None:
    bfd_state.load(json.dumps(document))
    load(document, problem=document)
    load({**SESSION, "address": document, "state": document})
