"""``exabgp-k8s try`` as a newcomer starts it: in a terminal, on any machine, by any user."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.architecture import repository
from tests.support import image, processes
from tests.tryout import recording

pytestmark = [pytest.mark.functional, pytest.mark.timeout(600)]

LIMIT = 400.0
NOBODY = 65534
STEPS = (
    "1. The node starts",
    "2. Somebody cordons the node",
    "3. It is uncordoned",
    "4. kube-proxy fails",
    "5. kube-proxy is back",
    "6. The node is to be rebooted",
    "7. The pod is stopped",
)


@pytest.fixture(name="room")
def _room() -> Iterator[Path]:
    """A directory for temporary files that anybody may use, with a path short enough."""
    with tempfile.TemporaryDirectory(prefix="try-test-", dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o1777)
        yield path


def start(
    room: Path, *options: str, prefix: Sequence[str] = (), python: str = sys.executable
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, python, "-m", "exabgp_k8s", "try", *options],
        cwd="/",
        env={**os.environ, "TMPDIR": str(room)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(running: subprocess.Popen[str]) -> str:
    output, _ = running.communicate(timeout=LIMIT)
    return output


def read_until(running: subprocess.Popen[str], text: str) -> str:
    """Return what was printed, up to the first line that holds the text."""
    read = ""
    assert running.stdout is not None
    for line in running.stdout:
        read += line
        if text in line:
            return read
    raise AssertionError(f"{text!r} was not printed:\n{read}")


def processes_of(room: Path) -> list[psutil.Process]:
    """Return every process that works in the room: all parts know it by their environment."""
    return [each for each in psutil.process_iter() if processes.is_of(each, "TMPDIR", room)]


def assert_nothing_left(room: Path) -> None:
    assert processes_of(room) == []
    assert list(room.iterdir()) == []


def test_the_router_sees_every_step_and_nothing_is_left(room: Path) -> None:
    """The walk is told in order, each change as the router saw it, with its time."""
    running = start(room)
    output = finish(running)

    assert running.returncode == 0, output
    told = [line for line in output.splitlines() if re.match(r"\d\. ", line)]
    assert told == list(STEPS)
    seen = re.findall(r"^ +[\d.]+ ms   ([*+-]) (\S+)", output, re.MULTILINE)
    services, pods = "10.96.0.0/16", "10.244.1.0/24"
    both = {services, pods}
    assert seen[0] == ("*", "session")
    assert [{prefix for _, prefix in seen[a:b]} for a, b in ((1, 3), (3, 5), (5, 7))] == [both] * 3
    assert seen[7:9] == [("-", services), ("+", services)]
    assert set(seen[9:11]) == {("-", services), ("-", pods)}
    assert seen[11:] == [("*", "session")]
    assert "".join(sign for sign, _ in seen) == "*++--++-+--*"
    assert_nothing_left(room)


def test_the_picture_in_the_readme_shows_what_is_printed(walked: str) -> None:
    """Otherwise run ``python -m tests.tryout.recording``."""
    drawn = recording.lines_of(repository.read(recording.NAME))

    assert recording.words(drawn) == recording.words(recording.shown(walked))


@pytest.fixture(name="walked", scope="module")
def _walked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is printed where only the packages of the image are installed."""
    python = image.python(tmp_path_factory.mktemp("image"))
    with tempfile.TemporaryDirectory(prefix="try-test-", dir="/tmp") as room:
        running = start(Path(room), python=python)
        output = finish(running)
    assert running.returncode == 0, output
    return output


def test_what_the_image_leaves_out_is_not_needed(walked: str) -> None:
    """Some of the packages that ours ask for are not installed there, and parts of others."""
    assert [line for line in walked.splitlines() if re.match(r"\d\. ", line)] == list(STEPS)


def test_the_summary_gives_a_time_for_each_cause(walked: str) -> None:
    table = walked.partition("At the router")[2]
    rows = re.findall(r"^(\d) .* ([\d.]+) ms$", table, re.MULTILINE)
    assert [int(number) for number, _ in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert all(float(taken) > 0 for _, taken in rows)


def test_the_tutorial_shows_this_summary(walked: str) -> None:
    def rows(text: str) -> list[list[list[str]]]:
        """What happened, and what the router saw of it, in whichever order."""
        found = re.findall(r"^\d  (.+?)  +([*+-] .+?)  +[\d.]+ m?s$", text, re.MULTILINE)
        return [[cause.split(), sorted(seen.split())] for cause, seen in found]

    (shown,) = (
        text
        for text in repository.blocks(repository.ROOT / "docs/tutorial.md", "text")
        if "At the router" in text
    )
    assert len(rows(shown)) == len(STEPS)
    assert rows(shown) == rows(walked.partition("At the router")[2])


def test_two_at_once_do_not_meet(room: Path) -> None:
    first, second = start(room), start(room)
    outputs = finish(first), finish(second)

    assert (first.returncode, second.returncode) == (0, 0), outputs
    assert_nothing_left(room)


def as_nobody() -> list[str]:
    """Return the command that runs another one as nobody, without any capability.

    Who is not root has none to lay down.
    """
    if os.geteuid() != 0:
        return []
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    tried = subprocess.run([*become, "test", "-x", sys.executable], check=False)
    if tried.returncode == 0:
        return become
    # An interpreter in root's home: nobody then in a user namespace, where its files are ours.
    return ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]


