"""The supervisor with a stand-in for ExaBGP, for what a real one cannot be made to do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from exabgp_k8s import parting
from tests.support import processes
from tests.support.lab import until

EXABGP = """\
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
time.sleep(600)
"""
AGENT = """\
import os, signal, socket, sys, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
me = str(os.getpid())
beats = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
beats.sendto(me.encode(), sys.argv[1] + "/supervisor.sock")
open(sys.argv[1] + "/agent", "w").write(me)
time.sleep(600)
"""
"""It beats once and then hangs so hard that it does not notice the end of ExaBGP."""


@pytest.mark.fault(
    area="our processes",
    what="ExaBGP ends while the agent hangs so hard that it does not notice",
    sees="the session closes; it is back with its routes, and no second agent is",
    within="0.3 s and ExaBGP's start",
)
def test_a_hung_agent_does_not_outlive_its_exabgp(tmp_path: Path) -> None:
    command = [sys.executable, "-c", EXABGP, AGENT, str(tmp_path)]
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "exabgp_k8s.supervisor", str(tmp_path), "0", *command],
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: (tmp_path / "agent").exists() and _pid(tmp_path) > 0, "no agent")
        agent = psutil.Process(_pid(tmp_path))
        until(lambda: len(processes.lineage(supervisor.pid)) > 1, "no ExaBGP")

        processes.kill(processes.lineage(supervisor.pid)[1])

        until(lambda: processes.is_gone(agent), "the agent is still there")
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(120)
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(_pid(tmp_path)).kill()


IMPATIENT = """
import sys
from exabgp_k8s.supervisor import supervisor, watchdog
watchdog.START_LIMIT = 3.0
sys.exit(supervisor.Supervisor(sys.argv[1], sys.argv[2:], 0).run())
"""
SILENT = """\
import os, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
open(sys.argv[1] + "/agent", "w").write(str(os.getpid()))
time.sleep(600)
"""
"""It hangs before it could beat."""


@pytest.mark.fault(
    area="our processes",
    what="the agent hangs before its first sign of life, so hard that it does not notice the end "
    "of ExaBGP",
    sees="the session closes; it is back with its routes, and no second agent is",
    within="30 s after ExaBGP's start; 20 s where it follows an agent that was killed",
)
def test_an_agent_that_was_never_heard_of_does_not_outlive_its_exabgp(tmp_path: Path) -> None:
    command = [sys.executable, "-c", EXABGP, SILENT, str(tmp_path)]
    supervisor = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, str(tmp_path), *command], stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: (tmp_path / "agent").exists() and _pid(tmp_path) > 0, "no agent")
        agent = psutil.Process(_pid(tmp_path))

        until(lambda: processes.is_gone(agent), "the agent is still there")
    finally:
        processes.kill_with_all_below(supervisor.pid)
        supervisor.wait(120)
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(_pid(tmp_path)).kill()


@pytest.mark.parametrize("words", ["n1: cordoned, stopping", None], ids=["agent", "no agent"])
def test_the_routers_are_told_of_the_end_even_where_no_agent_could_say_why(
    tmp_path: Path, words: str | None
) -> None:
    """What an earlier container said is forgotten at the start."""
    parting.write(tmp_path, "n1: of yesterday")
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "exabgp_k8s.supervisor", str(tmp_path), "0", *command],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "NODE_NAME": "n1"},
    )
    until(lambda: len(processes.children(psutil.Process(supervisor.pid))) == 1, "no ExaBGP")
    assert parting.read(tmp_path) is None
    if words is not None:
        parting.write(tmp_path, words)

    supervisor.send_signal(signal.SIGTERM)

    assert supervisor.wait(120) == 0
    assert parting.read(tmp_path) == (words or "n1: stopping", frozenset())


SLOW = """
import os, sys, time
from exabgp_k8s import chain
from exabgp_k8s.supervisor import checker, supervisor, watchdog
watchdog.START_LIMIT = 0.3
folder, started, *command = sys.argv[1:]
def check():
    while not os.path.exists(started):
        time.sleep(0.1)
    time.sleep(3)
    print(open(started).read().count("started"), flush=True)
    return 2
pid = checker.begin(check, closed=chain.lock_checking(folder))
sys.exit(supervisor.Supervisor(folder, command, 0, pid).run())
"""
STARTED = "import sys, time; open(sys.argv[1], 'a').write('started '); time.sleep(600)"


def test_a_check_that_takes_long_is_no_silence_of_the_agent(tmp_path: Path) -> None:
    """The agent waits for it, and cannot say that it lives; nobody is killed for that."""
    started = str(tmp_path / "started")
    command = [sys.executable, "-c", STARTED, started]

    done = subprocess.run(
        [sys.executable, "-c", SLOW, str(tmp_path), started, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 2)


HASTY = """
import sys
from exabgp_k8s.supervisor import supervisor
supervisor.STOP_LIMIT = 1.0
sys.exit(supervisor.Supervisor(sys.argv[1], sys.argv[2:], 0).run())
"""
ENDING = """
import signal, sys, time
def end(*_):
    due = time.process_time() + 0.4
    while time.process_time() < due:
        pass
    open(sys.argv[1] + "/ended", "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, end)
open(sys.argv[1] + "/started", "w").close()
while True:
    signal.pause()
"""
"""It needs a processor for less than the limit to end in order."""
SPINS = "while True: pass"
DEAF = f"""
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1] + "/started", "w").close()
{SPINS}
"""


@pytest.mark.fault(
    area="our processes",
    what="the pod is told to stop on a node where others have every processor",
    sees="the end of the session with its reason, as ever; what was announced is withdrawn before",
    within="however long ExaBGP waits for a processor; the pod's grace period at most",
)
def test_an_exabgp_that_waits_for_a_processor_is_not_killed_while_it_ends(tmp_path: Path) -> None:
    """Killed, it would close its sessions without a word."""
    command = [sys.executable, "-c", ENDING, str(tmp_path)]
    supervisor = subprocess.Popen(
        [sys.executable, "-c", HASTY, str(tmp_path), *command], stderr=subprocess.DEVNULL
    )
    others: list[psutil.Popen] = []
    try:
        until((tmp_path / "started").exists, "no ExaBGP")
        ending = processes.lineage(supervisor.pid)[1]
        # Five that never pause on one processor: each has a fifth of it.
        cpu = min(ending.cpu_affinity())
        others += [psutil.Popen([sys.executable, "-c", SPINS]) for _ in range(4)]
        for each in (ending, *others):
            each.cpu_affinity([cpu])

        supervisor.send_signal(signal.SIGTERM)

        assert supervisor.wait(120) == 0
        assert (tmp_path / "ended").exists()
    finally:
        for each in others:
            each.kill()
            each.wait()
        processes.kill_with_all_below(supervisor.pid)


def test_an_exabgp_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """One that spins has the processor that it needs."""
    command = [sys.executable, "-c", DEAF, str(tmp_path)]
    supervisor = subprocess.Popen(
        [sys.executable, "-c", HASTY, str(tmp_path), *command], stderr=subprocess.DEVNULL
    )
    try:
        until((tmp_path / "started").exists, "no ExaBGP")
        spinning = processes.lineage(supervisor.pid)[1]

        supervisor.send_signal(signal.SIGTERM)

        assert supervisor.wait(120) == 0
        assert processes.is_gone(spinning)
    finally:
        processes.kill_with_all_below(supervisor.pid)


def _pid(directory: Path) -> int:
    return int((directory / "agent").read_text() or 0)
