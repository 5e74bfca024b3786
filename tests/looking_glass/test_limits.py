"""What a client can take of the server has an end."""

from __future__ import annotations

import socket
import time

import h11
import pytest
from uvicorn.protocols.http import h11_impl

from exabgp_k8s.looking_glass import guard, live
from tests.looking_glass import bed

pytestmark = pytest.mark.functional


def open_live(port: int) -> socket.socket:
    """Ask for the news of a page, and return the connection when they begin."""
    client = socket.create_connection(("127.0.0.1", port), timeout=bed.LIMIT)
    client.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
    client.recv(4096)
    return client


def is_closed(client: socket.socket) -> bool:
    """Wait for the end of a connection."""
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_request_that_does_not_come_is_not_waited_for(alone: bed.Glass) -> None:
    began = time.monotonic()
    silent, dripping, again, long = (
        socket.create_connection(("127.0.0.1", alone.port), timeout=bed.LIMIT) for _ in range(4)
    )
    with silent, dripping, again, long:
        long.sendall(b"GET /" + b"x" * guard.HEAD * 10)
        dripping.sendall(b"GET / HTTP/1.1\r\n")
        again.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        again.recv(4096)
        again.sendall(b"HEAD /healthz HT")

        assert long.recv(12) == b"HTTP/1.1 400"
        assert all(is_closed(each) for each in (silent, dripping, again))
        assert time.monotonic() - began >= guard.REQUEST_SECONDS - 1


def test_connections_beyond_the_limit_are_closed_and_the_others_served(alone: bed.Glass) -> None:
    first = open_live(alone.port)
    opened = [
        socket.create_connection(("127.0.0.1", alone.port), timeout=bed.LIMIT)
        for _ in range(guard.CONNECTIONS)
    ]
    try:
        assert is_closed(opened[-1])
        alone.update("n1", phase="draining", sessions=[])
        # There may still be its first picture to read, which tells of no node.
        while b"n1: " not in (told := first.recv(4096)):
            assert told
    finally:
        for each in (first, *opened):
            each.close()


def test_pages_beyond_the_limit_are_told_to_look_by_themselves(alone: bed.Glass) -> None:
    told = [open_live(alone.port) for _ in range(live.LISTENERS)]
    try:
        assert alone.ask("/live").status == 503
        assert alone.ask("/").status == 200
    finally:
        for each in told:
            each.close()


def test_uvicorn_has_what_the_guard_leans_on() -> None:
    """An upgrade that changes it is to be noticed here."""
    needed = {"connection_made", "connection_lost", "data_received", "pause_writing"}

    assert needed <= vars(h11_impl.H11Protocol).keys()
    assert "self.connections.add(self)" in _source(h11_impl.H11Protocol.connection_made)
    assert h11.Connection(h11.SERVER).their_state is h11.IDLE


def _source(function: object) -> str:
    import inspect  # noqa: PLC0415

    return inspect.getsource(function)  # type: ignore[arg-type]
