"""The liveness probe asks the agent over its unix socket: is its loop turning?

    python -I -m exabgp_k8s.supervisor.alive

Not over HTTP: where another program of the node holds the port, the agent announces all the same,
and a restart for that would take the routes away for nothing. Standard library only: kubelet
starts this every few seconds on every node, and the command line would cost ten times as much.
"""

from __future__ import annotations

import os
import socket
import sys

STATE_DIR, DEFAULT_STATE_DIR = "EXABGP_K8S_STATE_DIR", "/run/exabgp-k8s"
LIMIT = 4.0
"""Seconds for the answer, below kubelet's own limit."""
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: agent\r\n\r\n"


def problem() -> str:
    """Return what is wrong with the agent; nothing if its loop turns."""
    path = os.path.join(os.environ.get(STATE_DIR, DEFAULT_STATE_DIR), "agent.sock")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(LIMIT)
            client.connect(path)
            client.sendall(REQUEST)
            line = client.recv(4096).split(b"\r\n", 1)[0].decode("ascii", "replace")
    except OSError as error:
        return f"{path}: {error or type(error).__name__}"
    return "" if line.split()[1:2] == ["200"] else f"{path}: {line or 'no answer'}"


if __name__ == "__main__":
    sys.exit(problem() or 0)
