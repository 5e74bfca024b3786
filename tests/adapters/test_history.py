"""The last decisions: what left and came, in which order, and what becomes of the file."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest

from exabgp_k8s.adapters import history
from exabgp_k8s.core import step
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.shown import history as shown
from exabgp_k8s.shown import layout
from exabgp_k8s.wire import past
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B

WALL = 1_795_660_267.25


class Kept:
    """A history with a clock that somebody sets, written at once."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.wall, self.now = WALL, START
        self._past = history.History(folder, lambda write: write(), lambda: self.wall)

    def take(self, world: World, seconds: float = 60) -> World:
        """Take a turn some time later, and let ExaBGP and the routers obey it."""
        self.now += seconds
        self.wall += seconds
        turn = self.decide(world)
        obeyed = builders.obeyed(turn.world, self.now)
        self._past.note(step.step(obeyed, (events.Tick(),), self.now), self.now)
        return obeyed

    def decide(self, world: World) -> Turn:
        """Take a turn that nobody obeys yet."""
        turn = step.step(world, (events.Tick(),), self.now)
        self._past.note(turn, self.now)
        return turn

    def rows(self, count: int = 200, since: float | None = None) -> list[Any]:
        return self._past.rows(self.now, count, since)


def cordon(world: World, *, is_out: bool = True, now: float = START) -> World:
    node = dataclasses.replace(builders.a_node(), is_unschedulable=is_out)
    return builders.after(world, events.NodeSeen(node=node), now=now)


@pytest.fixture
def kept(tmp_path: pathlib.Path) -> Kept:
    return Kept(tmp_path)


def test_an_agent_that_starts_over_a_running_exabgp_says_so_and_nothing_left(kept: Kept) -> None:
    kept.take(builders.a_serving_world())

    (row,) = kept.rows()
    assert (row["event"], row["changes"]) == ("start", [])
    assert row["at"] == "2026-11-26T02:32:07.250Z"


def test_what_a_cordon_withdrew_is_one_decision_with_its_cause_and_its_time(kept: Kept) -> None:
    world = kept.take(builders.a_serving_world())

    kept.take(cordon(world))

    row = kept.rows()[-1]
    assert {(each["change"], each["class"]) for each in row["changes"]} == {
        ("withdrawn", "services"),
        ("withdrawn", "pods"),
    }
    for each in row["changes"]:
        assert each["peers"] == ["tor-a", "tor-b"]
        assert each["reasons"] == ["cordoned"]
        assert len(each["prefixes"]) == 2
    assert row["acknowledged_seconds"] == 0
    assert (row["awaited"], row["without_session"]) == ([], [])


def test_what_came_back_says_what_it_is_no_longer_kept_by(kept: Kept) -> None:
    world = kept.take(cordon(kept.take(builders.a_serving_world())))
    world = kept.take(cordon(world, is_out=False, now=kept.now))
    kept.take(world, 100)

    changes = [each for row in kept.rows()[2:] for each in row["changes"]]

    assert "announced" in {each["change"] for each in changes}
    assert "cordoned" in {reason for each in changes for reason in each["ended"]}


def test_what_leaves_and_comes_back_at_once_is_two_decisions(kept: Kept) -> None:
    world = builders.a_serving_world()
    world = kept.take(world)
    world = kept.take(cordon(world, now=kept.now))
    world = kept.take(cordon(world, is_out=False, now=kept.now), 0.01)
    kept.take(world, 0.5)

    assert not [
        row
        for row in kept.rows()
        if {"withdrawn", "announced"} <= {each["change"] for each in row["changes"]}
    ]


def test_reasons_that_take_turns_join_while_nothing_leaves_or_comes(kept: Kept) -> None:
    """A check that fails now and then would push everything else out of the list."""
    world = kept.take(cordon(kept.take(builders.a_serving_world()), now=kept.now))
    entries = len(kept.rows())
    for number in range(20):
        asked = events.DrainAsked() if number % 2 == 0 else events.UndrainAsked()
        world = kept.take(builders.after(world, asked, now=kept.now), 0.4)

    assert len(kept.rows()) == entries + 1


def test_turns_that_decide_the_same_are_no_decisions(kept: Kept) -> None:
    world = kept.take(builders.a_serving_world())
    for _ in range(50):
        world = kept.take(world)

    assert len(kept.rows()) == 1


