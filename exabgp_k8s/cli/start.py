"""Process 1 of the pod, from its first line on.

The command line, and what checks the settings, are large and slow to load, and process 1 lives
long. So what it was told is read by hand here where it is as simple as in a DaemonSet; all else
is left to ``cli.run``, which explains what is wrong or replaces itself by this. The settings are
checked by a fork, and ExaBGP and the agent are started meanwhile: neither does anything before
that check is over.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence

from exabgp_k8s import chain
from exabgp_k8s.agent import variables
from exabgp_k8s.logs import lines
from exabgp_k8s.supervisor import checker, directory
from exabgp_k8s.supervisor.supervisor import Supervisor

DESCRIPTORS = 16384
"""We need 300; but systemd's default of 1,024 is also what the commands of checks would get."""
LARGEST = 256 * 1024 + 1
"""Bytes of the settings that are read: one more than may be, so that it is noticed."""
STOP_TIMEOUT = "--stop-timeout"
DEFAULT_STOP_TIMEOUT = 20.0

PATHS = (
    variables.STATE_DIR,
    variables.PASSWORD_DIR,
    variables.SETTINGS,
    variables.KUBECONFIG,
    variables.BFD_DIR,
)
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
"""What a Node's name consists of (Kubernetes, Object Names and IDs)."""


def main(arguments: Sequence[str]) -> None:
    """Be process 1, and end as it does; return if the command line has to be read by others."""
    told = read(arguments, os.environ)
    if told is not None:
        sys.exit(begin(*told))


def read(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[Mapping[str, str], float] | None:
    """Return the variables and the stop timeout; None for whatever is not plainly right."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=False))
    seconds = given.pop(STOP_TIMEOUT, f"{DEFAULT_STOP_TIMEOUT:g}").removesuffix("s")
    if len(arguments) != 2 * len(given) + 2 * (STOP_TIMEOUT in arguments[::2]):
        return None
    if (
        not seconds.isdecimal()
        or not given.keys() <= variables.OPTIONS.keys()
        or not all(given.values())
    ):
        return None
    told = {
        **variables.DEFAULTS,
        # One that is empty is one that is not there, as for the command line.
        **{
            name: environment[name] for name in variables.OPTIONS.values() if environment.get(name)
        },
        **{variables.OPTIONS[option]: value for option, value in given.items()},
    }
    return (told, float(seconds)) if _is_right(told) else None


def _of(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return our variables; one that is empty is not there, as for the command line."""
    names = variables.OPTIONS.values()
    return {name: environment[name] for name in names if environment.get(name)}


def _is_right(told: Mapping[str, str]) -> bool:
    node = told.get(variables.NODE, "")
    is_named = 0 < len(node) <= 253 and node[0].isalnum() and node[-1].isalnum()  # noqa: PLR2004
    try:
        variables.split_address(told[variables.HTTP])
    except ValueError:
        return False
    return is_named and set(node) <= PLAIN and told[variables.LOG_FORMAT] in lines.FORMATS


def begin(told: Mapping[str, str], stop_timeout: float) -> int:
    """Start everything and supervise it; return the exit code."""
    # As process 1 we would not end by a signal that we do not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _raise_descriptors()
    there = {name: os.path.join(os.getcwd(), told[name]) for name in PATHS if name in told}
    os.environ.update({**chain.environment(), **told, **there})
    state_dir = there[variables.STATE_DIR]
    try:
        directory.prepare(state_dir)
    except directory.UnusableError as error:
        from exabgp_k8s.cli import refusals  # noqa: PLC0415 - only for the last words

        refusals.fail(told[variables.LOG_FORMAT], f"--state-dir: {error}")
    # Read now: an edit that comes while everything starts is the agent's to find.
    document = _read(there[variables.SETTINGS])
    lock = chain.lock_checking(state_dir)
    checking = checker.begin(lambda: _check(document), closed=lock)
    command = chain.server_command(os.path.join(state_dir, chain.CONFIGURATION))
    return Supervisor(state_dir, list(command), stop_timeout, checking).run()


def _check(document: bytes | None) -> int:
    from exabgp_k8s.cli import check  # noqa: PLC0415 - in a process that ends soon

    return check.check(document)


def _read(path: str) -> bytes | None:
    """Return the document; None where the check shall say what is wrong with it."""
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except OSError:
        return None


def _raise_descriptors() -> None:
    """Allow this process and all that come after it more open files, as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    # By ``cli.run``, which has read and checked everything.
    sys.exit(begin({**variables.DEFAULTS, **_of(os.environ)}, float(sys.argv[1])))
