"""Whatever anybody sends to the HTTP server: it is answered, bounded, and harms nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import structlog

from exabgp_k8s.adapters import http, listening
from tests.support import descriptors

GET = b"GET /here HTTP/1.1\r\nHost: a\r\n\r\n"
ENDLESS = 100_000_000
HALF = b"GET /here HTTP/1.1\r\nHost: a\r\nX: "
PATIENT = http.Limits(request_seconds=600, answer_seconds=600)


async def here(_: http.Request) -> http.Response:
    return http.as_json({"is": "here"})


async def broken(_: http.Request) -> http.Response:
    raise RuntimeError("a bug of ours")


async def large(_: http.Request) -> http.Response:
    return http.Response(body=b"x" * 4_000_000)


ROUTES: http.Routes = {
    ("GET", "/here"): here,
    ("GET", "/broken"): broken,
    ("GET", "/large"): large,
}


class Bed:
    """A server on loopback, and all the clients that came to it."""

    def __init__(self, port: int, opened: contextlib.ExitStack) -> None:
        self._port, self._opened = port, opened

    async def connect(self, data: bytes, client: str = "127.0.0.1") -> socket.socket:
        """Return a connection from an address, after these bytes were sent."""
        loop = asyncio.get_running_loop()
        sock = self._opened.enter_context(socket.socket())
        sock.setblocking(False)
        sock.bind((client, 0))
        await loop.sock_connect(sock, ("127.0.0.1", self._port))
        await loop.sock_sendall(sock, data)
        return sock

    async def ask(self, data: bytes, client: str = "127.0.0.1") -> tuple[int, bytes]:
        """Return status and body of the answer; the connection is closed by the server."""
        with await self.connect(data, client) as sock:
            head, _, body = (await read(sock)).partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body


async def read(sock: socket.socket) -> bytes:
    """Return everything until the server closes, or resets, the connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := await asyncio.get_running_loop().sock_recv(sock, 65536):
            found += piece
    return found


async def is_open(sock: socket.socket) -> bool:
    """Return whether the server still waits for the rest of a request."""
    await asyncio.sleep(0.01)
    try:
        sock.recv(1)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    return False


def serving(
    body: Callable[[Bed], Awaitable[object]],
    limits: http.Limits | None = None,
    routes: http.Routes = ROUTES,
) -> None:
    """Run an async test body against a server on loopback."""

    async def run() -> None:
        (bound,) = listening.on_tcp("127.0.0.1", 0)
        with bound, contextlib.ExitStack() as opened:
            task = asyncio.create_task(http.Server(routes, limits).serve(bound))
            async with asyncio.timeout(60):
                await body(Bed(bound.getsockname()[1], opened))
            task.cancel()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET, 200),
        (b"GET http://agent/here?a=b#c HTTP/1.1\r\nHost: agent\r\n\r\n", 200),
        (b"GET //[ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://[::1/here HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://[::1]:9179/here HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (b"GET HTTP://agent HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET //[zz]/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET a:b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET /met\x00rics HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET //\xe2\x84\x80/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /here\r\n\r\n", 400),
        (b"GET /here HTTP/1.1\r\n\r\n", 400),
        (b"GET /here?" + b"a=1&" * 1500 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /" + b"a" * 15_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (GET[:-2] + b"X: a\r\n" * 5000 + b"\r\n", 431),
    ],
)
def test_an_odd_request_line_is_an_answer_and_no_traceback(sent: bytes, status: int) -> None:
    async def body(bed: Bed) -> None:
        with structlog.testing.capture_logs() as logs:
            answered, _ = await bed.ask(sent)
        assert answered == status
        assert logs == []
        assert (await bed.ask(GET))[0] == 200

    serving(body)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Length: 5\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
        b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_a_body_is_refused_before_it_came(framing: bytes) -> None:
    async def body(bed: Bed) -> None:
        status, _ = await bed.ask(b"POST /here HTTP/1.1\r\nHost: a\r\n" + framing)
        assert status == 413

    serving(body, PATIENT)


def test_a_body_without_end_is_read_no_further_than_the_answer_needs() -> None:
    async def body(bed: Bed) -> None:
        head = b"POST /here HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"
        sock = await bed.connect(head)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < ENDLESS:
                await asyncio.get_running_loop().sock_sendall(sock, b"x" * 65536)
                sent += 65536
        assert sent < ENDLESS

    serving(body, PATIENT)


