"""The far end of a session: as little of a router as BGP allows, with a clock.

A router's own work would be part of every figure. This one completes the handshake, sends a
KEEPALIVE for each one it gets, and notes when recv() returned the bytes of an UPDATE.

Source: RFC 4271 section 4; RFC 4760 and RFC 6793 for the two capabilities.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

from tests.bench import BenchError

OPEN, UPDATE, KEEPALIVE = 1, 2, 4
HEADER = struct.Struct("!16sHB")
MARKER = b"\xff" * 16
LIMIT = 30.0
"""Seconds to wait for anything; what takes longer does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One prefix of one UPDATE."""

    at: int
    """Nanoseconds of CLOCK_MONOTONIC at which the bytes were here."""
    prefix: str
    is_withdrawal: bool


class Peer:
    """A listener that speaks BGP to whoever connects, one session at a time.

    Args:
        address: the loopback address to listen on, also the router id.
        asn: its AS number.
    """

    def __init__(self, address: str, asn: int) -> None:
        self.address, self.asn = address, asn
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._heard = threading.Condition()
        self._changes: list[Change] = []
        self._connection: socket.socket | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True, name=f"peer {self.address}").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """End the session and take no other one."""
        for sock in (self._listener, self._connection):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                sock.close()

    def wait(self, prefixes: Collection[str], *, is_withdrawal: bool, since: int) -> list[int]:
        """Return when each prefix was first withdrawn or announced since a moment.

        Raises:
            BenchError: it has not been after ``LIMIT`` seconds.
        """
        found: dict[str, int] = {}

        def is_complete() -> bool:
            for change in self._changes:
                if change.at >= since and change.is_withdrawal is is_withdrawal:
                    found.setdefault(change.prefix, change.at)
            return found.keys() >= set(prefixes)

        with self._heard:
            if not self._heard.wait_for(is_complete, LIMIT):
                what = "withdrawn from" if is_withdrawal else "announced to"
                missing = ", ".join(sorted(set(prefixes) - found.keys()))
                raise BenchError(f"{missing}: not {what} {self.address} within {LIMIT:g} s")
            # What was waited for is over; the list must not grow with the run.
            self._changes.clear()
        return [found[prefix] for prefix in prefixes]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._connection = connection
                    self._speak(connection)

    def _speak(self, connection: socket.socket) -> None:
        connection.sendall(self._open())
        buffer = b""
        while received := connection.recv(65536):
            at = time.monotonic_ns()
            buffer += received
            while len(buffer) >= HEADER.size:
                _, length, kind = HEADER.unpack_from(buffer)
                if len(buffer) < length:
                    break
                body, buffer = buffer[HEADER.size : length], buffer[length:]
                if kind in (OPEN, KEEPALIVE):
                    connection.sendall(_message(KEEPALIVE, b""))
                elif kind == UPDATE:
                    self._note(at, body)

    def _note(self, at: int, body: bytes) -> None:
        withdrawn_end = 2 + int.from_bytes(body[:2])
        attributes_end = withdrawn_end + 2 + int.from_bytes(body[withdrawn_end:][:2])
        found = [
            Change(at=at, prefix=prefix, is_withdrawal=is_withdrawal)
            for is_withdrawal, field in (
                (True, body[2:withdrawn_end]),
                (False, body[attributes_end:]),
            )
            for prefix in _prefixes(field)
        ]
        with self._heard:
            self._changes += found
            self._heard.notify_all()

    def _open(self) -> bytes:
        # Multiprotocol IPv4 unicast, and AS numbers of four octets.
        offered = bytes((1, 4, 0, 1, 0, 1)) + bytes((65, 4)) + self.asn.to_bytes(4)
        parameter = bytes((2, len(offered))) + offered
        fixed = struct.pack("!BHH4sB", 4, self.asn, 90, self._router_id(), len(parameter))
        return _message(OPEN, fixed + parameter)

    def _router_id(self) -> bytes:
        return ipaddress.IPv4Address(self.address).packed


def _message(kind: int, body: bytes) -> bytes:
    return HEADER.pack(MARKER, HEADER.size + len(body), kind) + body


def _prefixes(field: bytes) -> Iterator[str]:
    """Yield the prefixes of a field of <length, bytes> pairs (RFC 4271 section 4.3)."""
    while field:
        length, size = field[0], (field[0] + 7) // 8
        packed = field[1 : 1 + size].ljust(4, b"\0")
        yield f"{ipaddress.IPv4Address(packed)}/{length}"
        field = field[1 + size :]
