"""The sign of life that the supervisor waits for.

It is sent by the loop that decides, not beside it, so an agent that hangs falls silent.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

SOCKET_NAME = "supervisor.sock"


class Heartbeat:
    """A datagram with our process id, sent at most once a second."""

    INTERVAL = 1.0

    def __init__(self, state_dir: Path) -> None:
        self._path = str(state_dir / SOCKET_NAME)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._sent = float("-inf")

    def beat(self, now: float) -> None:
        """Tell the supervisor that this process decides."""
        if now - self._sent < self.INTERVAL:
            return
        self._sent = now
        # A supervisor that does not listen is no reason to stop announcing.
        with contextlib.suppress(OSError):
            self._socket.sendto(str(os.getpid()).encode(), self._path)
