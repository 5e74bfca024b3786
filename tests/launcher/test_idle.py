"""What ends a wait of ExaBGP's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from exabgp_k8s.launcher import idle

WAITS = """
import os, signal, threading
from exabgp_k8s.launcher import replacements
replacements.install()
from exabgp.configuration.configuration import Configuration
from exabgp.environment import getenv
from exabgp.logger import log
from exabgp.reactor.api.processes import Processes
from exabgp.reactor.loop import Reactor
log.init(getenv())
reactor = Reactor(Configuration([]))
reactor.processes = Processes()
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1)).start()
assert list(reactor._wait_for_io(600_000)) == []
"""


def test_a_signal_ends_the_wait() -> None:
    """Of ten minutes; ExaBGP alone goes on with it."""
    done = subprocess.run(
        [sys.executable, "-c", WAITS, "server", "exabgp.conf"], check=False, timeout=60
    )

    assert done.returncode == 0


@pytest.mark.parametrize("now", [0.0, 0.25, 1_700_000_000.999, 1_700_000_000.9999])
def test_the_next_second_has_begun_when_the_wait_ends(now: float) -> None:
    after = now + idle.until_next_second(now) / 1000

    assert int(after) == int(now) + 1
    assert after % 1 < 0.01
