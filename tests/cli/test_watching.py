"""``--watch`` and the commands that have it, against an agent's answers on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from click import testing

from exabgp_k8s.adapters import http, listening, metrics
from exabgp_k8s.agent import endpoints
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.cli import exits, root, socket_client, watching
from exabgp_k8s.core.facts import events
from tests.support import builders
from tests.support.builders import START

LIMIT = 120.0
"""Seconds for anything to happen; for a machine that is busy, not a promise."""


class Agent:
    """What an agent answers, without its loop."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.now = START
        self.latest = Latest("node-3", lambda: self.now)
        self.show(builders.a_serving_world())

    def show(self, world: Any) -> None:
        """Have it answer for another world."""
        self.latest.turn = builders.turn(world, self.now)

    def command(self, *words: str) -> list[str]:
        """Return a command line that asks it."""
        return [sys.executable, "-m", "exabgp_k8s", *words, "--state-dir", str(self.folder)]


@contextlib.contextmanager
def answering(folder: pathlib.Path) -> Iterator[Agent]:
    """Answer as the agent of a healthy node does, on a socket in a folder."""
    found = Agent(folder)
    server = http.Server(endpoints.readable(found.latest, cast("metrics.Metrics", None)))
    loop = asyncio.new_event_loop()
    (bound,) = listening.on_unix(folder / socket_client.SOCKET)
    serving = loop.create_task(server.serve(bound))

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(serving)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join()
        loop.close()
        bound.close()


@pytest.fixture
def agent(tmp_path: pathlib.Path) -> Iterator[Agent]:
    with answering(tmp_path) as found:
        yield found


COMMANDS = (
    ["status"], ["sessions"], ["sessions", "tor-a"], ["routes"], ["checks"], ["why"],
    ["why", "10.96.0.10/32"], ["history"],
)  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("form", ["table", "json", "yaml"])
def test_each_command_answers_in_each_form(agent: Agent, words: list[str], form: str) -> None:
    arguments = [*words, "-o", form, "--state-dir", str(agent.folder)]

    done = testing.CliRunner().invoke(root.main, arguments)

    assert done.exit_code in {exits.Code.OK, exits.Code.NO}
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert done.output


class Watching:
    """A command that watches, and what it has written."""

    def __init__(self, command: list[str], *, terminal: bool = False) -> None:
        # Only one end is a terminal: what it says besides is read apart.
        self._reading, writing = pty.openpty() if terminal else os.pipe()
        self._process = subprocess.Popen(
            [*command, "--watch", "--interval", "200ms"],
            stdout=writing,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        os.close(writing)
        self.written = self.said = ""

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until a text was written so often."""
        end = time.monotonic() + LIMIT
        while self.written.count(text) < count:
            assert time.monotonic() < end, self.written[-2000:]
            if select.select([self._reading], [], [], 0.1)[0]:
                self.written += os.read(self._reading, 65536).decode()

    def wait_until_said(self, text: str) -> None:
        """Wait for a line on standard error."""
        assert self._process.stderr is not None
        line = self._process.stderr.readline().decode()
        assert text in line
        self.said = line

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(LIMIT)
        os.close(self._reading)
        assert self._process.stderr is not None
        self.said += self._process.stderr.read().decode()
        self._process.stderr.close()
        return code


def test_a_pipe_is_told_what_changed_and_nothing_else(agent: Agent) -> None:
    watched = Watching(agent.command("sessions", "-o", "json"))
    watched.wait_for("\n")
    agent.now += 100
    agent.show(
        builders.after(builders.a_serving_world(), builders.down(problem="closing"), now=agent.now)
    )
    watched.wait_for("\n", 2)
    agent.now += 5
    agent.show(builders.a_serving_world(now=agent.now))
    watched.wait_for("\n", 3)

    code = watched.interrupt()

    answers = [json.loads(line) for line in watched.written.splitlines()]
    assert [[row["up"] for row in rows] for rows in answers] == [
        [True, True],
        [False, True],
        [True, True],
    ]
    assert code == exits.Code.OK
    assert "Traceback" not in watched.said


def test_ctrl_c_ends_with_what_the_last_answer_means(agent: Agent) -> None:
    agent.show(builders.after(builders.a_serving_world(), events.DrainAsked()))
    watched = Watching(agent.command("why"))
    watched.wait_for("operator")

    assert watched.interrupt() == exits.Code.NO
    assert "Traceback" not in watched.said


def test_a_terminal_is_drawn_anew_in_its_place(agent: Agent) -> None:
    watched = Watching(agent.command("status"), terminal=True)
    watched.wait_for(watching.HOME, 3)

    assert watched.interrupt() == exits.Code.OK
    assert "Every 0.2 s" in watched.written
    frames = watched.written.split(watching.HOME)[1:-1]
    assert all(watching.CLEAR_BELOW in frame for frame in frames)
    assert all("serving" in frame for frame in frames)


def test_an_agent_that_does_not_answer_is_told_once_and_asked_again(
    tmp_path: pathlib.Path,
) -> None:
    watched = Watching(Agent(tmp_path).command("status", "-o", "json"))
    watched.wait_until_said("the agent does not answer")
    with answering(tmp_path):
        watched.wait_for("\n")

        assert watched.interrupt() == exits.Code.OK
    assert watched.said.count("the agent does not answer") == 1


def test_an_age_that_grew_is_no_other_answer() -> None:
    first = {"seconds": 1, "last_contact_seconds": 2, "messages_sent": 3, "state": "Established"}
    later = {"seconds": 9, "last_contact_seconds": 9, "messages_sent": 9, "state": "Established"}

    assert watching.steady([first]) == watching.steady([later])
    assert watching.steady([first]) != watching.steady([{**later, "state": "Idle"}])
    assert watching.steady({"acknowledged_seconds": None}) != watching.steady(
        {"acknowledged_seconds": 0.1}
    )
