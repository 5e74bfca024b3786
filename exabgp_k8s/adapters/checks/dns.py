"""Ask a DNS server for a name: healthy is NOERROR with at least one address of the type asked.

The only module that imports dnspython, and imported only when such a check is configured.
"""

from __future__ import annotations

import functools
import socket
import typing

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from exabgp_k8s.adapters.checks import probing
from exabgp_k8s.core.facts import config

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def prepare(settings: config.DnsProbe) -> probing.Probe:
    """Return the probe for these settings."""
    return functools.partial(_resolve, settings)


async def _resolve(settings: config.DnsProbe) -> str:
    asked = f"{settings.name} {settings.record}"
    query = dns.message.make_query(settings.name, settings.record)
    try:
        response = await _ask(query, settings)
        if response.rcode() != dns.rcode.NOERROR:
            raise probing.ProbeFailed(f"{asked}: {dns.rcode.to_text(response.rcode())}")
        # Follows the CNAMEs of the answer to where they end.
        answer = response.resolve_chaining().answer
    except dns.exception.DNSException as error:
        raise probing.ProbeFailed(f"{asked}: no usable answer: {error}") from error
    if not answer:
        raise probing.ProbeFailed(f"{asked}: NOERROR, but no address")
    return f"{asked}: {answer[0]}"


async def _ask(
    query: dns.message.QueryMessage, settings: config.DnsProbe
) -> dns.message.QueryMessage:
    """Return the answer over UDP, or over TCP when the one over UDP is truncated."""
    where = str(settings.server)
    # Connected, unlike dnspython's own: a closed port is then known at once, not at the timeout.
    udp = await dns.asyncbackend.get_backend("asyncio").make_socket(  # type: ignore[no-untyped-call]
        FAMILIES[settings.server.version], socket.SOCK_DGRAM, destination=(where, settings.port)
    )
    async with udp:
        response, _ = await dns.asyncquery.udp_with_fallback(
            query, where, port=settings.port, udp_sock=udp
        )
    # dnspython checked that it answers this query, and types by opcode at run time only.
    return typing.cast("dns.message.QueryMessage", response)
