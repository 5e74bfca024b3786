"""One HTTP/1.1 request and its answer, as the API server's protocol has them.

Answers carry a length and leave the connection open; a watch is chunked, one line of JSON a
chunk, flushed as it happens. Whoever answers may also leave the rules on purpose: the tests'
server does, through the same few methods.
"""

from __future__ import annotations

import http.server
import json
import select
import socket
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exabgp_k8s.tryout.kubeapi import store

Answer = Callable[["Exchange"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked, as the server's log keeps it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    client: str
    """Address and port: requests on one connection have the same."""
    body: bytes = field(default=b"", repr=False)

    @property
    def is_watch(self) -> bool:
        """Say whether this asks for a stream of changes."""
        return self.query.get("watch", "") in {"1", "true"}


class Exchange(http.server.BaseHTTPRequestHandler):
    """A connection with the request that is being answered on it."""

    protocol_version = "HTTP/1.1"
    server_version = "exabgp-k8s-try"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, connection: socket.socket, client: str, answer: Answer) -> None:
        self.client_name = client
        self._answer = answer
        # The base class's "server" is used for nothing here: connections are accepted elsewhere.
        super().__init__(connection, (client, 0), None)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Serve every HTTP method the same way: the base class looks for ``do_METHOD``."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        self.request_read = Request(
            method=self.command,
            path=url.path,
            query=dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            client=self.client_name,
            body=self.rfile.read(length),
        )
        try:
            self._answer(self)
        except store.StatusError as error:
            self.send_object(error.status, error.code, error.headers)

    def send_object(
        self, item: Mapping[str, Any], code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with one JSON document."""
        self.send_bytes(json.dumps(item).encode(), code, headers)

    def send_bytes(
        self, body: bytes, code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with these bytes, called JSON."""
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def start_stream(self) -> None:
        """Send the headers of a chunked answer."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def send_event(self, kind: str, item: Mapping[str, Any]) -> None:
        """Send one line of a watch."""
        self.send_chunk(json.dumps({"type": kind, "object": item}).encode() + b"\n")

    def send_chunk(self, piece: bytes) -> None:
        """Send one chunk; an empty one ends the stream and keeps the connection."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.flush()

    def is_abandoned(self) -> bool:
        """Say whether the client has closed, or broken the rules, while a stream runs."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))

    def log_message(self, *_: object) -> None:
        """Log nothing: ``ApiServer.requests`` is the log."""