def test_a_session_that_is_lost_is_no_decision(kept: Kept) -> None:
    world = kept.take(builders.a_serving_world())

    kept.take(builders.after(world, builders.down(TOR_A), now=kept.now))

    assert [row["event"] for row in kept.rows()] == ["start"]


def test_a_router_that_is_down_is_named_and_not_waited_for(kept: Kept) -> None:
    world = kept.take(builders.a_serving_world())
    world = builders.after(world, builders.down(TOR_A), now=kept.now)

    turn = step.step(cordon(world, now=kept.now), (events.Tick(),), kept.now)
    kept._past.note(turn, kept.now)
    heard = events.UpdateSent(peer=TOR_B, withdrawn=frozenset(builders.ALL_RANGES))
    for command in turn.commands:
        turn = step.step(turn.world, (events.CommandDone(command=command),), kept.now)
    kept._past.note(step.step(turn.world, (heard,), kept.now + 0.25), kept.now + 0.25)

    row = kept.rows()[-1]
    assert row["without_session"] == ["tor-a"]
    assert row["acknowledged_seconds"] == 0.25


def test_who_has_not_acknowledged_is_named(kept: Kept) -> None:
    world = kept.take(builders.a_serving_world())
    turn = step.step(cordon(world, now=kept.now), (events.Tick(),), kept.now)

    kept._past.note(turn, kept.now)  # a router that does not read

    row = kept.rows()[-1]
    assert row["acknowledged_seconds"] is None
    assert row["awaited"] == ["tor-a", "tor-b"]


def test_a_decision_that_comes_before_the_acknowledgement_does_not_lose_it(
    kept: Kept, tmp_path: pathlib.Path
) -> None:
    """A cordon, and an uncordon at once: nothing comes back before the hold-down ends."""
    world = kept.take(builders.a_serving_world())
    world = kept.decide(cordon(world, now=kept.now)).world
    world = cordon(world, is_out=False, now=kept.now)
    kept.decide(world)

    kept.take(world, 0.25)

    _, withdrawn, withheld = kept.rows()
    assert {each["change"] for each in withdrawn["changes"]} == {"withdrawn"}
    assert {each["change"] for each in withheld["changes"]} == {"withheld"}
    assert (withdrawn["acknowledged_seconds"], withdrawn["awaited"]) == (0.25, [])
    assert not withdrawn["superseded"]
    again = Kept(tmp_path)
    again.now, again.wall = kept.now, kept.wall
    assert again.rows() == kept.rows(), "in the file it stands behind the one after it"
    again.take(world)
    assert [row["number"] for row in again.rows()][:4] == [1, 2, 3, 4]


def test_a_decision_that_was_superseded_before_its_acknowledgement_says_so(
    kept: Kept, tmp_path: pathlib.Path
) -> None:
    """A router that has the next one was perhaps never sent this one."""
    world = kept.take(builders.a_serving_world())
    world = kept.decide(cordon(world, now=kept.now)).world
    world = kept.decide(cordon(world, is_out=False, now=kept.now)).world

    kept.take(world, 100)

    withdrawn, announced = kept.rows()[1], kept.rows()[-1]
    assert withdrawn["acknowledged_seconds"] is None
    assert (withdrawn["superseded"], withdrawn["awaited"]) == (True, ["tor-a", "tor-b"])
    assert {each["change"] for each in announced["changes"]} == {"announced"}
    assert (announced["superseded"], announced["acknowledged_seconds"]) == (False, 0)
    assert "not by tor-a tor-b, superseded" in layout.table(shown.table(kept.rows()), 160)
    assert [row["superseded"] for row in Kept(tmp_path).rows()].count(True) == 1


def test_only_the_last_two_hundred_are_kept_and_the_file_has_an_end(
    kept: Kept, tmp_path: pathlib.Path
) -> None:
    world = kept.take(builders.a_serving_world())
    for number in range(2 * history.KEPT):
        world = kept.take(cordon(world, is_out=number % 2 == 0, now=kept.now), 1000)

    rows = kept.rows()
    assert len(rows) == history.KEPT
    numbers = [row["number"] for row in rows]
    assert numbers == list(range(numbers[0], numbers[0] + history.KEPT))
    limit = history.FILE_SIZE + history.KEPT_SIZE
    assert (tmp_path / history.FILE_NAME).stat().st_size < limit


