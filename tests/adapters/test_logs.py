"""What reaches standard error from the agent's process, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from exabgp_k8s.logs import lines

SET_UP = "from exabgp_k8s.adapters import logs; import structlog; logs.set_up({form!r})\n"


def run(code: str, form: str = lines.JSON) -> str:
    """Return what a process with our log writes to standard error."""
    argv = [sys.executable, "-c", SET_UP.format(form=form) + code]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stderr


def only(code: str) -> Any:
    """Return the only line that a process writes."""
    (line,) = run(code).splitlines()
    return json.loads(line)


@pytest.mark.parametrize(
    "code",
    [
        "import logging; logging.getLogger('urllib3').warning('retrying %s', 'x')",
        "import warnings; warnings.simplefilter('always'); warnings.warn('old')",
    ],
    ids=["logging", "warnings"],
)
def test_what_a_library_says_is_one_line_of_our_form(code: str) -> None:
    found = only(code)

    assert (found["event"], found["level"]) == ("library.said", "warning")
    assert found["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("raise ValueError('no')", "agent.crashed"),
        (
            "from threading import Thread; t = Thread(target=lambda: 1 / 0); t.start(); t.join()",
            "thread.crashed",
        ),
        ("import logging\ntry: 1/0\nexcept Exception: logging.exception('x')", "library.said"),
    ],
    ids=["process", "thread", "library"],
)
def test_a_traceback_is_part_of_one_line(code: str, event: str) -> None:
    found = only(code)

    assert found["event"] == event
    assert "Traceback (most recent call last)" in found["exception"]


def test_an_event_that_never_ends_is_told_now_and_then() -> None:
    said = run("for n in range(1000): structlog.get_logger().warning('a.b', peer='x', n=n)\n"
               "structlog.get_logger().warning('a.b', peer='y')")  # fmt: skip

    found = [json.loads(line) for line in said.splitlines()]
    assert len(found) == 31
    assert found[-1]["peer"] == "y"


def test_of_many_checks_at_once_each_one_is_told() -> None:
    said = run(
        "for n in range(64): structlog.get_logger().warning('check.missed', check=f'check-{n}')"
    )

    names = {json.loads(line)["check"] for line in said.splitlines()}
    assert names == {f"check-{n}" for n in range(64)}


def test_for_people_at_a_terminal_it_is_text() -> None:
    said = run("structlog.get_logger().info('a.b', x=1)", lines.TEXT)

    assert "a.b" in said
    assert not said.startswith("{")
