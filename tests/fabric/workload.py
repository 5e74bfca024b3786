"""What runs in a pod, and kube-proxy's health port: run inside a namespace, one mode each.

``pod NAME`` answers every connection with the name of its node: HTTP on 8080 (``/source`` with the
address that it sees as the client's, ``/large`` with 300 kB before it), a greeting in the
manner of MySQL on 3306 (the server speaks first), an echo on 7007 that greets first and stays, and
a DNS server that knows one name.
``kube-proxy`` answers 200 on 127.0.0.1:10256, where the real one does; ``kube-proxy leaving`` as
the real one since 1.28 does on a node that is about to be deleted: 503 at /healthz only.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from tests.fabric import dnsserver

WEB_PORT = 8080
MYSQL_PORT = 3306
ECHO_PORT = 7007
HEALTH_PORT = 10256
LARGE = 300_000


async def serve_pod(node: str) -> None:
    """Serve the web, the database, the echo and DNS until killed."""

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, *_ = writer.get_extra_info("peername")
        bodies = {b"/source": source, b"/large": f"{'x' * LARGE} {node}"}
        await _answer_http(reader, writer, node, bodies=bodies)

    async def mysql(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _say(writer, f"{node}\n")

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _echo(reader, writer, node)

    await asyncio.start_server(web, None, WEB_PORT, backlog=1024)
    await asyncio.start_server(echo, None, ECHO_PORT, backlog=1024)
    await asyncio.start_server(mysql, None, MYSQL_PORT, backlog=1024)
    await dnsserver.serve()
    await asyncio.Event().wait()


async def serve_kube_proxy(*, is_leaving: bool = False) -> None:
    """Say that kube-proxy is well until killed."""

    async def healthz(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _answer_http(reader, writer, "ok", not_at=b"/healthz" if is_leaving else None)

    await asyncio.start_server(healthz, "127.0.0.1", HEALTH_PORT)
    await asyncio.Event().wait()


async def _answer_http(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    body: str,
    *,
    not_at: bytes | None = None,
    bodies: Mapping[bytes, str] | None = None,
) -> None:
    try:
        asked = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
        return
    body = (bodies or {}).get(asked.split()[1], body)
    is_unavailable = not_at is not None and not_at in asked.split(b"\r\n", 1)[0]
    status = "503 Service Unavailable" if is_unavailable else "200 OK"
    head = f"HTTP/1.0 {status}\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    await _say(writer, f"{head}{body}\n")


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, node: str) -> None:
    writer.write(f"{node}\n".encode())
    try:
        while said := await reader.read(65536):
            writer.write(said)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def _say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode())
    writer.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["pod", name]:
            asyncio.run(serve_pod(name))
        case ["kube-proxy"]:
            asyncio.run(serve_kube_proxy())
        case ["kube-proxy", "leaving"]:
            asyncio.run(serve_kube_proxy(is_leaving=True))
        case _:
            sys.exit(f"usage: {sys.argv[0]} pod NAME | kube-proxy [leaving]")
