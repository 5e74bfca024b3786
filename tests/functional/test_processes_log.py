"""A log that nobody reads, and a state directory that takes nothing more."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import asking
from tests.support.faults import fill, is_alive
from tests.support.lab import PORT, Lab, until
from tests.support.processes import is_gone

pytestmark = pytest.mark.functional


STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def lines_of(lab: Lab) -> list[dict[str, Any]]:
    """Return the whole log, each line of it as JSON."""
    return [json.loads(line) for line in lab.log().splitlines()]


def test_every_line_is_json_with_one_form_of_time(lab: Lab) -> None:
    """Ours, ExaBGP's, and what an interpreter says that cannot even start."""
    document = lab.document()
    document["peers"].append({"name": "never", "address": "127.0.0.98", "port": 1, "asn": 64514})
    lab.write(document)
    lab.up()
    supervisor, exabgp, agent = lab.all_processes()
    for process in (exabgp, agent):
        shout(process, "one.py:1: RuntimeWarning: of a library\n")
    agent.kill()
    lab.expect(lab.services, lab.pods)
    until(lambda: "agent.ended" in lab.log() and lab.log().count("of a library") == 2, lab.log)
    until(lambda: '"peer": "never"' in lab.log(), lab.log)
    exabgp.kill()
    until(lambda: lab.log().count("exabgp.started") == 2, lab.log)
    lab.expect(lab.services, lab.pods)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(120) == 0

    lines = lines_of(lab)
    assert all(STAMP.fullmatch(line["timestamp"]) for line in lines)
    assert {line["level"] for line in lines} <= {"info", "warning", "error", "critical"}
    about = {line["peer"] for line in lines if "peer" in line}
    assert about == {peer["name"] for peer in document["peers"]}
    levels = {line["event"]: line["level"] for line in lines}
    assert levels["agent.ended"] == levels["output.text"] == "warning"
    ends = [line["level"] for line in lines if line["event"] == "exabgp.ended"]
    assert ends == ["warning", "info"]


def test_what_an_agent_says_that_cannot_start_is_one_line(lab: Lab) -> None:
    """An import that fails ends the interpreter with a traceback."""
    broken = lab.directory / "broken"
    broken.mkdir()
    (broken / "h11.py").write_text("raise ImportError('no such disk')\n")
    lab.start(environment={"PYTHONPATH": str(broken)})

    until(lambda: "no such disk" in lab.log(), lab.log)
    traces = [line for line in lines_of(lab) if line["event"] == "output.traceback"]
    assert all("no such disk" in line["text"] for line in traces)
    assert traces


def test_a_peer_that_is_away_costs_a_few_lines_and_none_of_exabgp(lab: Lab) -> None:
    """At the 2 to 4 s between attempts, the old log had two or three lines for each."""
    document = lab.document()
    document["peers"].append({"name": "never", "address": "127.0.0.98", "port": 1, "asn": 64514})
    lab.write(document)
    lab.up()
    until(lambda: lab.json("sessions")[1]["failed_attempts"] >= 5, lab.state)

    lines = lines_of(lab)
    assert [line["event"] for line in lines if line.get("peer") == "never"] == ["session.failed"]
    of_exabgp = {"exabgp.said", "output.text"}
    assert not [line for line in lines if line["event"] in of_exabgp]


def test_at_a_terminal_the_log_is_text(lab: Lab) -> None:
    lab.start(environment={"EXABGP_K8S_LOG_FORMAT": "text"})
    for event in ("exabgp.started", "agent.started", "session.established"):
        until(lambda event=event: event in lab.log(), lab.log)  # type: ignore[misc]

    assert not any(line.startswith("{") for line in lab.log().splitlines())


