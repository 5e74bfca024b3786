"""Run a command without a shell: exit code 0 is healthy.

A command is the one probe that is code of somebody else on this node. It may print megabytes,
hang, ignore SIGTERM or leave children behind that keep its stderr open. So it gets a session of
its own, and all of its process group is killed when the command has ended or its time is over.
It never sees our stdout, which is the pipe that ExaBGP takes commands from.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from typing import Self

from exabgp_k8s.adapters.checks import probing
from exabgp_k8s.core.facts import config

STDERR_KEPT = 200
"""Bytes of stderr for the message; the rest is read and dropped."""

READ_SIZE = 65536

REAP_TIME = 0.2
"""Seconds a killed command gets to disappear; only one stuck in the kernel needs longer."""


def prepare(settings: config.ExecProbe) -> probing.Probe:
    """Return the probe for these settings."""
    return _Command(settings.command).run


class _Command:
    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._unreaped: asyncio.subprocess.Process | None = None

    async def run(self) -> str:
        if self._unreaped:
            # It cannot be killed: to start more of its kind would fill the node with them.
            await self._unreaped.wait()
            self._unreaped = None
        with _Stderr() as stderr:
            self._unreaped = process = await self._start(stderr)
            try:
                code = await process.wait()
            finally:
                await self._kill(process)
            stderr.read()
        if code == 0:
            return "exited 0"
        ending = f"exited {code}" if code > 0 else f"killed by {_signal_name(-code)}"
        first = stderr.kept.decode(errors="replace").strip()
        raise probing.ProbeFailed(f"{ending}: {first}" if first else ending)

    async def _start(self, stderr: _Stderr) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr.theirs,
                start_new_session=True,
            )
        except BlockingIOError as error:
            # fork(2) says EAGAIN where there may be no more processes: of ours, or of this node.
            raise probing.NotRun("no process can be started") from error
        except OSError as error:
            reason = probing.why(error)
            raise probing.ProbeFailed(f"cannot run {self._command[0]}: {reason}") from error
        finally:
            os.close(stderr.theirs)

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REAP_TIME):
                await process.wait()
                self._unreaped = None


class _Stderr:
    """A pipe of which the first bytes are kept.

    It is ours and not the subprocess transport's, because waiting for a process must not mean
    waiting for everybody who inherited its stderr.
    """

    def __init__(self) -> None:
        self._ours, self.theirs = os.pipe()
        self.kept = b""

    def __enter__(self) -> Self:
        os.set_blocking(self._ours, False)
        asyncio.get_running_loop().add_reader(self._ours, self.read)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)

    def read(self) -> None:
        """Read what is there; nothing more is asked for at the end of the pipe."""
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._ours, READ_SIZE)
            if not chunk:
                asyncio.get_running_loop().remove_reader(self._ours)
            self.kept += chunk[: STDERR_KEPT - len(self.kept)]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
