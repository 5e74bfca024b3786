"""Ports of loopback that stay free between the moment they are found and the one they are used.

A port that the kernel gives for 0 is one of those that it gives to every outgoing connection as
well. Where a server listens on it only later, or again after a while, another program of this busy
machine may have it by then; and a client that keeps dialling it may even meet itself. So these are
below the kernel's range, and no two tests that run beside each other are given the same one.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket

FIRST = 12_000
COUNT = 1 << 14
"""All of them are below 32768, where the kernel's own begin."""

# Not what pytest-randomly seeds: all processes of a run would begin with the same one.
_numbers = itertools.count(random.SystemRandom().randrange(COUNT))
_claims: list[int] = []
"""Descriptors; each holds the name that keeps others away, until this process ends."""


def claim() -> int:
    """Return a port of 127.0.0.1 that is this process's to listen on, as often as it likes."""
    for number in itertools.islice(_numbers, COUNT):
        port = FIRST + number % COUNT
        if _is_claimed(port) and _is_free(port):
            return port
    raise AssertionError("no port is free")


def _is_claimed(port: int) -> bool:
    """Take a name that only one process of this machine can have, and that goes with it."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0exabgp-k8s tests, port {port}")
    except OSError:
        name.close()
        return False
    _claims.append(name.detach())
    return True


def _is_free(port: int) -> bool:
    """Return whether no program that knows nothing of claims has it."""
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False
