"""The chain of processes: what each is started with, and what they leave for each other.

The supervisor starts ExaBGP, and ExaBGP the agent; both, and whoever checks something for them,
are told by variables and by files in the state directory. It is read by process 1, which lives
long and does little, so there is nothing here but the standard library, and little of it.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import sys
from collections.abc import Mapping

CONFIGURATION = "exabgp.conf"
AGENT_SOCKET, HEARTBEAT_SOCKET = "agent.sock", "supervisor.sock"
BFD = "bfd"
"""The directory that is shared with the engine of BFD, where nobody says another one."""
LOCK = "lock"
"""Held for as long as the supervisor lives."""
CHECKING = "checking"
"""Locked for as long as the settings are being checked at the start."""

AGENT = (sys.executable, "-m", "exabgp_k8s.agent")

Directory = str | os.PathLike[str]

ENVIRONMENT: Mapping[str, str] = {
    # No named pipes and no command-line process: nobody but the agent speaks to ExaBGP.
    "exabgp_api_cli": "false",
    "exabgp_api_ack": "true",
    "exabgp_api_respawn": "true",
    # A helper that cannot even be started must end ExaBGP, not leave it running without one.
    "exabgp_api_terminate": "true",
    "exabgp.api.show-routes-format": "v2",
    "exabgp_log_destination": "stderr",
    "exabgp_log_level": "WARNING",
    "exabgp_log_short": "false",
    # 10 turns a second while something is under way; helpers' pipes are polled all the time.
    "exabgp_reactor_speed": "10",
    # Seconds that a router may take from the connection to its OPEN; 60 unless told.
    "exabgp_bgp_openwait": "20",
    # Who starts us decides the user; ExaBGP changes to another one only as root.
    "exabgp_daemon_drop": "false",
    # Where it is not: ExaBGP shall not read one of the host's.
    "EXABGP_ENVFILE": "/nonexistent",
}


def environment() -> Mapping[str, str]:
    """Return the variables that ExaBGP runs with, besides the ones we were given.

    It insists on a user that exists, even where it stays who it is.
    """
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = "nobody"
    return {**ENVIRONMENT, "exabgp_daemon_user": user}


def server_command(path: Directory) -> tuple[str, ...]:
    """Return the command that runs ExaBGP, with what the launcher replaces in it."""
    return (sys.executable, "-m", "exabgp_k8s.launcher", "server", os.fspath(path))


def first_configuration() -> str:
    """Return the configuration with no neighbor yet, as ``wire.daemon_conf`` would."""
    return f"process agent {{\n  run {' '.join(AGENT)};\n  encoder json;\n}}\n"


def write_private(path: Directory, text: str) -> None:
    """Write a file that only we can read: it may hold TCP MD5 passwords."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)


def lock_checking(directory: Directory) -> int:
    """Have whoever needs checked settings wait until the descriptor that is returned is closed.

    By this process and by every one that it forked meanwhile.
    """
    lock = os.open(os.path.join(directory, CHECKING), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def wait_until_checked(directory: Directory) -> None:
    """Wait for the end of the check at the start, if there is one under way."""
    try:
        lock = os.open(os.path.join(directory, CHECKING), os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
    finally:
        os.close(lock)
