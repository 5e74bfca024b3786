"""The sockets that clients come to: bound, and with small buffers.

What the kernel keeps for a connection counts as our memory, and it would keep megabytes for each
client that sends without being read, or that reads nothing.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path
from typing import Any

BACKLOG = 128
"""Connections that the kernel holds until they are accepted; they cost no descriptor of ours."""
BUFFER = 32 * 1024
"""Bytes in each direction, which Linux doubles for its own records; accepted ones inherit it."""


def on_tcp(host: str, port: int) -> tuple[socket.socket, ...]:
    """Return sockets that listen on every address of a host; an empty one means all there are.

    Raises:
        OSError: not even one of the addresses can be had.
    """
    found = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    failure: OSError | None = None
    with contextlib.ExitStack() as opened:
        sockets = []
        for family, _, _, _, address in found:
            try:
                sockets.append(opened.enter_context(_bound(family, address)))
            except OSError as error:
                # A kernel without IPv6 resolves "all addresses" to both families all the same.
                if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    raise
                failure = error
        if not sockets and failure is not None:
            raise failure
        opened.pop_all()
    return tuple(sockets)


def on_unix(path: Path) -> tuple[socket.socket]:
    """Return a socket that listens at a path; what a predecessor left there is replaced.

    The directory is ours alone, so it is never open to anybody else.
    """
    path.unlink(missing_ok=True)
    return (_bound(socket.AF_UNIX, str(path)),)


def _bound(family: int, address: Any) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family != socket.AF_UNIX:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # The IPv4 addresses have a socket of their own.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            bound.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        bound.bind(address)
        bound.setblocking(False)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"{error.strerror}: {address}") from error
    return bound
