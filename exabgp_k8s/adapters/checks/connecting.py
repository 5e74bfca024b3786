"""A TCP connection for one probe, and nothing around it.

A probe each second is most of what an idle agent does. Streams, with their transports, protocols
and buffers, are for connections that last; to make and drop them costs more than the question.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any


async def connect(host: str, port: int) -> socket.socket:
    """Return a connection to the first address of a host that accepts one.

    Raises:
        OSError: there is no address, or what the last one said.
    """
    refusal = OSError(f"{host} has no address")
    for family, address in await _ways(host, port):
        try:
            return await _connect(family, address)
        except OSError as error:
            refusal = error
    raise refusal


async def _connect(family: int, address: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        # Cancelled as well: its time is over.
        made.close()
        raise
    return made


async def _ways(host: str, port: int) -> Iterable[tuple[int, Any]]:
    """Return the families and addresses of a host, each as a socket takes it."""
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(family, address) for family, *_, address in found]
    family = socket.AF_INET if literal.version == 4 else socket.AF_INET6  # noqa: PLR2004
    return [(family, (host, port))]
