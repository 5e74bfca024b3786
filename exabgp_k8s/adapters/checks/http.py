"""GET a URL and judge by the status, as kubelet's probes do: 200 to 399 is healthy.

A redirect is an answer and is not followed. Any server may be at the other end, also a broken or
endless one: of the body 64 KiB at most are read, and the connection is then dropped.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import urllib.parse
from collections.abc import Awaitable, Callable

import h11

import exabgp_k8s
from exabgp_k8s.adapters.checks import connecting, probing
from exabgp_k8s.core.facts import config, printable

BODY_LIMIT = 65536
READ_SIZE = 16384
SHOWN_OF_BODY = 80
NOT_FOUND = 404
PORTS = {"http": 80, "https": 443}


def prepare(settings: config.HttpProbe) -> probing.Probe:
    """Return the probe for these settings; reading the CA certificates is done once, here."""
    url = urllib.parse.urlsplit(settings.url)
    fallback = urllib.parse.urlsplit(settings.fallback) if settings.fallback else None
    context = _tls(verify=settings.verify) if url.scheme == "https" else None
    return functools.partial(_judge, url, fallback, context)


def _tls(*, verify: bool) -> ssl.SSLContext:
    if verify:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _judge(
    url: urllib.parse.SplitResult,
    fallback: urllib.parse.SplitResult | None,
    context: ssl.SSLContext | None,
) -> str:
    status, reason, body = await _get(url, context)
    if status == NOT_FOUND and fallback is not None:
        status, reason, body = await _get(fallback, context)
    line = f"{status} {reason}".strip()
    if 200 <= status <= 399:  # noqa: PLR2004 - the range of kubelet's probes
        return line
    shown = printable.one_line(body.strip().partition("\n")[0], SHOWN_OF_BODY)
    raise probing.ProbeFailed(f"{line}: {shown}" if shown else line)


async def _get(
    url: urllib.parse.SplitResult, context: ssl.SSLContext | None
) -> tuple[int, str, str]:
    """Return status, reason phrase and the beginning of the body."""
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    try:
        if context is None:
            return await _plain(url, host, port)
        return await _encrypted(url, host, port, context)
    except h11.RemoteProtocolError as error:
        raise probing.ProbeFailed(f"no HTTP answer: {error}") from error


async def _plain(url: urllib.parse.SplitResult, host: str, port: int) -> tuple[int, str, str]:
    connection, loop = h11.Connection(h11.CLIENT), asyncio.get_running_loop()
    with await connecting.connect(host, port) as made:
        await loop.sock_sendall(made, _request(connection, url))
        return await _answer(connection, lambda: loop.sock_recv(made, READ_SIZE))


async def _encrypted(
    url: urllib.parse.SplitResult, host: str, port: int, context: ssl.SSLContext
) -> tuple[int, str, str]:
    connection = h11.Connection(h11.CLIENT)
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(_request(connection, url))
        return await _answer(connection, lambda: reader.read(READ_SIZE))
    finally:
        # close() would wait for the peer: to read what is unsent, to end TLS politely.
        writer.transport.abort()


def _request(connection: h11.Connection, url: urllib.parse.SplitResult) -> bytes:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = [
        ("Host", url.netloc.rpartition("@")[2]),
        ("User-Agent", f"exabgp-k8s/{exabgp_k8s.__version__}"),
        ("Accept", "*/*"),
        ("Connection", "close"),
    ]
    head = connection.send(h11.Request(method="GET", target=target, headers=headers))
    return (head or b"") + (connection.send(h11.EndOfMessage()) or b"")


async def _answer(
    connection: h11.Connection, read: Callable[[], Awaitable[bytes]]
) -> tuple[int, str, str]:
    """Return status, reason phrase and the beginning of the body."""
    status, reason, body = 0, "", bytearray()
    while len(body) < BODY_LIMIT:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await read())
        elif isinstance(event, h11.Response):
            status, reason = event.status_code, bytes(event.reason).decode(errors="replace")
        elif isinstance(event, h11.Data):
            body += event.data
        elif not isinstance(event, h11.InformationalResponse):
            break
    return status, reason, body.decode(errors="replace")
