"""The kernel's own tables, asked for as a whole; it needs no right.

All entries pass by, because the kernel does not pick; a node has hundreds.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

from exabgp_k8s.wire import netlink

LONGEST_ANSWER = 64 * 1024
MOST_ANSWERS = 4096
"""Several hundred thousand entries, more than the agent should look through every few seconds."""
PATIENCE = 2.0
"""Seconds; the kernel answers while it is asked."""
_ERROR = struct.Struct("=i")


def dump(question: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the content of each entry of a table.

    Raises:
        OSError: the kernel does not tell it, or it is too large.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(PATIENCE)
        kernel.send(question)
        for _ in range(MOST_ANSWERS):
            for kind, content in netlink.messages(kernel.recv(LONGEST_ANSWER)):
                if kind == netlink.DONE:
                    return
                if kind == netlink.ERROR:
                    raise _refusal(content)
                yield kind, content
    raise OSError("the kernel's table is too large to look through")


def _refusal(content: bytes) -> OSError:
    if len(content) < _ERROR.size:
        return OSError("the kernel does not tell its table")
    (number,) = _ERROR.unpack_from(content)
    return OSError(-number, os.strerror(-number))
