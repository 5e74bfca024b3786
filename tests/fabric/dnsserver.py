"""A DNS server that knows one name, over UDP and TCP, as kube-dns does: it runs in every pod."""

from __future__ import annotations

import asyncio
import typing

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.fabric import addresses

PORT = 53
ZONE = {f"{addresses.MYSQL_NAME}.": addresses.MYSQL}


def answer(wire: bytes) -> bytes:
    """Return the answer to one query."""
    query = dns.message.from_wire(wire)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    name = query.question[0].name
    if name.to_text() in ZONE:
        reply.answer.append(dns.rrset.from_text(name, 5, "IN", "A", ZONE[name.to_text()]))
    else:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply.to_wire()


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
