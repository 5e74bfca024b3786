"""A DNS server that knows one name, over UDP and TCP, as kube-dns does: it runs in every pod.

It starts with every node of every bed, so it speaks the little of RFC 1035 that it needs itself:
a library would cost more than all the rest of a pod.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import typing

from tests.fabric import addresses

PORT = 53
ZONE = {addresses.MYSQL_NAME.lower(): addresses.MYSQL}
TTL = 5

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHHIH")
_RESPONSE, _AUTHORITATIVE, _RECURSION_DESIRED, _NXDOMAIN = 0x8000, 0x0400, 0x0100, 3
_A, _IN = 1, 1
_NAME_OF_THE_QUESTION = 0xC000 | _HEADER.size
"""A pointer instead of the name once more."""


def answer(wire: bytes) -> bytes:
    """Return the answer to one query: the address, no address of that type, or no such name."""
    number, asked, *_ = _HEADER.unpack_from(wire)
    labels, end = [], _HEADER.size
    while size := wire[end]:
        labels.append(wire[end + 1 : end + 1 + size].decode("ascii", "replace"))
        end += 1 + size
    question = wire[_HEADER.size : end + 5]
    kind, _ = struct.unpack_from("!HH", wire, end + 1)
    address = ZONE.get(".".join(labels).lower())
    record = b""
    if address is not None and kind == _A:
        octets = socket.inet_aton(address)
        record = _RECORD.pack(_NAME_OF_THE_QUESTION, _A, _IN, TTL, len(octets)) + octets
    flags = _RESPONSE | _AUTHORITATIVE | asked & _RECURSION_DESIRED
    flags |= _NXDOMAIN if address is None else 0
    return _HEADER.pack(number, flags, 1, 1 if record else 0, 0, 0) + question + record


class Datagrams(asyncio.DatagramProtocol):
    """DNS over UDP."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = typing.cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(answer(data), addr)


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one query over TCP (RFC 7766: two octets of length first)."""
    size = int.from_bytes(await reader.readexactly(2), "big")
    reply = answer(await reader.readexactly(size))
    writer.write(len(reply).to_bytes(2, "big") + reply)
    writer.close()


async def serve() -> None:
    """Listen on both, and return: the event loop goes on serving."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Datagrams, local_addr=("0.0.0.0", PORT))
    await asyncio.start_server(converse, None, PORT)
