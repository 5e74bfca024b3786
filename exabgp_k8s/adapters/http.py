"""A small HTTP/1.1 server: one request a connection, on TCP and on a unix socket alike.

The same server carries what may be read from the network and what only the node's own user may
do; which one a request may reach is decided by the table of routes it is given.
"""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import h11

REQUEST_LIMIT = 5.0
"""Seconds for a whole request to arrive; nobody needs more for a line and some headers."""
READ_SIZE = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"


Route = Callable[[Request], Awaitable[Response]]
Routes = Mapping[tuple[str, str], Route]
"""Method and path of every request that is served."""


def as_json(value: Any, status: int = 200) -> Response:
    """Return a value as a JSON response."""
    return Response(status=status, body=json.dumps(value, indent=1).encode() + b"\n")


class Server:
    """Answers requests by a table of routes."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; given to ``asyncio.start_server``."""
        connection = h11.Connection(h11.SERVER)
        try:
            request = await asyncio.wait_for(_receive(connection, reader), REQUEST_LIMIT)
            response = await self._answer(request)
        except (TimeoutError, h11.RemoteProtocolError):
            response = as_json({"error": "not a request this server understands"}, 400)
        except OSError:
            writer.close()
            return
        await _send(connection, writer, response)

    async def _answer(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path))
        if route is not None:
            return await route(request)
        paths = sorted(f"{method} {path}" for method, path in self._routes)
        return as_json({"error": f"no {request.method} {request.path}", "served": paths}, 404)


async def _receive(connection: h11.Connection, reader: asyncio.StreamReader) -> Request:
    """Return the request once it is complete; a body is read and dropped."""
    head: h11.Request | None = None
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_SIZE))
            case h11.Request() as event:
                head = event
            case h11.EndOfMessage() if head is not None:
                break
            case h11.ConnectionClosed():
                raise ConnectionResetError("closed before a request came")
            case _:
                pass
    url = urllib.parse.urlsplit(head.target.decode("ascii", "replace"))
    return Request(
        method=head.method.decode("ascii"),
        path=url.path,
        query=dict(urllib.parse.parse_qsl(url.query)),
    )


async def _send(
    connection: h11.Connection, writer: asyncio.StreamWriter, response: Response
) -> None:
    headers = [
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        ("Connection", "close"),
    ]
    try:
        for event in (
            h11.Response(status_code=response.status, headers=headers),
            h11.Data(data=response.body),
            h11.EndOfMessage(),
        ):
            writer.write(connection.send(event) or b"")
        await writer.drain()
    except (OSError, h11.LocalProtocolError):
        # The client went away, or never spoke HTTP: there is nobody to tell.
        pass
    finally:
        writer.close()
