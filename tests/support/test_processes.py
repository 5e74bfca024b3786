"""A look at a process that ends meanwhile is an answer, whenever it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support import processes

RESTLESS = """
import subprocess, sys
while True:
    subprocess.run([sys.executable, "-S", "-c", ""])
"""
"""A parent whose only child ends all the time and is replaced by another one."""

LOOKS = 500


@pytest.fixture
def restless() -> Iterator[psutil.Process]:
    """A process that has another child at almost every look."""
    with subprocess.Popen([sys.executable, "-S", "-c", RESTLESS]) as parent:
        yield psutil.Process(parent.pid)
        processes.kill_with_all_below(parent.pid)


@pytest.mark.long
def test_no_look_fails_because_a_child_ends_in_its_middle(
    restless: psutil.Process, tmp_path: Path
) -> None:
    seen = set()
    for _ in range(LOOKS):
        for child in processes.children(restless):
            seen.add(child.pid)
            processes.is_gone(child)
            processes.is_of(child, "TMPDIR", tmp_path)
        assert processes.lineage(restless.pid)[:1] == (restless,)
    assert len(seen) > 1


def test_one_that_ended_is_gone_and_nobodys_child_before_it_is_collected() -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone = psutil.Process(ended.pid)
    while gone.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)

    assert processes.is_gone(gone)
    assert gone not in processes.children(psutil.Process())
    assert processes.lineage(ended.pid) == ()

    ended.wait()
    processes.kill(gone)
    assert processes.children(gone) == ()
