"""Network namespaces that are always removed again.

A test of routes needs hosts, links and routing tables that nobody else uses, and a test run that
ends badly must leave none behind. Every namespace is therefore called ``ek8s-<pid>-<name>`` after
the process that made it: whoever starts next removes those whose process is gone, with everything
that still runs in them. Links are made inside the namespaces, so no name is ever seen in the
host's own.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tests.fabric import waiting

PREFIX = "ek8s-"
RUN_DIR = Path("/var/run/netns")
REPOSITORY = Path(__file__).parents[2]
CLONE_NEWNET = 0x40000000

T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)
_serials = itertools.count(1)


def serial() -> str:
    """Return a name part that no other bed of this or another living process has."""
    return f"{PREFIX}{os.getpid()}-{next(_serials)}"


class CommandError(Exception):
    """A command ended with an error; the message holds its stderr and its input."""


class Namespace:
    """One network namespace: a host, a router or a switch."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._processes: list[subprocess.Popen[bytes]] = []
        _call(["ip", "netns", "add", name])
        self.ip("link set lo up")

    def ip(self, *lines: str) -> None:
        """Run ``ip`` commands in this namespace, all in one process."""
        _call(["ip", "-n", self.name, "-batch", "-"], stdin="\n".join(lines))

    def ip_json(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what ``ip -j`` answers here."""
        output = _call(["ip", "-n", self.name, "-j", *arguments])
        rows: list[dict[str, Any]] = json.loads(output or "[]")
        return rows

    def run(self, *argv: str, stdin: str = "") -> str:
        """Run a command here and return its stdout; a failure raises with its stderr."""
        return _call([*_enter(self.name), *argv], stdin=stdin)

    def start(
        self, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a process here that dies with this one; both its outputs are added to ``log``."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*_enter(self.name), "setpriv", "--pdeathsig", "KILL", *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=REPOSITORY,
                env={**os.environ, **(env or {})},
            )
        self._processes.append(process)
        return process

    def start_module(self, module: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a Python module of this test suite here."""
        return self.start([sys.executable, "-m", module, *arguments], log=log)

    def inside(self, act: Callable[[], T]) -> T:
        """Return what ``act`` returns when it is called in a thread that is in here."""
        results: list[T] = []
        failures: list[BaseException] = []

        def enter() -> None:
            try:
                with (RUN_DIR / self.name).open("rb") as handle:
                    _setns(handle.fileno())
                results.append(act())
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                failures.append(error)

        thread = threading.Thread(target=enter, name=f"in-{self.name}")
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        return results[0]

    def listen(self, address: str, port: int) -> socket.socket:
        """Return a listening TCP socket of this namespace for use in this process."""
        return self.inside(lambda: socket.create_server((address, port)))

    def sysctl(self, values: Mapping[str, str]) -> None:
        """Write kernel settings of this namespace, given as paths below ``/proc/sys/net``."""

        def write() -> None:
            for path, value in values.items():
                Path("/proc/sys/net", path).write_text(value)

        self.inside(write)

    def pids(self) -> list[int]:
        """Return every process that is in here."""
        return [int(pid) for pid in _call(["ip", "netns", "pids", self.name]).split()]

    def delete(self) -> None:
        """Kill every process in the namespace and remove it with its links."""
        _kill_inside(self.name)
        for process in self._processes:
            process.wait()
        _call(["ip", "netns", "del", self.name])


def remove_leftovers() -> None:
    """Remove the namespaces of test processes that are gone."""
    for path in RUN_DIR.glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", owner).exists():
            # Two sessions that start at once may both try; the second finds nothing.
            with contextlib.suppress(CommandError):
                _kill_inside(path.name)
                _call(["ip", "netns", "del", path.name])


def stop(process: subprocess.Popen[bytes], *, number: int = signal.SIGKILL) -> int:
    """Signal a process that we started, wait for its end, and return its exit code."""
    process.send_signal(number)
    return process.wait(timeout=60)


def _kill_inside(name: str) -> None:
    def is_empty() -> bool:
        pids = [int(pid) for pid in _call(["ip", "netns", "pids", name]).split()]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    waiting.until(is_empty, f"the processes in {name} are gone", interval=0.02)


def _setns(descriptor: int) -> None:
    """Move the calling thread; ``os.setns`` is only in Python 3.12 and newer."""
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _enter(name: str) -> list[str]:
    return ["ip", "netns", "exec", name]


def _call(argv: Sequence[str], *, stdin: str = "") -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandError(f"{shlex.join(argv)}: {done.stderr.strip()}\n{stdin}")
    return done.stdout
