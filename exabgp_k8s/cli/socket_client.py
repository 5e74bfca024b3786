"""Ask the agent over its unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.cli import exits
from exabgp_k8s.errors import AgentUnreachable

OK = 200
BAD_REQUEST = 400

state_dir_option = click.option(
    "--state-dir",
    envvar="EXABGP_K8S_STATE_DIR",
    show_envvar=True,
    default=Path("/run/exabgp-k8s"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the agent's socket is.",
)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("agent", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of to a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


SOCKET = "agent.sock"
"""As in ``agent.options``, which would load more than a question needs."""


def ask(state_dir: Path, method: str, target: str, timeout: float = 5) -> tuple[int, Any]:
    """Return the status and the decoded body of one request.

    Args:
        state_dir: where the agent's socket is.
        method: GET or POST.
        target: path and query.
        timeout: seconds for the whole answer.

    Raises:
        AgentUnreachable: nobody answers on the socket.
    """
    path = state_dir / SOCKET
    connection = _UnixConnection(path, timeout)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AgentUnreachable(f"{path}: {error}") from error
    finally:
        connection.close()


def get(state_dir: Path, target: str) -> Any:
    """Return what the agent shows; where it refuses, say why and end.

    Raises:
        AgentUnreachable: nobody answers on the socket.
    """
    status, answer = ask(state_dir, "GET", target)
    if status == BAD_REQUEST:
        exits.fail(answer["error"])
    if status != OK:
        hint = f"\n{answer['hint']}" if "hint" in answer else ""
        exits.fail(f"{answer.get('error', answer)}{hint}", exits.Code.NO)
    return answer
