"""An end in time and in size to whatever an API server, or a proxy before it, answers.

A timeout of the transport counts silence: a byte now and then keeps a request waiting for ever,
in the headers, in a body, in a line of a watch. And nothing in it counts bytes: a length of 8 GB,
a chunk of 4 GB or a kilobyte that unpacks to a gigabyte is read into memory whole. So each request
has a deadline here, which is looked at before each read from the socket whoever reads, and each
body an end. Nobody asked for compression; what comes compressed all the same is refused.

The deadline belongs to the thread that asks: a request is made, and a watch read, in one thread.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import urllib3

from exabgp_k8s import errors

LARGEST = 2 * 2**20
"""Bytes of an answer or of a line of a watch: etcd refuses objects beyond 1.5 MiB, and a page of
Leases is smaller. What is decoded of it may take 24 times as much memory."""
LARGEST_ERROR = 64 * 2**10
"""Bytes that are read of the body of an error; 300 characters of it are shown."""
PIECE = 64 * 2**10
HANDSHAKE = 4.0
"""Seconds for TLS, from the connection on."""


class _Deadline(threading.local):
    at = float("inf")


_deadline = _Deadline()


def end_within(seconds: float) -> None:
    """Have what this thread reads from now on end within so many seconds."""
    _deadline.at = time.monotonic() + seconds


def _remaining() -> float:
    left = _deadline.at - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out: the answer had not come to its end in time")
    return left


class _Bounded(io.RawIOBase):
    """What comes from a socket until the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._raw = sock, sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_remaining())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Source:
    """Stands in for the socket of which http.client makes its file."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_Bounded(self._sock))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *more: Any, **named: Any) -> None:
        super().__init__(_Source(sock), *more, **named)  # type: ignore[arg-type]


class _Plain(urllib3.connection.HTTPConnection):
    response_class = _Response


class _Tls(urllib3.connection.HTTPSConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        # Up to here the time to connect counted; a handshake that drips has a limit as a whole.
        try:
            sock.settimeout(min(HANDSHAKE, _remaining()))
        except TimeoutError:
            sock.close()
            raise
        return sock


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Tls


def bound(manager: urllib3.PoolManager) -> None:
    """Have every connection that a pool manager opens from now on keep the deadline."""
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def pieces(response: urllib3.HTTPResponse) -> Iterator[bytes]:
    """Yield what comes of a body as it comes, in pieces of a limited size.

    Raises:
        errors.KubeError: it is compressed.
    """
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise errors.KubeError("the answer is compressed, which nobody asked for")
    while piece := response.read1(PIECE, decode_content=False):
        yield piece


def body(response: urllib3.HTTPResponse) -> bytes:
    """Return a body whole.

    Raises:
        errors.TooLarge: it is larger than an answer to us should be.
        errors.KubeError: it is compressed.
    """
    found = bytearray()
    # Read to its end it has given its connection back, and closing it does nothing.
    with contextlib.closing(response):
        for piece in pieces(response):
            found += piece
            if len(found) > LARGEST:
                raise errors.TooLarge(f"the answer is larger than {LARGEST >> 20} MiB")
    return bytes(found)


def error_body(response: urllib3.HTTPResponse) -> bytes:
    """Return the beginning of the body of an error; what cannot be read of it is left out."""
    found = bytearray()
    with contextlib.closing(response), contextlib.suppress(errors.KubeError):
        for piece in pieces(response):
            found += piece
            if len(found) > LARGEST_ERROR:
                break
    return bytes(found[:LARGEST_ERROR])
