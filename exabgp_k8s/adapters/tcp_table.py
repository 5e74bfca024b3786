"""Who is at the other end of this node's TCP connections, from the kernel's tables."""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

from exabgp_k8s.core.facts import model

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ESTABLISHED = "01"
"""Of the state in these tables (include/net/tcp_states.h)."""


def connected() -> Iterator[model.Address]:
    """Yield the addresses at the other ends of this node's TCP connections.

    Of a router they are BGP sessions, on whatever port.
    """
    for table in TABLES:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in table.read_text().splitlines()[1:]:
                _, _, theirs, state, *_ = line.split()
                if state == ESTABLISHED:
                    yield _address(theirs.rpartition(":")[0])


def _address(digits: str) -> model.Address:
    """Return an address of the kernel's tables: words of 32 bits in the order of the host."""
    words = [digits[start : start + 8] for start in range(0, len(digits), 8)]
    return ipaddress.ip_address(b"".join(_word(word) for word in words))


def _word(digits: str) -> bytes:
    return int(digits, 16).to_bytes(4, sys.byteorder)
