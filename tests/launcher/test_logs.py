"""What becomes of ExaBGP's messages."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from exabgp_k8s.launcher import logs
from exabgp_k8s.logs import lines


def said(capfd: pytest.CaptureFixture[str]) -> list[Any]:
    """Return the lines on standard error."""
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.fixture
def log() -> logs.Log:
    """A log that wants every message."""
    return logs.Log(lines.JSON, lambda _source, _level: True)


def test_a_message_is_one_line_with_its_level(
    log: logs.Log, capfd: pytest.CaptureFixture[str]
) -> None:
    log.message(None, lambda: "one\ntwo", "configuration", "ERROR")

    (line,) = said(capfd)
    assert (line["event"], line["level"]) == ("exabgp.said", "error")
    assert (line["source"], line["text"]) == ("configuration", "one\ntwo")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("outgoing-17", "outgoing-17 192.0.2.11-192.0.2.1, closing connection"),
        ("peer-192.0.2.1", "Notification not sent"),
        ("reactor", "SIGUSR1 received"),
        ("reactor", "performing shutdown"),
    ],
)
def test_what_is_told_by_us_is_not_told_twice(
    log: logs.Log, capfd: pytest.CaptureFixture[str], source: str, text: str
) -> None:
    log.message(None, lambda: text, source, "CRITICAL")

    assert said(capfd) == []


def test_a_message_is_not_made_where_nobody_wants_it(capfd: pytest.CaptureFixture[str]) -> None:
    def never() -> str:
        raise AssertionError

    logs.Log(lines.JSON, lambda _source, _level: False).message(None, never, "reactor", "DEBUG")

    assert said(capfd) == []


def test_messages_without_end_are_bounded(
    log: logs.Log, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(1000):
        log.message(None, lambda number=number: f"{number}", "rib", "ERROR")

    assert len(said(capfd)) <= logs.BURST + 1


def test_a_panic_of_exabgp_is_one_line() -> None:
    code = "from exabgp_k8s.launcher import logs; logs.install(); raise ValueError('inside')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.stdout == ""
    (line,) = (json.loads(each) for each in done.stderr.splitlines())
    assert (line["event"], line["level"]) == ("exabgp.crashed", "critical")
    assert line["text"].endswith("ValueError: inside\n")