def test_the_history_outlives_the_agents_process(kept: Kept, tmp_path: pathlib.Path) -> None:
    world = kept.take(builders.a_serving_world())
    world = kept.take(cordon(world, now=kept.now))
    before = kept.rows()

    again = Kept(tmp_path)
    again.now, again.wall = kept.now + 5, kept.wall + 5
    again.take(world)

    rows = again.rows()
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert [row["changes"] for row in rows[:2]] == [row["changes"] for row in before]
    assert rows[1]["acknowledged_seconds"] == before[1]["acknowledged_seconds"]
    assert rows[2]["event"] == "start"


@pytest.mark.parametrize("seconds", [-86400 * 400, 86400 * 400])
def test_a_clock_that_is_set_changes_neither_order_nor_age(kept: Kept, seconds: float) -> None:
    world = kept.take(builders.a_serving_world())
    kept.wall += seconds
    kept.take(cordon(world, now=kept.now), 30)

    rows = kept.rows()

    assert [row["number"] for row in rows] == [1, 2]
    assert [row["seconds"] for row in rows] == [30, 0]
    assert len(kept.rows(since=10)) == 1


GARBAGE = (
    b"",
    b"\0" * 5000,
    b"\xff\xfe{}",
    b"[" * 100_000,
    b"null\n3\n[]\n{}\n",
    b'{"number": "1"}\n',
    b'{"number": 1e999, "at": NaN}\n',
    b"x" * (2 * history.FILE_SIZE),
)


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_in_the_file_ends_nothing_and_what_is_whole_stays(
    tmp_path: pathlib.Path, garbage: bytes
) -> None:
    kept = Kept(tmp_path)
    kept.take(builders.a_serving_world())
    path = tmp_path / history.FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(garbage + b"\n" + whole + whole[: len(whole) // 2])

    again = Kept(tmp_path)
    again.now = kept.now
    again.take(builders.a_serving_world())

    assert [row["event"] for row in again.rows()] == ["start", "start"]


def test_a_line_that_strangers_wrote_is_cut_and_moves_no_cursor(tmp_path: pathlib.Path) -> None:
    change = {
        "change": "withdrawn",
        "class": "services",
        "prefixes": ["\x1b[2J"] * 1000,
        "peers": ["x" * 10_000],
        "reasons": ["a\nb"],
        "ended": [],
        "more": {"prefixes": 3},
    }
    entry = {
        "number": 1, "at": 1.0, "began": 1.0, "boot": "", "event": "change", "changes": [change],
        "acknowledged_seconds": None, "awaited": [], "without_session": [], "left_out": 0,
    }  # fmt: skip
    found = past.load(json.dumps(entry).encode()[: 10 * past.LINE])
    assert found is None, "a line of ours is never so long"
    change["prefixes"], change["peers"] = ["\x1b[2J"], ["x" * 1000]
    (tmp_path / history.FILE_NAME).write_bytes(json.dumps(entry).encode())

    kept = Kept(tmp_path)

    table = layout.table(shown.table(kept.rows()), 80)
    assert table.replace("\n", "").isprintable()
    assert len(table) < 1000


def test_a_folder_that_takes_nothing_costs_the_file_only(tmp_path: pathlib.Path) -> None:
    kept = Kept(tmp_path / "absent")

    kept.take(cordon(kept.take(builders.a_serving_world())))

    assert len(kept.rows()) == 2


def test_a_decision_about_thousands_of_prefixes_is_one_short_line() -> None:
    changes = [
        {
            "change": "withdrawn", "class": "pods", "prefixes": [f"10.{i}.{j}.0/24"],
            "peers": [f"tor-{j}"], "reasons": ["cordoned"], "ended": [], "more": {},
        }
        for i in range(20)
        for j in range(20)
    ]  # fmt: skip

    line = past.dump({"changes": changes})

    assert len(line) <= past.LINE
    found = json.loads(line)
    assert len(found["changes"]) + found["left_out"] == len(changes)


def test_the_table_says_when_what_to_whom_why_and_how_long(kept: Kept) -> None:
    kept.take(cordon(kept.take(builders.a_serving_world())))

    table = layout.table(shown.table(kept.rows()), 160)

    assert table.splitlines()[0].split() == list(shown.HEADINGS)
    assert "started" in table
    assert "withdrawn" in table
    assert "tor-a tor-b" in table
    assert "cordoned" in table
    assert "0 ms" in table
