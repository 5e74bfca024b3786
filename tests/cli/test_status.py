"""What ``status`` and ``sessions`` say of BFD, from the very rows of an agent."""

from __future__ import annotations

from typing import Any

import pytest

from exabgp_k8s.cli import session, status
from exabgp_k8s.core.facts import bfd
from exabgp_k8s.core.report import rows, summary
from exabgp_k8s.shown import status as shown_status
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B

NOW = START + 60
PEERS = (builders.a_peer(bfd=bfd.Timing()), builders.a_peer("tor-b", TOR_B))


def turn(seen: bfd.Seen | None = None, *, is_asked: bool = True) -> Any:
    settings = builders.a_config(peers=PEERS) if is_asked else None
    world = builders.a_serving_world(settings=settings)
    return builders.turn(builders.after(world, *([seen] if seen else [])), NOW)


def seen(state: bfd.State, **more: Any) -> bfd.Seen:
    found = bfd.Session(address=TOR_A, state=state, since=START, **more)
    return bfd.Seen(sessions={TOR_A: found})


@pytest.mark.parametrize(
    ("said", "lines", "is_well"),
    [
        (seen(bfd.State.UP), [("bfd", "1 up of 1")], True),
        (
            seen(bfd.State.DOWN, downs=1),
            [("bfd", "0 up of 1"), ("", "tor-a: bfd-down")],
            True,
        ),
        (bfd.Seen(problem="it is away"), [("bfd", "0 up of 1"), ("", "it is away")], False),
    ],
    ids=["up", "down", "the engine is away"],
)
def test_an_engine_that_is_away_is_for_somebody_to_act_and_a_router_that_is_not_heard_is_not(
    said: bfd.Seen, lines: list[tuple[str, str]], is_well: bool
) -> None:
    answer = summary.status(turn(said), NOW)

    shown = [*shown_status.lines(answer)]
    at = shown.index(lines[0])
    assert shown[at : at + len(lines)] == lines
    assert status.is_well(answer) == is_well


def test_a_node_without_bfd_says_nothing_of_it() -> None:
    answer = summary.status(turn(is_asked=False), NOW)

    assert "bfd" not in dict(shown_status.lines(answer))
    assert status.is_well(answer)


def test_one_session_is_shown_with_what_was_agreed_on() -> None:
    found = turn(seen(bfd.State.DOWN, diagnostic=1, downs=3, interval=300, detect=900))
    row = rows.sessions(found, NOW)[0]

    shown = dict(session._bfd(row["bfd"]))
    assert shown["BFD"] == "Down for 00:01:00, 300 ms x 3"
    assert shown["BFD agreed"] == "the router counts as lost after 900 ms"
    assert shown["BFD lost"] == "3 times"
    assert shown["BFD problem"] == "bfd-down: nothing heard in the detection time"
