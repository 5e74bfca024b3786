"""How the agent is asked to withdraw everything because the pod ends.

One HTTP request over its unix socket, spoken by hand: an HTTP library would double the memory of
process 1.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

LOOK = 1.0
"""Seconds between two looks at everything while the agent withdraws."""


def ask(path: str, limit: float, live: Callable[[float, socket.socket], object]) -> str:
    """Ask once, and return what came of it in words.

    Args:
        path: the agent's socket.
        limit: seconds.
        live: waits so many seconds at most for the answer or for anything else, and answers that:
            both are watched as ever, for the one that withdraws may hang, too.

    Raises:
        TimeoutError: it has not withdrawn within the limit.
        OSError: no agent answers at this moment.
    """
    deadline = time.monotonic() + limit
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(LOOK)
        client.connect(path)
        client.sendall(
            f"POST /v1/drain?stop=1&wait={limit:.1f} HTTP/1.1\r\n"
            "Host: agent\r\nContent-Length: 0\r\n\r\n".encode()
        )
        while not _is_readable(client):
            live(LOOK, client)
            if time.monotonic() > deadline:
                raise TimeoutError
        line = client.recv(4096).split(b"\r\n", 1)[0].decode("ascii", "replace")
    if not line:
        raise ConnectionResetError("the agent ended before it answered")
    return "withdrawn and settled" if line.split()[1:2] == ["200"] else f"not drained: {line}"


def _is_readable(client: socket.socket) -> bool:
    ready, _, _ = select.select([client], [], [], 0)
    return bool(ready)
