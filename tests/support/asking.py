"""What an agent shows, asked as the command line asks: over its socket, without a new process.

A test that waits asks many times a second; starting Python for each question would take the
processor from what is being waited for. What the commands make of the answer has tests of its own.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from http import client
from pathlib import Path
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.cli import socket_client


def ask(state_dir: Path, what: str) -> Any:
    """Return what ``exabgp-k8s status`` and its like show with ``-o json``; None: nobody answers.

    For a moment after the end of an agent there is none.
    """
    try:
        status, answer = socket_client.ask(state_dir, "GET", f"/v1/{what}")
    except errors.AgentUnreachable:
        return None
    return answer if status == socket_client.OK else None


def http(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Return the status and the body that the node's port answers; 0: nobody does.

    A status that is not 200 is an answer, never an exception: whoever waits for one asks again.
    """
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        # It is the response too, with its connection.
        with error:
            return error.code, error.read().decode()
    except (OSError, client.HTTPException):
        return 0, ""
