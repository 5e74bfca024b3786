"""A small HTTP/1.1 server: one request a connection, on TCP and on a unix socket alike.

The same server carries what may be read from the network and what only the node's own user may
do; which one a request may reach is decided by the table of routes it is given. Anybody may send
anything: connections, heads, bodies, answers and times are limited, and what is refused is
refused at once. The limits stand in one place, ``Limits``, and in the reference.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import h11
import structlog

from exabgp_k8s.adapters import connections, shortage
from exabgp_k8s.core.facts import printable

READ_SIZE = 4 * 1024
SHORT_PAUSE = 0.2
"""Seconds until a connection is accepted again for which there was no descriptor."""
LINGER = 1.0
LINGER_SIZE = 64 * 1024
"""Of what a refused client still sends so much is read: at a reset it would miss the reason."""
ORIGIN = re.compile(r"(?i:https?)://(\[[0-9A-Fa-f:.]+\]|[-A-Za-z0-9._]*)(:[0-9]*)?(?=[/?#]|$)")
"""What a client may write before the path (RFC 9112 section 3.2.2)."""
PATH = re.compile(r"/[-A-Za-z0-9._~!$&'()*+,;=:@%/]*")
"""The characters of a path (RFC 3986 section 3.3)."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may use of us."""

    connections: int = 64
    """At a time; with 8 KiB for each head, half a megabyte."""
    connections_of_one: int = 32
    """At a time from one address, or one IPv6 /64."""
    head: int = 8 * 1024
    """Bytes of request line and headers; Prometheus sends 300."""
    query: int = 20
    """Parameters in a query; no path has more than two."""
    request_seconds: float = 5
    """For the whole head to arrive."""
    answer_seconds: float = 5
    """For the client to take the answer."""
    answers: int = 8 * 1024 * 1024
    """Bytes of answers that clients have not taken yet, all together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = ""
    """The forms that the client takes (RFC 9110 section 12.5.1); empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    """More than what is said of every body."""


Route = Callable[[Request], Awaitable[Response]]
Routes = Mapping[tuple[str, str], Route]
"""Method and path of every request that is served."""


class _Refused(Exception):
    """The request is not answered; why is said with a status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def as_json(value: Any, status: int = 200) -> Response:
    """Return a value as a JSON response."""
    return Response(status=status, body=json.dumps(value, indent=1).encode() + b"\n")


class Server:
    """Answers requests by a table of routes.

    Args:
        routes: what is served.
        limits: what clients may use of us.
        reserve: descriptors held back for this server, for when there are no others.
    """

    def __init__(self, routes: Routes, limits: Limits | None = None, *, reserve: int = 0) -> None:
        self._routes, self._limits = routes, limits or Limits()
        self._reserve = shortage.Reserve(reserve)
        self._connections = connections.Connections(
            self._limits.connections, self._limits.connections_of_one, self._limits.answers
        )

    async def serve(self, listening: socket.socket) -> None:
        """Accept connections for ever, one in a turn of the loop: it has other things to do."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(listening)
            except OSError as error:
                # Without a descriptor the client waits in the kernel's queue.
                if not shortage.of(error) or not self._reserve.release():
                    await asyncio.sleep(SHORT_PAUSE)
                continue
            self._admit(sock, connections.client_of(address))
            await asyncio.sleep(0)

    def _admit(self, sock: socket.socket, client: str) -> None:
        connection = connections.Connection(client=client)
        connection.task = asyncio.create_task(self._converse(connection, sock))

        def ended(_: object) -> None:
            # Not in the task: one that is cancelled before its first step closes nothing.
            sock.close()
            self._connections.leave(connection)
            if not self._connections:
                self._reserve.fill()

        connection.task.add_done_callback(ended)
        if not self._connections.admit(connection):
            connection.task.cancel()

    async def _converse(self, connection: connections.Connection, sock: socket.socket) -> None:
        """Receive one request and answer it; whatever the client does ends here."""
        spoken = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head)
        is_refused = False
        # A client that is gone, or takes nothing: there is nobody to tell.
        with contextlib.suppress(OSError):
            try:
                async with asyncio.timeout(self._limits.request_seconds):
                    request = await self._receive(spoken, sock)
            except TimeoutError:
                is_refused = True
                response = as_json({"error": "the request did not arrive in time"}, 408)
            except _Refused as refused:
                is_refused = True
                response = as_json({"error": str(refused)}, refused.status)
            else:
                connection.is_answering = True
                response = await self._answer(request)
            answer = _rendered(spoken, response)
            self._connections.hold(connection, len(answer))
            async with asyncio.timeout(self._limits.answer_seconds):
                await asyncio.get_running_loop().sock_sendall(sock, answer)
            if is_refused:
                await _linger(sock)

    async def _receive(self, spoken: h11.Connection, sock: socket.socket) -> Request:
        """Return the request once its head is complete; one with a body is refused."""
        loop = asyncio.get_running_loop()
        try:
            while (event := spoken.next_event()) is h11.NEED_DATA:
                spoken.receive_data(await loop.sock_recv(sock, READ_SIZE))
        except h11.RemoteProtocolError as error:
            raise _Refused(
                error.error_status_hint, "not a request this server understands"
            ) from None
        if not isinstance(event, h11.Request):
            raise ConnectionResetError("closed before a request came")
        # The next event would be the body, or that there is none.
        if _has_body(event):
            raise _Refused(413, "no request to this server has a body")
        return self._understood(event)

    def _understood(self, head: h11.Request) -> Request:
        target = head.target.decode("ascii", "replace")
        if origin := ORIGIN.match(target):
            target = target[origin.end() :] or "/"
        path, _, query = target.partition("#")[0].partition("?")
        if not PATH.fullmatch(path):
            raise _Refused(400, "write a path, such as /v1/status")
        try:
            pairs = urllib.parse.parse_qsl(query, max_num_fields=self._limits.query)
        except ValueError:
            raise _Refused(400, f"write at most {self._limits.query} parameters") from None
        return Request(
            method=head.method.decode("ascii"),
            path=path,
            query=dict(pairs),
            accept=", ".join(
                value.decode("latin-1") for name, value in head.headers if name == b"accept"
            ),
        )

    async def _answer(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path))
        if route is None:
            paths = sorted(f"{method} {path}" for method, path in self._routes)
            asked = printable.one_line(f"{request.method} {request.path}", 80)
            return as_json({"error": f"no {asked}", "served": paths}, 404)
        try:
            return await route(request)
        except Exception as error:
            # A bug of ours costs this answer, and a line; never the agent.
            log.exception("http.failed", path=request.path, why=repr(error)[:200])
            return as_json({"error": "the answer could not be made; see the agent's log"}, 500)


def _has_body(head: h11.Request) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in head.headers
    )


def _rendered(spoken: h11.Connection, response: Response) -> bytes:
    headers = [
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        ("Connection", "close"),
        *response.headers,
    ]
    head = spoken.send(h11.Response(status_code=response.status, headers=headers)) or b""
    return head + response.body


async def _linger(sock: socket.socket) -> None:
    """Read a little of what a refused client still sends, so that it reads why."""
    loop = asyncio.get_running_loop()
    sock.shutdown(socket.SHUT_WR)
    async with asyncio.timeout(LINGER):
        for _ in range(LINGER_SIZE // READ_SIZE):
            if not await loop.sock_recv(sock, READ_SIZE):
                return
