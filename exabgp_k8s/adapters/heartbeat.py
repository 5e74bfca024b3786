"""The sign of life that the supervisor waits for.

It is sent by the loop that decides, not beside it, so an agent that hangs falls silent.
"""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

SOCKET_NAME = "supervisor.sock"
UNANSWERED = b"unanswered "
"""What stands before our process id where ExaBGP did not answer."""


class Heartbeat:
    """A datagram with our process id, sent at most once a second."""

    INTERVAL = 1.0
    GONE_AFTER = 3.0
    """Seconds without a listener after which there is no supervisor."""

    def __init__(self, state_dir: Path) -> None:
        self._path = str(state_dir / SOCKET_NAME)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._sent = float("-inf")
        self._heard: float | None = None
        # Connected, it reaches the supervisor even where somebody cleared the directory.
        self._is_connected = False
        self.gone = asyncio.Event()
        """Set when there is no supervisor any more."""

    def beat(self, now: float) -> None:
        """Tell the supervisor that this process decides, and notice if there is none."""
        if now - self._sent < self.INTERVAL:
            return
        self._sent = now
        is_heard = self._send(b"")
        if is_heard or self._heard is None:
            self._heard = now
        elif now - self._heard >= self.GONE_AFTER:
            self.gone.set()

    def tell_unanswered(self) -> bool:
        """Tell the supervisor that ExaBGP does not answer; return whether there is one."""
        return self._send(UNANSWERED)

    def _send(self, prefix: bytes) -> bool:
        try:
            if not self._is_connected:
                self._socket.connect(self._path)
                self._is_connected = True
            self._socket.send(prefix + str(os.getpid()).encode())
        except BlockingIOError:
            # It is there and has not read the last ones yet.
            return True
        except OSError:
            self._is_connected = False
            return False
        return True
