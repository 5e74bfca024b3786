"""What the supervisor reads of ExaBGP's process and of the agent below it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import psutil
import pytest

from exabgp_k8s.supervisor import exabgp
from tests.support import processes
from tests.support.lab import until

SPINS = "while True: pass"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{SPINS}'])"


@pytest.fixture
def running() -> Iterator[exabgp.ExaBGP]:
    """A process that waits for nothing but the end of a child that spins."""
    found = exabgp.ExaBGP([sys.executable, "-c", PARENT], 2, lambda *_, **__: None)
    found.start_if_due(0)
    yield found
    processes.kill_with_all_below(found.pid)
    os.waitpid(found.pid, 0)


def test_a_child_that_has_to_share_its_processor_is_seen_to_wait(running: exabgp.ExaBGP) -> None:
    until(lambda: len(running.waits()) == 2, running.waits)
    (child,) = psutil.Process(running.pid).children()
    # Two that never pause on one processor: each is ready for half of the time.
    cpu = min(child.cpu_affinity())
    child.cpu_affinity([cpu])
    with_it = psutil.Popen([sys.executable, "-c", SPINS])
    try:
        with_it.cpu_affinity([cpu])
        before = running.waits()

        until(lambda: running.waits()[child.pid] > before[child.pid] + 0.2, running.waits)
    finally:
        with_it.kill()
        with_it.wait()


def test_a_process_that_is_gone_waits_for_nothing() -> None:
    found = exabgp.ExaBGP([sys.executable, "-c", ""], 2, lambda *_, **__: None)
    found.start_if_due(0)
    os.waitpid(found.pid, 0)

    assert found.waits() == {found.pid: 0.0}