def shout(process: psutil.Process, text: str) -> None:
    """Write where a process writes its log."""
    with open(f"/proc/{process.pid}/fd/2", "w") as log:  # noqa: PTH123
        log.write(text)


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that is full, and whose reader reads nothing."""
    source, sink = os.pipe()
    fill(sink)
    yield sink
    os.close(sink)
    os.close(source)


@pytest.mark.fault(
    area="our processes",
    what="nobody reads the log, and its pipe is full",
    sees="nothing; what changes comes as ever",
    within="0 s",
)
def test_a_log_that_nobody_reads_costs_no_route(lab: Lab, unread: int) -> None:
    lab.start(stderr=unread)
    lab.expect(lab.services, lab.pods)
    since, announced, withdrawn = lab.router.history()
    supervisor, exabgp, agent = lab.all_processes()

    # Half a megabyte of log lines from either process, which its pipe alone would not take.
    for process in (exabgp, agent):
        flood(process)
    for is_cordoned in (True, False):
        lab.api.cordon(lab.name, is_cordoned)
        lab.expect(*(() if is_cordoned else (lab.services, lab.pods)))

    assert lab.router.history() == (since, announced + 2, withdrawn + 2)
    assert lab.all_processes() == (supervisor, exabgp, agent)
    assert is_alive(lab.state_dir)
    assert supervisor.memory_full_info().pss < 10 * 1024 * 1024
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(120) == 0
    assert lab.router.routes() == {}


def flood(process: psutil.Process) -> None:
    """Write half a megabyte where a process writes its log."""
    with open(f"/proc/{process.pid}/fd/2", "wb", buffering=0) as log:  # noqa: PTH123
        os.set_blocking(log.fileno(), False)
        for number in range(8192):
            try:
                os.write(log.fileno(), b'{"event": "flood", "number": %36d}\n' % number)
            except BlockingIOError:
                continue


@pytest.mark.fault(
    area="our processes",
    what="the supervisor hangs",
    sees="nothing; what changes comes as ever, but nobody would notice if the agent hung too",
    within="0 s",
)
def test_a_supervisor_that_hangs_costs_no_route(lab: Lab) -> None:
    lab.up()
    since, announced, withdrawn = lab.router.history()
    supervisor, exabgp, agent = lab.all_processes()
    received = lab.json("sessions")[0]["messages_received"]

    supervisor.suspend()
    flood(exabgp)
    clog(str(lab.state_dir / "supervisor.sock"))
    # The router's keepalives count the seconds, three at a time.
    until(lambda: lab.json("sessions")[0]["messages_received"] > received + 2, lab.state)
    for is_cordoned in (True, False):
        lab.api.cordon(lab.name, is_cordoned)
        lab.expect(*(() if is_cordoned else (lab.services, lab.pods)))

    assert is_alive(lab.state_dir)
    assert lab.router.history() == (since, announced + 2, withdrawn + 2)
    supervisor.resume()
    assert lab.all_processes() == (supervisor, exabgp, agent)


def clog(path: str) -> None:
    """Send to a socket until it takes nothing more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            while True:
                sender.sendto(b"", path)
        except BlockingIOError:
            return


@pytest.mark.fault(
    area="our processes",
    what="the state directory is full",
    sees="nothing; routes change as ever, a new peer has to wait for room",
    within="30 s after there is room",
)
def test_a_full_state_directory_costs_no_route(lab: Lab) -> None:
    """The kernel refuses every byte that the agent writes into a file."""
    lab.up()
    before = lab.router.history()[0]
    agent = lab.agent
    _, hard = agent.rlimit(resource.RLIMIT_FSIZE)
    agent.rlimit(resource.RLIMIT_FSIZE, (0, hard))
    document = lab.document()
    document["announce"]["services"]["cidrs"].append("10.97.0.0/16")
    document["peers"].append({"name": "new", "address": "127.0.0.98", "port": PORT, "asn": 64514})

    lab.write(document)
    lab.expect(lab.services, lab.pods, "10.97.0.0/16")
    until(lambda: "File too large" in lab.log(), lab.state)
    lab.api.cordon(lab.name, True)
    lab.expect()
    assert lab.cli("drain").returncode == 0
    until(lambda: "settings.not_kept" in lab.log(), lab.state)

    assert lab.agent == agent
    agent.rlimit(resource.RLIMIT_FSIZE, (hard, hard))
    document["peers"][1]["holdTime"] = "30s"
    lab.write(document)
    until(lambda: "127.0.0.98" in (lab.state_dir / "exabgp.conf").read_text(), lab.state)
    assert lab.router.history()[0] == before


@pytest.mark.fault(
    area="our processes",
    what="the state directory is cleared by somebody",
    sees="nothing; what changes comes as ever, but nobody can ask the agent any more",
    within="0 s",
)
def test_a_cleared_state_directory_costs_no_route(lab: Lab) -> None:
    lab.up()
    agent = lab.agent
    since, *_ = lab.router.history()

    received = messages_received(lab)
    until(lambda: is_removed(lab.state_dir), lab.state)
    # The router's keepalives count the seconds, three at a time.
    until(lambda: messages_received(lab) > received + 2, lab.state)
    lab.api.cordon(lab.name, True)
    lab.expect()
    lab.api.cordon(lab.name, False)
    lab.expect(lab.services, lab.pods)

    assert lab.router.history()[0] == since
    assert not is_gone(agent)


def is_removed(directory: Path) -> bool:
    """Remove a directory; a file may be written into it meanwhile, and then it is still there."""
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


def messages_received(lab: Lab) -> int:
    """Return how many messages the agent counts of the router, asked over TCP."""
    return int(json.loads(asking.http(lab.http_port, "/v1/sessions")[1])[0]["messages_received"])
