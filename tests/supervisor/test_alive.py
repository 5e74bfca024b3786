"""The liveness probe as kubelet starts it, at a socket that answers what a test says."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from exabgp_k8s.supervisor import alive


def _asked(folder: Path, answer: bytes) -> int:
    """Return the exit code of a probe that gets this answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(folder / "agent.sock"))
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        probe = subprocess.run(
            [sys.executable, "-I", "-m", alive.__name__],
            env={**os.environ, alive.STATE_DIR: str(folder)},
            capture_output=True,
            check=False,
        )
        thread.join()
    return probe.returncode


def test_an_agent_whose_loop_turns_is_alive(tmp_path: Path) -> None:
    assert _asked(tmp_path, b"HTTP/1.1 200 OK\r\n\r\n") == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 silent for 200 s\r\n\r\n",
        b"HTTP/1.1 2000\r\n\r\n",
        b" 200",
        b"200",
        b"",
    ],
)
def test_only_the_status_200_is_alive(answer: bytes, tmp_path: Path) -> None:
    assert _asked(tmp_path, answer) == 1