def test_no_privilege_is_needed(room: Path) -> None:
    running = start(room, prefix=as_nobody())
    output = finish(running)

    assert running.returncode == 0, output
    assert_nothing_left(room)


@pytest.mark.parametrize("moment", ["A Kubernetes node", *STEPS[:3], STEPS[5]])
def test_ctrl_c_at_any_moment_leaves_nothing(room: Path, moment: str) -> None:
    running = start(room)
    read_until(running, moment)
    running.send_signal(signal.SIGINT)
    output = finish(running)

    assert running.returncode == 130, output
    assert "Interrupted" in output
    assert_nothing_left(room)


def test_parts_that_hang_are_killed(room: Path) -> None:
    """Stopped processes answer no SIGTERM; they and their children go all the same."""
    running = start(room)
    read_until(running, STEPS[1])
    for process in processes_of(room):
        if process.pid != running.pid:
            process.suspend()
    running.send_signal(signal.SIGTERM)
    output = finish(running)

    assert running.returncode == 130, output
    assert_nothing_left(room)


def test_a_part_that_ends_too_early_is_an_error_with_its_log(room: Path) -> None:
    running = start(room)
    read_until(running, "session up")
    [node] = [
        each for each in processes_of(room) if each.cmdline()[1:4] == ["-m", "exabgp_k8s", "run"]
    ]
    node.kill()
    output = finish(running)

    assert running.returncode == 1
    assert "node-1 ended with exit code -9" in output
    assert "node-1 | " in output
    assert_nothing_left(room)


def test_a_temporary_directory_too_deep_for_sockets_is_named(room: Path) -> None:
    deep = room / ("d" * 70)
    deep.mkdir()
    running = start(deep)
    output = finish(running)

    assert running.returncode == 1
    assert "set TMPDIR=/tmp" in output
    assert list(deep.iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "missing"),
    [
        ("--fsize=0", "no directory that can be written to"),
        ("--fsize=100", "File too large"),
        ("--nofile=8", "Too many open files"),
    ],
    ids=["read-only", "disk-full", "no-descriptors"],
)
def test_what_the_machine_does_not_give_is_said_in_a_sentence(
    limit: str, missing: str, room: Path
) -> None:
    """A container whose file system is read-only has nowhere to put a file."""
    running = start(room, prefix=["prlimit", limit])
    output = finish(running)

    assert running.returncode == 1, output
    assert missing in output
    assert "Traceback" not in output
    assert_nothing_left(room)


def test_the_commands_of_the_last_lines_are_found_where_the_reader_is(room: Path) -> None:
    """As the README calls it: by a path, from where that path leads to it."""
    scripts = Path(sys.executable).parent
    running = subprocess.Popen(
        [f"{scripts.name}/exabgp-k8s", "try"],
        cwd=scripts.parent,
        env={**os.environ, "TMPDIR": str(room), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = finish(running)

    typed = re.findall(r"^  (\S+/exabgp-k8s .+?)  ", output, re.MULTILINE)
    assert f"{scripts.name}/exabgp-k8s --help" in typed
    for command in typed:
        words = command.replace("--keep", "--help")
        subprocess.run(
            ["sh", "-c", words], cwd=scripts.parent, stdout=subprocess.DEVNULL, check=True
        )


def test_kept_it_can_be_looked_at_and_changed_until_ctrl_c(room: Path) -> None:
    """The commands that it prints work as they stand."""
    running = start(room, "--keep")
    shown = read_until(running, "/api/v1/nodes/node-1")
    status = re.search(r"^  (.+ status --state-dir \S+)$", shown, re.MULTILINE)
    url = re.search(r"curl (http://\S+/metrics)", shown)
    patch = re.search(r"curl -X PATCH .*\n.*nodes/node-1", shown)
    assert status
    assert url
    assert patch

    asked = subprocess.run(
        ["sh", "-c", f"{status[1]} -o json"], capture_output=True, check=True, timeout=LIMIT
    )
    assert json.loads(asked.stdout)["phase"] == "serving"
    metrics = subprocess.run(
        ["curl", "--silent", "--fail", url[1]], capture_output=True, check=True, timeout=LIMIT
    )
    assert b"exabgp_k8s_" in metrics.stdout
    subprocess.run(["sh", "-c", patch[0]], stdout=subprocess.DEVNULL, check=True, timeout=LIMIT)
    read_until(running, "- 10.96.0.0/16")
    running.send_signal(signal.SIGINT)
    output = finish(running)

    assert running.returncode == 0, output
    assert_nothing_left(room)
