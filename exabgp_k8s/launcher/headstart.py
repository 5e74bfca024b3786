"""When the agent is started: before ExaBGP is even imported, so that both load side by side.

ExaBGP starts its helper once it has read its configuration, and the agent then needs longer than
ExaBGP did: two starts one after the other, while a second core has nothing to do.

Here the command in the configuration is started first, with the pipes, the environment and the
process group that ExaBGP would give it, and ExaBGP gets that process when it means to start one.
What is not as expected, another command or a process that already ended, is started or started
anew by ExaBGP as ever, and so is every later one.

A process that ExaBGP has taken is told so by an empty line, and says nothing before that: how
long ExaBGP takes to answer must not be measured from before it is there. Where ExaBGP ends
without having taken it, its standard input does, and so does the agent.

Replaced in ExaBGP 5.0.15: the module ``subprocess`` as ``reactor.api.processes`` knows it, of
which it uses ``Popen`` in one place.
Noticed by: ``test_the_agent_is_started_before_exabgp_is_imported``,
``test_an_agent_that_ended_early_is_started_anew`` and
``test_an_agent_that_exabgp_never_takes_is_told_of_its_end``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import Any

RUN = "run "
"""What the line of the configuration begins with that names the command; ours is the first."""


class Starter:
    """``subprocess``, for ExaBGP: its first ``Popen`` is of a process that runs already."""

    def __init__(self) -> None:
        self._waiting: subprocess.Popen[bytes] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def begin(self, path: str) -> None:
        """Start the command of a configuration; what is wrong with it is ExaBGP's to say."""
        with contextlib.suppress(OSError, ValueError):
            if command := _command(path):
                environment = {**os.environ, "TERM": "dumb"}
                environment.pop("exabgp_cli_pipe", None)
                self._waiting = subprocess.Popen(  # noqa: S603 - as ExaBGP would, without a shell
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=environment,
                    process_group=0,
                )

    def Popen(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:  # noqa: N802
        """Return the process that waits, if it is the one that is wanted, or start one."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and (waiting.args != command or waiting.poll() is not None):
            waiting.kill()
            waiting.wait()
            waiting = None
        taken = waiting or subprocess.Popen(command, **options)  # noqa: S603 - as above
        # One that has ended by now is started anew when ExaBGP sees it.
        if taken.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(taken.stdin.fileno(), b"\n")
        return taken


STARTER = Starter()


def _command(path: str) -> list[str] | None:
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.strip()
            if words.startswith(RUN):
                return words.removeprefix(RUN).rstrip(";").split()
    return None


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, take the process that waits."""
    from exabgp.reactor.api import processes  # noqa: PLC0415 - a new clock comes before ExaBGP

    if processes.subprocess is not subprocess:
        raise TypeError("exabgp.reactor.api.processes does not know subprocess")
    processes.subprocess = STARTER
