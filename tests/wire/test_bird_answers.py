"""What BIRD answers, and what anybody else might."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import bfd
from exabgp_k8s.wire import bird_answers

SESSIONS = """\
1020-bfd1:
 IP address                Interface  State      Since         Interval  Timeout
 192.0.2.2                 eth0       Down       1795662408.110    1.000    0.000
 2001:db8::1               ---        AdminDown  1795662408.110    1.000    0.000
 fe80::1                   eth1.100   Up         1795662408.649    0.300    0.900
0000 """


def test_sessions_are_read_with_their_times() -> None:
    down, off, up = bird_answers.sessions(SESSIONS.splitlines())

    assert (down.state, off.state, up.state) == (
        bfd.State.DOWN, bfd.State.ADMIN_DOWN, bfd.State.UP,
    )  # fmt: skip
    assert down.address == ipaddress.ip_address("192.0.2.2")
    assert (up.since, up.interval, up.detect) == (1795662408.649, 300, 900)


def test_a_link_local_router_is_known_with_its_link() -> None:
    assert bird_answers.sessions(SESSIONS.splitlines())[2].address == ipaddress.ip_address(
        "fe80::1%eth1.100"
    )


@pytest.mark.parametrize(
    "line",
    [
        " 192.0.2.300  eth0  Up  1795662408.649  0.300  0.900",
        " 192.0.2.1  eth0  Sideways  1795662408.649  0.300  0.900",
        " 192.0.2.1  eth0  Up  08:15:12.649  0.300  0.900",
        " fe80::1  a;b  Up  1795662408.649  0.300  0.900",
    ],
)
def test_what_is_no_session_is_none(line: str) -> None:
    assert bird_answers.sessions([line]) == ()


def test_a_node_has_so_many_sessions_and_no_more() -> None:
    line = " 192.0.2.1  eth0  Up  1795662408.649  0.300  0.900"

    assert len(bird_answers.sessions([line] * 2 * bfd.MOST)) == bfd.MOST


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["0002-Reading configuration from /a", "8002 /a:1:1 syntax error"],
            "/a:1:1 syntax error",
        ),
        (["9001 syntax error, unexpected \x1b[31m"], "syntax error"),
        (["0002-Reading configuration from /a", "0003 Reconfigured"], ""),
        ([], ""),
    ],
)
def test_a_refusal_is_told_in_birds_own_words(lines: list[str], words: str) -> None:
    found = bird_answers.refusal(lines)

    assert found.startswith(words)
    assert bool(found) is bool(words)
    assert found.isprintable()


@given(st.lists(st.text()))
def test_nothing_that_is_said_is_an_error(lines: list[str]) -> None:
    bird_answers.sessions(lines)
    bird_answers.diagnostics(lines)
    bird_answers.refusal(lines)


DETAILS = """\
1020-bfd1:
   Address:              192.0.2.1
   Interface:            eth0
   Session state:        Down
   Local diagnostic:     Time expired
   Remote diagnostic:    None

   Address:              fe80::1
   Interface:            eth1
   Local diagnostic:     Neighbor down

   Address:              192.0.2.3
   Local diagnostic:     Error #31
0000 """.splitlines()


def test_why_a_session_ended_is_read_where_bird_says_it() -> None:
    assert {str(at): code for at, code in bird_answers.diagnostics(DETAILS).items()} == {
        "192.0.2.1": 1,
        "fe80::1%eth1": 3,
    }


def test_a_bird_that_does_not_say_why_leaves_it_unknown() -> None:
    assert bird_answers.diagnostics(["9001 syntax error, unexpected ALL"]) == {}