def test_what_is_not_served_is_repeated_in_few_printable_characters() -> None:
    async def body(bed: Bed) -> None:
        status, text = await bed.ask(b"GET /" + b"a" * 7000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert status == 404
        error = json.loads(text)["error"]
        assert len(error) < 100
        assert error.startswith("no GET /aaa")

    serving(body)


def test_a_bug_in_one_answer_costs_that_answer_only() -> None:
    async def body(bed: Bed) -> None:
        with structlog.testing.capture_logs() as logs:
            status, _ = await bed.ask(GET.replace(b"here", b"broken"))
        assert status == 500
        assert [each["event"] for each in logs] == ["http.failed"]
        assert (await bed.ask(GET))[0] == 200

    serving(body)


def test_a_request_that_does_not_arrive_in_time_is_told_so_and_closed() -> None:
    async def body(bed: Bed) -> None:
        status, _ = await bed.ask(HALF)
        assert status == 408

    serving(body, http.Limits(request_seconds=0.2))


def test_an_answer_that_nobody_takes_is_dropped_in_time() -> None:
    async def body(bed: Bed) -> None:
        sock = await bed.connect(GET.replace(b"here", b"large"))
        await asyncio.sleep(1)
        assert len(await read(sock)) < 4_000_000

    serving(body, http.Limits(answer_seconds=0.2))


def test_answers_that_nobody_takes_are_bounded_in_sum() -> None:
    """The two oldest of three go, and the newest is still there to be read."""

    async def body(bed: Bed) -> None:
        asking = GET.replace(b"here", b"large")
        clients = [await bed.connect(asking) for _ in range(2)]
        await asyncio.sleep(0.5)
        status, text = await bed.ask(asking)
        assert (status, len(text)) == (200, 4_000_000)
        for each in clients:
            assert len(await read(each)) < 4_000_000

    serving(body, http.Limits(request_seconds=600, answer_seconds=600, answers=5_000_000))


def test_no_more_connections_are_held_than_there_are_places() -> None:
    async def body(bed: Bed) -> None:
        clients = [await bed.connect(HALF) for _ in range(30)]
        assert (await bed.ask(GET))[0] == 200
        held = [await is_open(each) for each in clients]
        assert sum(held) < 10

    serving(body, http.Limits(connections=10, connections_of_one=10, request_seconds=600))


def test_a_flood_of_one_client_takes_no_place_of_another() -> None:
    async def body(bed: Bed) -> None:
        other = await bed.connect(HALF, "127.0.0.2")
        await asyncio.sleep(0.2)
        clients = [await bed.connect(HALF) for _ in range(50)]
        assert (await bed.ask(GET))[0] == 200
        assert await is_open(other)
        assert (await bed.ask(GET, "127.0.0.3"))[0] == 200
        assert sum([await is_open(each) for each in clients]) <= 6

    serving(body, http.Limits(connections=10, connections_of_one=6, request_seconds=600))


def test_one_that_speaks_at_once_is_answered_though_a_flood_comes_from_the_same_address() -> None:
    async def body(bed: Bed) -> None:
        async def flood() -> None:
            while True:
                await bed.connect(HALF)

        floods = [asyncio.create_task(flood()) for _ in range(5)]
        for _ in range(20):
            assert (await bed.ask(GET))[0] == 200
        for each in floods:
            each.cancel()
        assert (await bed.ask(GET))[0] == 200

    serving(body, http.Limits(request_seconds=600))


def test_a_place_where_an_answer_is_being_made_is_not_taken() -> None:
    """A drain is waited for, while others come and go."""
    waited: list[asyncio.Future[None]] = []

    async def drain(request: http.Request) -> http.Response:
        waited.append(asyncio.get_running_loop().create_future())
        await waited[0]
        return await here(request)

    async def body(bed: Bed) -> None:
        waiting = await bed.connect(GET.replace(b"here", b"drain"))
        for _ in range(20):
            await bed.connect(HALF)
        waited[0].set_result(None)
        assert (await read(waiting)).startswith(b"HTTP/1.1 200")

    limits = http.Limits(connections=3, connections_of_one=3, request_seconds=600)
    serving(body, limits, {**ROUTES, ("GET", "/drain"): drain})


def test_the_socket_with_a_reserve_answers_when_no_descriptor_is_left(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "agent.sock"
        with (
            listening.on_unix(path)[0] as bound,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client,
        ):
            server = http.Server(ROUTES, reserve=1)
            client.setblocking(False)
            with descriptors.used_up():
                task = asyncio.create_task(server.serve(bound))
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, str(path))
                await loop.sock_sendall(client, GET)
                assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 200")
                task.cancel()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_one_address_of_several_that_is_taken_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        listening.on_tcp("127.0.0.1", taken.getsockname()[1])
