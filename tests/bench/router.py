"""The far end of a session: as little of a router as BGP allows, with a clock.

A router's own work would be part of every figure. This one completes the handshake, sends a
KEEPALIVE for each one it gets, and notes when recv() returned the bytes of an UPDATE.

Run as ``python router.py ADDRESS ASN``; standard library only. It says its port, then a line for
each prefix of each UPDATE, and ends with its standard input. A process of its own, as a router
is another machine: whatever else the bench does must not keep it from looking at the clock.

Source: RFC 4271 section 4; RFC 4760 and RFC 6793 for the two capabilities.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator

OPEN, UPDATE, KEEPALIVE = 1, 2, 4
HEADER = struct.Struct("!16sHB")
MARKER = b"\xff" * 16


def serve(address: str, asn: int) -> None:
    """Speak BGP to whoever connects, one session at a time."""
    listener = socket.create_server((address, 0))
    os.write(1, b"%d\n" % listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            _speak(connection, _open(address, asn))


def _speak(connection: socket.socket, opening: bytes) -> None:
    connection.sendall(opening)
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
                lines = (f"{at} {what} {prefix}\n" for what, prefix in changes(body))
                os.write(1, "".join(lines).encode())


def changes(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield each prefix of an UPDATE's body, and whether it is withdrawn or announced."""
    withdrawn_end = 2 + int.from_bytes(body[:2])
    attributes_end = withdrawn_end + 2 + int.from_bytes(body[withdrawn_end:][:2])
    for what, field in (
        ("withdrawn", body[2:withdrawn_end]),
        ("announced", body[attributes_end:]),
    ):
        for prefix in _prefixes(field):
            yield what, prefix


def _prefixes(field: bytes) -> Iterator[str]:
    """Yield the prefixes of a field of <length, bytes> pairs (RFC 4271 section 4.3)."""
    while field:
        length, size = field[0], (field[0] + 7) // 8
        packed = field[1 : 1 + size].ljust(4, b"\0")
        yield f"{ipaddress.IPv4Address(packed)}/{length}"
        field = field[1 + size :]


def _open(address: str, asn: int) -> bytes:
    # Multiprotocol IPv4 unicast, and AS numbers of four octets.
    offered = bytes((1, 4, 0, 1, 0, 1)) + bytes((65, 4)) + asn.to_bytes(4)
    parameter = bytes((2, len(offered))) + offered
    router_id = ipaddress.IPv4Address(address).packed
    fixed = struct.pack("!BHH4sB", 4, asn, 90, router_id, len(parameter))
    return _message(OPEN, fixed + parameter)


def _message(kind: int, body: bytes) -> bytes:
    return HEADER.pack(MARKER, HEADER.size + len(body), kind) + body


if __name__ == "__main__":
    threading.Thread(target=serve, args=(sys.argv[1], int(sys.argv[2])), daemon=True).start()
    while os.read(0, 1):
        pass
