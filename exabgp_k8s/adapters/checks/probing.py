"""What a probe is, what may become of one, and the words for a failed system call."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Awaitable, Callable

Probe = Callable[[], Awaitable[str]]
"""One run of a prepared probe: returns a short message, raises ``ProbeFailed`` or ``OSError``.

A probe knows no timeout. It is cancelled when its time is over and must then let go of every
descriptor and process it holds.
"""


class ProbeFailed(Exception):
    """The thing probed is not healthy; the message says what was seen instead."""


class NotRun(Exception):
    """The probe could not be carried out for want of something of ours: that is no outcome."""


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
