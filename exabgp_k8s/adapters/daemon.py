"""ExaBGP's configuration file: written, checked, swapped, and read by ExaBGP again.

A configuration that ExaBGP refuses once makes it refuse every later one, so a new file goes
through ``exabgp validate`` before it takes the place of the old one. Where ExaBGP does not take
it all the same, it is ended, and the supervisor starts it with the new file.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from exabgp_k8s.core.facts import events, model
from exabgp_k8s.errors import DaemonError
from exabgp_k8s.wire import daemon_conf

FILE_NAME = "exabgp.conf"
ENV_FILE_NAME = "exabgp.env"
"""An empty one: without it ExaBGP complains at every start."""
VALIDATE_LIMIT = 20.0
"""Seconds for ``exabgp validate``; it needs 0.2 on an idle core."""
AGENT_COMMAND = (sys.executable, "-m", "exabgp_k8s.agent")

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
    # 0.2 % of a core instead of 1.6 while idle; helpers' pipes are polled, so it costs no latency.
    "exabgp_reactor_speed": "10",
    # Seconds that a router may take from the connection to its OPEN; 60 unless told.
    "exabgp_bgp_openwait": "20",
    # Who starts us decides the user; ExaBGP changes to another one only as root.
    "exabgp_daemon_drop": "false",
}


def environment(state_dir: Path) -> Mapping[str, str]:
    """Return the variables that ExaBGP runs with, besides the ones we were given.

    It insists on a user that exists, even where it stays who it is.
    """
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = "nobody"
    return {
        **ENVIRONMENT,
        "EXABGP_ENVFILE": str(state_dir / ENV_FILE_NAME),
        "exabgp_daemon_user": user,
    }


def validate_command(path: Path) -> tuple[str, ...]:
    """Return the command that checks a configuration without starting anything."""
    return (sys.executable, "-m", "exabgp_k8s.launcher", "validate", str(path))


def server_command(path: Path) -> tuple[str, ...]:
    """Return the command that runs ExaBGP, with what the launcher replaces in it."""
    return (sys.executable, "-m", "exabgp_k8s.launcher", "server", str(path))


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read: it may hold TCP MD5 passwords."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)


class Daemon:
    """The running ExaBGP, as far as its configuration goes."""

    def __init__(self, state_dir: Path, process_id: int) -> None:
        self._path = state_dir / FILE_NAME
        self._process_id = process_id

    async def configure(
        self, neighbors: tuple[model.Neighbor, ...]
    ) -> events.DaemonReloaded | events.DaemonRefused:
        """Bring the file and ExaBGP to these neighbors; nothing is done if they are there."""
        text = daemon_conf.render(neighbors, AGENT_COMMAND, show_secrets=True)
        try:
            if text != self._current():
                candidate = self._path.with_suffix(".new")
                write_private(candidate, text)
                await _validate(candidate)
                candidate.replace(self._path)
                self.reload()
        except (OSError, DaemonError) as error:
            return events.DaemonRefused(problem=str(error))
        return events.DaemonReloaded(neighbors=neighbors)

    def reload(self) -> None:
        """Tell ExaBGP once more to read the file that is there."""
        os.kill(self._process_id, signal.SIGUSR1)

    def end(self) -> None:
        """End ExaBGP; a supervisor starts it again with the file that is there now."""
        os.kill(self._process_id, signal.SIGTERM)

    def kill(self) -> None:
        """End an ExaBGP that does not answer; only for where there is no supervisor to do it."""
        os.kill(self._process_id, signal.SIGKILL)

    def _current(self) -> str:
        try:
            return self._path.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""


async def _validate(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *validate_command(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), VALIDATE_LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise DaemonError(f"exabgp validate did not end within {VALIDATE_LIMIT:g} s") from None
    if process.returncode != 0:
        lines = output.decode("utf-8", "replace").splitlines()
        said = [line.strip() for line in lines if line.strip()]
        raise DaemonError("exabgp validate refused the configuration: " + " | ".join(said[-5:]))
