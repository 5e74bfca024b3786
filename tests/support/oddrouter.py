"""A router that says what a test wants it to: the far end of a session, byte by byte.

It completes the handshake, keeps the session alive, writes down what it is told, and sends
whatever it is given. Source: RFC 4271 section 4, RFC 4760, RFC 5492.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
ASN = 64513
LIMIT = 120.0
"""Seconds for anything to happen; for a machine that is busy, not a promise."""


def message(kind: int, body: bytes = b"", *, length: int | None = None) -> bytes:
    """Return a message; with ``length`` its header claims another one."""
    size = 19 + len(body) if length is None else length
    return b"\xff" * 16 + struct.pack("!HB", size, kind) + body


def capability(code: int, value: bytes = b"") -> bytes:
    """Return one capability of an OPEN."""
    return bytes((code, len(value))) + value


BOTH_FAMILIES = capability(1, b"\0\1\0\1") + capability(1, b"\0\2\0\1")
FOUR_OCTETS = capability(65, struct.pack("!I", ASN))
REFRESH, ENHANCED_REFRESH = capability(2), capability(70)
USUAL = BOTH_FAMILIES + FOUR_OCTETS + REFRESH


def opening(capabilities: bytes = USUAL, *, hold_time: int = 9) -> bytes:
    """Return an OPEN; without any capability it has no optional parameter at all."""
    parameter = bytes((2, len(capabilities))) + capabilities if capabilities else b""
    fixed = struct.pack("!BHH4sB", 4, ASN, hold_time, bytes((192, 0, 2, 1)), len(parameter))
    return message(OPEN, fixed + parameter)


def attribute(flags: int, code: int, value: bytes) -> bytes:
    """Return a path attribute, with a length of two octets where it needs one."""
    if len(value) < 256:
        return bytes((flags, code, len(value))) + value
    return bytes((flags | 0x10, code)) + struct.pack("!H", len(value)) + value


def update(attributes: bytes = b"", prefixes: bytes = b"") -> bytes:
    """Return an UPDATE that withdraws nothing."""
    return message(UPDATE, b"\0\0" + struct.pack("!H", len(attributes)) + attributes + prefixes)


def path(asns: tuple[int, ...] = (ASN,)) -> bytes:
    """Return the three attributes that every announcement has."""
    segment = bytes((2, len(asns))) + b"".join(struct.pack("!I", asn) for asn in asns)
    return (
        attribute(0x40, 1, b"\0")
        + attribute(0x40, 2, segment)
        + attribute(0x40, 3, bytes((192, 0, 2, 1)))
    )


PREFIX = bytes((24, 203, 0, 113))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message that the node sent."""

    kind: int
    body: bytes


class Router:
    """A listener that has one session at a time.

    Args:
        address: the loopback address to listen on.
        first: what it sends when somebody connects.
        is_confirming: whether it answers an OPEN by a KEEPALIVE.
    """

    def __init__(
        self, address: str, *, first: bytes | None = None, is_confirming: bool = True
    ) -> None:
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._first = opening() if first is None else first
        self._is_confirming = is_confirming
        self._changed = threading.Condition()
        self._connection: socket.socket | None = None
        self._heard: list[Heard] = []
        self.sessions = 0
        """How many came up so far."""
        self._is_up = False
        self.moments: list[float] = []
        """When each connection began and ended, in turn."""

    @property
    def is_up(self) -> bool:
        """Whether a session is up."""
        return self._is_up

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True, name="odd router").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """End the session and never take another one."""
        for each in (self._listener, self._connection):
            if each is not None:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._connection is not None
        self._connection.sendall(data)

    def heard(self, kind: int) -> list[bytes]:
        """Return the bodies of the messages of a kind, all sessions together."""
        with self._changed:
            return [each.body for each in self._heard if each.kind == kind]

    def wait(self, is_true: Callable[[], bool], what: str) -> None:
        """Wait until something is true of what was heard so far."""
        end = time.monotonic() + LIMIT
        while not is_true():
            assert time.monotonic() < end, f"{what}: {self._heard[-5:]}"
            with self._changed:
                self._changed.wait(0.05)

    def wait_for(self, kind: int, count: int = 1) -> list[bytes]:
        """Wait until so many messages of a kind came."""
        self.wait(lambda: len(self.heard(kind)) >= count, f"no message of type {kind}")
        return self.heard(kind)

    def wait_up(self, sessions: int = 1) -> None:
        """Wait until so many sessions came up."""
        self.wait(lambda: self.sessions >= sessions, "no session")

    def keeps_session_through(self, count: int = 2) -> bool:
        """Return whether the session that is up outlives some more KEEPALIVEs."""
        before, sessions = len(self.heard(KEEPALIVE)), self.sessions
        self.wait(
            lambda: not self._is_up or len(self.heard(KEEPALIVE)) >= before + count,
            "neither a KEEPALIVE nor an end",
        )
        return self._is_up and self.sessions == sessions

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.moments.append(time.monotonic())
                with connection, contextlib.suppress(OSError):
                    self._connection = connection
                    connection.sendall(self._first)
                    self._read(connection)
                self.moments.append(time.monotonic())
                with self._changed:
                    self._is_up = False
                    self._changed.notify_all()

    def _read(self, connection: socket.socket) -> None:
        buffer = b""
        while received := connection.recv(65536):
            buffer += received
            while len(buffer) >= 19:
                length, kind = struct.unpack_from("!HB", buffer, 16)
                if len(buffer) < length:
                    break
                self._take(connection, kind, buffer[19:length])
                buffer = buffer[length:]

    def _take(self, connection: socket.socket, kind: int, body: bytes) -> None:
        if kind in (OPEN, KEEPALIVE) and self._is_confirming:
            # Who has closed meanwhile may have said why before that: it is still to be read.
            with contextlib.suppress(OSError):
                connection.sendall(message(KEEPALIVE))
        with self._changed:
            self._heard.append(Heard(kind=kind, body=body))
            if kind == KEEPALIVE and not self._is_up:
                self._is_up, self.sessions = True, self.sessions + 1
            self._changed.notify_all()
