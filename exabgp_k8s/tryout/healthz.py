"""A health endpoint with a switch, in the place of kube-proxy's."""

from __future__ import annotations

import socket
import time

from exabgp_k8s.tryout.kubeapi import exchange, listener

OK, UNAVAILABLE = 200, 503


class Healthz:
    """Answers 200, or 503 while ``is_ok`` is false.

    Args:
        sock: where it listens; closed by ``stop``.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.is_ok = True
        self.failures: list[float] = []
        """When 503 was answered, on the monotonic clock."""
        self._listener = listener.Listener(self._answer, None, sock)
        self._listener.start(None)

    @property
    def url(self) -> str:
        """Where it is asked."""
        host, port = self._listener.address
        return f"http://{host}:{port}/healthz"

    def stop(self) -> None:
        """Answer nobody any more."""
        self._listener.stop()

    def _answer(self, asked: exchange.Exchange) -> None:
        is_ok = self.is_ok
        if not is_ok:
            self.failures.append(time.monotonic())
        asked.send_bytes(b"{}", OK if is_ok else UNAVAILABLE)
