"""DNS probes against a small name server of our own, over UDP and TCP."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import typing
from collections.abc import AsyncIterator, Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from exabgp_k8s.core.facts import config
from tests.adapters import probes
from tests.support import ports

NAME = "kubernetes.default.svc.cluster.local"
LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
Answer = Callable[[dns.message.Message], bytes | None]


def reply(*records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, flags: int = 0) -> Answer:
    """Return a server's answer: records as ``name type data``."""

    def answer(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        response.flags |= flags
        for record in records:
            name, kind, data = record.split(" ", 2)
            response.answer.append(dns.rrset.from_text(f"{name}.", 5, "IN", kind, data))
        return response.to_wire()

    return answer


def silence(_: dns.message.Message) -> None:
    """Answer nothing."""


class NameServer(asyncio.DatagramProtocol):
    """Answers over UDP; ``None`` means silence."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = typing.cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        raw = self._answer(dns.message.from_wire(data))
        if raw is not None:
            self._transport.sendto(raw, addr)


@contextlib.asynccontextmanager
async def serving(udp: Answer, tcp: Answer) -> AsyncIterator[int]:
    """Serve on one port of 127.0.0.1 over both transports."""

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2))
        raw = tcp(dns.message.from_wire(await reader.readexactly(length))) or b""
        writer.write(len(raw).to_bytes(2) + raw)
        await writer.drain()

    # The kernel's own choice would be free for TCP only.
    async with probes.serving(stream, ports.claim()) as port:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: NameServer(udp), local_addr=("127.0.0.1", port)
        )
        try:
            yield port
        finally:
            transport.close()


def at(port: int, record: str = "A") -> config.DnsProbe:
    return config.DnsProbe(server=LOOPBACK, name=NAME, port=port, record=record)


def ask(
    udp: Answer, tcp: Answer = silence, *, record: str = "A", limit: float = probes.PATIENCE
) -> tuple[bool, str]:
    async def run() -> tuple[bool, str]:
        async with serving(udp, tcp) as port:
            return await probes.outcome(at(port, record), limit=limit)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("udp", "expected"),
    [
        (reply(f"{NAME} A 10.96.0.1"), (True, f"{NAME} A: 10.96.0.1")),
        (
            reply(
                f"{NAME} CNAME a.example.", "a.example CNAME b.example.", "b.example A 192.0.2.9"
            ),
            (True, f"{NAME} A: 192.0.2.9"),
        ),
        (reply(rcode=dns.rcode.NXDOMAIN), (False, f"{NAME} A: NXDOMAIN")),
        (reply(rcode=dns.rcode.SERVFAIL), (False, f"{NAME} A: SERVFAIL")),
        (reply(), (False, f"{NAME} A: NOERROR, but no address")),
        (reply(f"{NAME} CNAME a.example."), (False, f"{NAME} A: NOERROR, but no address")),
        (reply(f"{NAME} AAAA 2001:db8::1"), (False, f"{NAME} A: NOERROR, but no address")),
        (reply("other.example A 192.0.2.1"), (False, f"{NAME} A: NOERROR, but no address")),
    ],
)
def test_noerror_with_an_address_is_healthy(udp: Answer, expected: tuple[bool, str]) -> None:
    assert ask(udp) == expected


def test_an_ipv6_address_is_asked_for_with_record_aaaa() -> None:
    result = ask(reply(f"{NAME} AAAA 2001:db8::1"), record="AAAA")
    assert result == (True, f"{NAME} AAAA: 2001:db8::1")


def test_a_truncated_answer_is_asked_for_again_over_tcp() -> None:
    udp, tcp = reply(flags=dns.flags.TC), reply(f"{NAME} A 10.96.0.1")
    assert ask(udp, tcp) == (True, f"{NAME} A: 10.96.0.1")


def test_garbage_over_udp_has_failed() -> None:
    is_ok, message = ask(lambda _: b"\xff" * 40)
    assert not is_ok
    assert "no usable answer" in message


def test_a_silent_server_runs_into_the_timeout() -> None:
    assert ask(silence, limit=0.2) == (False, "no result within 0.2 s")


def test_a_port_nobody_listens_on_is_known_before_the_timeout() -> None:
    assert asyncio.run(probes.outcome(at(ports.claim()))) == (False, "Connection refused")


def test_200_runs_leave_no_descriptor() -> None:
    async def run() -> None:
        good = reply(f"{NAME} A 10.96.0.1")
        truncated = reply(flags=dns.flags.TC)
        async with (
            serving(good, good) as well,
            serving(silence, silence) as mute,
            serving(truncated, good) as over_tcp,
        ):
            before = probes.descriptors()
            await asyncio.gather(
                probes.outcomes(at(well), 80),
                probes.outcomes(at(over_tcp), 80),
                probes.outcomes(at(mute), 40, limit=0.02),
            )
            await probes.until(lambda: probes.descriptors() <= before)

    asyncio.run(run())
