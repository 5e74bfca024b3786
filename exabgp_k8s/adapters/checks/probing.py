"""What a probe is, and how every result of one becomes one printable line.

The lines go into status tables, metrics-like listings and logs, and part of their text comes from
a stranger: the body of an answer, a command's stderr. So they are cut and cleaned in one place.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Awaitable, Callable

MESSAGE_LIMIT = 200
"""Characters of a message; a status table has one row for each check."""

Probe = Callable[[], Awaitable[str]]
"""One run of a prepared probe: returns a short message, raises ``ProbeFailed`` or ``OSError``.

A probe knows no timeout. It is cancelled when its time is over and must then let go of every
descriptor and process it holds.
"""


class ProbeFailed(Exception):
    """The thing probed is not healthy; the message says what was seen instead."""


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the text as one printable line of at most ``limit`` characters."""
    # Cut first: the text may be a body of 64 KiB, and this runs every second.
    head = text[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def why(error: OSError) -> str:
    """Return the reason of a failed system call without asyncio's and Python's wrapping."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    # Both put numbers of their own into errno.
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno)


def endpoint(host: str, port: int) -> str:
    """Return ``host:port``, an IPv6 literal in brackets (RFC 3986 section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
