"""The check of the settings: a process of its own, whatever becomes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import until

BEGUN = """
import os, signal, sys
from exabgp_k8s import chain
from exabgp_k8s.supervisor import checker
def check():
    {body}
pid = checker.begin(check, closed=chain.lock_checking({directory!r}))
print(pid, flush=True)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
WAITS = "from exabgp_k8s import chain; chain.wait_until_checked({directory!r}); print('went on')"


def begin(directory: Path, body: str) -> subprocess.Popen[str]:
    code = BEGUN.format(body=body, directory=str(directory))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def is_waiting(pid: int) -> bool:
    """Return whether a process waits for a lock (proc_locks(5))."""
    rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(row[1] == "->" and str(pid) in row for row in rows)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return 0", 0),
        ("return 2", 2),
        ("sys.exit(2)", 2),
        ("sys.exit('words')", 1),
        ("raise ValueError('a bug')", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_its_end_says_what_came_of_it(tmp_path: Path, body: str, code: int) -> None:
    with begin(tmp_path, body) as begun:
        said, _ = begun.communicate(timeout=60)

    assert int(said.split()[1]) == code


def test_nobody_goes_on_before_it_ends(tmp_path: Path) -> None:
    with begin(tmp_path, "signal.pause()") as begun:
        assert begun.stdout is not None
        pid = int(begun.stdout.readline())
        code = WAITS.format(directory=str(tmp_path))
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        ) as waits:
            until(lambda: is_waiting(waits.pid), "it goes on")
            os.kill(pid, signal.SIGKILL)
            said, _ = waits.communicate(timeout=60)

    assert said == "went on\n"


def test_where_nothing_is_checked_nobody_waits(tmp_path: Path) -> None:
    code = WAITS.format(directory=str(tmp_path))

    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=True)

    assert done.returncode == 0
