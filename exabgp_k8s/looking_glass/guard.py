"""What any client may take of the server: connections, time for a request, time for an answer.

uvicorn waits for ever for a request that drips and for a client that reads nothing, and either
costs a connection. Behind a proxy all clients have one address, so nothing is counted by address:
what is too slow is ended, and the newest connection beyond the limit is not begun.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http import h11_impl

CONNECTIONS = 256
"""At a time; each open page holds one or two."""
HEAD = 16 * 1024
"""Bytes of a request line with its headers; single sign-on proxies add some."""
REQUEST_SECONDS = 5.0
"""For a whole request to arrive, once it has begun; for the first one, once connected."""
READ_SECONDS = 20.0
"""For a client to take what the kernel could not buffer."""
KEEP_ALIVE_SECONDS = 75
"""Between two requests on one connection."""


class Guarded(h11_impl.H11Protocol):
    """uvicorn's connection, with an end to all waiting."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._request_ends: asyncio.TimerHandle | None = None
        self._reading_ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; the first one starts the clock, the last one stops it."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._expect_request()
        else:
            self._request_is_here()

    def pause_writing(self) -> None:
        """Note that the client does not read as fast as we write."""
        super().pause_writing()
        self._reading_ends = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that it has read enough."""
        super().resume_writing()
        self._is_read()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._request_is_here()
        super().connection_lost(exc)
        self._is_read()

    def _expect_request(self) -> None:
        if self._request_ends is None:
            self._request_ends = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _request_is_here(self) -> None:
        if self._request_ends is not None:
            self._request_ends.cancel()
            self._request_ends = None

    def _is_read(self) -> None:
        if self._reading_ends is not None:
            self._reading_ends.cancel()
            self._reading_ends = None
