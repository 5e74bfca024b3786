"""The files that are shared with the engine of BFD, on a real file system."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from exabgp_k8s.adapters import bfd as adapter
from exabgp_k8s.core.facts import bfd
from exabgp_k8s.wire import bfd_state
from tests.support.builders import NODE_IP, TOR_A

WANTED = bfd.Wanted(name="tor-a", address=TOR_A, local=NODE_IP)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "run" / "bfd"


@pytest.fixture
def engine(shared: Path) -> adapter.Engine:
    shared.mkdir(parents=True)
    return adapter.Engine(shared)


def says(shared: Path, *, age: float = 0, problem: str = "", **session: Any) -> None:
    """Write down what the engine would, in one step."""
    now = time.time() - age
    whole = {"address": str(TOR_A), "state": "Up", "since": now - 60, **session}
    document = {"at": now, "problem": problem, "sessions": [whole]}
    (shared / "new").write_text(json.dumps(document))
    (shared / "new").replace(shared / adapter.STATE)


def test_what_was_configured_is_what_the_next_process_finds(shared: Path) -> None:
    adapter.Engine(shared).configure((WANTED,))

    assert adapter.Engine(shared).standing() == (WANTED,)
    assert [each.name for each in shared.iterdir()] == [adapter.CONFIGURATION]


def test_another_user_may_read_the_configuration(shared: Path) -> None:
    adapter.Engine(shared).configure((WANTED,))

    assert (shared / adapter.CONFIGURATION).stat().st_mode & 0o777 == 0o644


def test_nothing_is_made_before_there_is_something_to_say(shared: Path) -> None:
    assert adapter.Engine(shared).standing() == ()
    assert not shared.exists()


def test_a_state_is_told_by_our_own_clock(engine: adapter.Engine, shared: Path) -> None:
    says(shared)

    found = engine.look(5000.0)

    assert found.problem == ""
    assert found.sessions[TOR_A].state is bfd.State.UP
    assert found.sessions[TOR_A].since == pytest.approx(4940, abs=5)


def test_the_same_state_is_the_same_value_again(engine: adapter.Engine, shared: Path) -> None:
    """Else there were a turn every second, for the clocks never agree to the microsecond."""
    began = time.time() - 60
    says(shared, since=began)
    first = engine.look(5000.0)
    says(shared, since=began)

    assert engine.look(5001.3) == first


def test_an_engine_that_was_never_heard_is_named(engine: adapter.Engine) -> None:
    assert "has not written" in engine.look(0).problem


def test_what_the_engine_said_long_ago_says_nothing_of_now(
    engine: adapter.Engine, shared: Path
) -> None:
    says(shared, age=adapter.OLD + 60)

    found = engine.look(0)

    assert "has said nothing for more than 15 s" in found.problem
    assert not found.sessions


def test_a_clock_that_was_set_back_is_not_believed(engine: adapter.Engine, shared: Path) -> None:
    says(shared, age=-3600)

    assert engine.look(0).problem


def test_what_the_engine_itself_complains_of_is_passed_on(
    engine: adapter.Engine, shared: Path
) -> None:
    says(shared, problem="bird refuses its configuration")

    assert engine.look(0).problem == "bird refuses its configuration"


@pytest.mark.parametrize("text", ["", "{", "[]", "x" * (bfd_state.LARGEST + 1)])
def test_garbage_is_named_as_such(engine: adapter.Engine, shared: Path, text: str) -> None:
    (shared / adapter.STATE).write_text(text)

    assert "cannot be understood" in engine.look(0).problem


def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(
    engine: adapter.Engine, shared: Path
) -> None:
    os.mkfifo(shared / adapter.STATE)
    os.mkfifo(shared / adapter.CONFIGURATION)

    assert engine.look(0).problem
    assert engine.standing() == ()


def test_a_link_is_not_followed(engine: adapter.Engine, shared: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (shared / "bird.new").symlink_to(other)
    (shared / adapter.STATE).symlink_to(other)

    engine.configure((WANTED,))

    assert other.read_text() == "mine"
    assert "cannot be read" in engine.look(0).problem
