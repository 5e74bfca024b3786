"""The states of BFD that a router is told, packet by packet (RFC 5880 section 4.1)."""

from __future__ import annotations

import ipaddress
import socket
import threading
from types import TracebackType
from typing import Self

from tests.fabric import routers

ADMIN_DOWN, UP = 0, 3
PORT = 3784
ETH_P_IP = 0x0800


class Heard:
    """What one node says to one router while the ``with`` block runs.

    Args:
        router: who is told.
        node: the node's address.
    """

    def __init__(self, router: routers.Router, node: str) -> None:
        self._router, self._node = router, ipaddress.ip_address(node).packed
        self.states: list[int] = []

    def __enter__(self) -> Self:
        self._socket = self._router.namespace.inside(self._listen)
        self._thread = threading.Thread(target=self._read, name="bfd-packets")
        self._is_over = False
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over = True
        self._thread.join()
        self._socket.close()

    def _listen(self) -> socket.socket:
        found = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        found.bind(("eth0", ETH_P_IP))
        found.settimeout(0.1)
        return found

    def _read(self) -> None:
        while not self._is_over:
            try:
                packet = self._socket.recv(2048)
            except TimeoutError:
                continue
            datagram = packet[4 * (packet[0] & 0xF) :]
            is_bfd = packet[9] == socket.IPPROTO_UDP and datagram[2:4] == PORT.to_bytes(2, "big")
            if is_bfd and packet[12:16] == self._node:
                self.states.append(datagram[9] >> 6)
