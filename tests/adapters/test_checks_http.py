"""HTTP and TCP probes against servers that behave, and servers that do not."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import socket
import ssl

import pytest
import trustme

from exabgp_k8s.core.facts import config
from tests.adapters import probes

GIB = 2**30


def answer(raw: bytes, *, then_close: bool = True) -> probes.Serve:
    """Return a server that reads the request's head and sends these bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        if not then_close:
            await asyncio.sleep(3600)

    return serve


def get(serve: probes.Serve, path: str = "/", limit: float = probes.PATIENCE) -> tuple[bool, str]:
    async def run() -> tuple[bool, str]:
        async with probes.serving(serve) as port:
            return await probes.outcome(
                config.HttpProbe(url=f"http://127.0.0.1:{port}{path}"), limit=limit
            )

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (True, "200 OK")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (True, "204 No Content")),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", (True, "200 OK")),
        (
            b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            (True, "200"),
        ),
        (
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            (True, "200 OK"),
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            (True, "302 Found"),
        ),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", (False, "404 Not Found")),
        (
            b"HTTP/1.1 503 Service Unavailable\r\n\r\nnot\tready \x1b[31m\nsecond line",
            (False, "503 Service Unavailable: not ready [31m"),
        ),
        (
            b"HTTP/1.1 500 Oops\r\n\r\n" + 500 * b"x",
            (False, "500 Oops: " + 79 * "x" + "…"),
        ),
    ],
)
def test_the_status_decides_as_with_kubelet(raw: bytes, expected: tuple[bool, str]) -> None:
    assert get(answer(raw)) == expected


def test_a_connection_that_the_server_keeps_open_after_its_answer_does_not_delay() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert get(answer(raw, then_close=False)) == (True, "200 OK")


def test_the_request_is_a_get_with_host_agent_path_and_query() -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    get(serve, "//livez?verbose&exclude=x")
    first, *headers = heads[0].decode().strip().split("\r\n")
    names = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in headers}
    assert first == "GET //livez?verbose&exclude=x HTTP/1.1"
    assert names["host"].startswith("127.0.0.1:")
    assert names["user-agent"].startswith("exabgp-k8s/")
    assert names["connection"] == "close"


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\x01garbage\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", 200_000 * b"x"]
)
def test_what_is_not_http_has_failed_and_says_so(raw: bytes) -> None:
    is_ok, message = get(answer(raw))
    assert (is_ok, message[:15]) == (False, "no HTTP answer:")


def test_a_server_that_never_answers_runs_into_the_timeout() -> None:
    assert get(answer(b"", then_close=False), limit=0.2) == (False, "no result within 0.2 s")


def test_a_body_that_stalls_runs_into_the_timeout() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    assert not get(answer(raw, then_close=False), limit=0.2)[0]


def test_an_endless_body_is_dropped_after_64_kib() -> None:
    sent = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {GIB}\r\n\r\n".encode())
        while True:
            writer.write(65536 * b"x")
            await writer.drain()
            sent.append(65536)

    assert get(serve) == (True, "200 OK")
    assert sum(sent) < GIB / 8


def test_a_refused_connection_says_so_in_plain_words() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        result = asyncio.run(probes.outcome(config.HttpProbe(url=url)))
    assert result == (False, "Connection refused")


def test_an_ipv6_literal_is_reached() -> None:
    async def run() -> tuple[bool, str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 " + (b"v6" if b"Host: [::1]:" in head else b"?") + b"\r\n\r\n"
            )
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "::1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await probes.outcome(config.HttpProbe(url=f"http://[::1]:{port}/"))

    assert asyncio.run(run()) == (True, "200 v6")


@pytest.fixture(name="authority")
def _authority(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Return a CA that is the system's only one while the test runs."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def get_tls(authority: trustme.CA, *, name: str, verify: bool) -> tuple[bool, str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)

    async def run() -> tuple[bool, str]:
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        async with probes.serving(answer(raw), ssl=context) as port:
            url = f"https://127.0.0.1:{port}/"
            return await probes.outcome(config.HttpProbe(url=url, verify=verify))

    return asyncio.run(run())


def test_a_certificate_of_a_system_ca_is_accepted(authority: trustme.CA) -> None:
    assert get_tls(authority, name="127.0.0.1", verify=True) == (True, "200 OK")


def test_a_certificate_of_an_unknown_ca_is_refused(authority: trustme.CA) -> None:
    del authority
    is_ok, message = get_tls(trustme.CA(), name="127.0.0.1", verify=True)
    assert (is_ok, message[:25]) == (False, "certificate not accepted:")


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    assert not get_tls(authority, name="other.example", verify=True)[0]


def test_with_verify_off_any_certificate_will_do(authority: trustme.CA) -> None:
    del authority
    assert get_tls(trustme.CA(), name="other.example", verify=False) == (True, "200 OK")


def test_200_runs_against_hanging_plain_and_tls_servers_leave_no_descriptor() -> None:
    async def run() -> None:
        async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del writer
            await reader.read()

        good = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        async with probes.serving(stall) as stalling, probes.serving(good) as serving:
            before = probes.descriptors()
            await asyncio.gather(
                probes.outcomes(config.HttpProbe(url=f"http://127.0.0.1:{serving}/"), 100),
                probes.outcomes(
                    config.HttpProbe(url=f"https://127.0.0.1:{stalling}/", verify=False),
                    50,
                    limit=0.02,
                ),
                probes.outcomes(
                    config.HttpProbe(url=f"http://127.0.0.1:{stalling}/"), 50, limit=0.02
                ),
            )
            await probes.until(lambda: probes.descriptors() <= before)

    asyncio.run(run())


def test_a_listening_port_is_healthy_and_is_let_go() -> None:
    async def run() -> list[bool]:
        closed = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del writer
            with contextlib.suppress(ConnectionError):
                await reader.read()
            closed.set()

        async with probes.serving(serve) as port:
            probe = config.TcpProbe(host="127.0.0.1", port=port)
            is_ok, message = await probes.outcome(probe)
            await asyncio.wait_for(closed.wait(), probes.LIMIT)
            return [is_ok, message == f"connected to 127.0.0.1:{port}"]

    assert asyncio.run(run()) == [True, True]


def test_a_closed_port_has_failed() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        probe = config.TcpProbe(host="127.0.0.1", port=bound.getsockname()[1])
        assert asyncio.run(probes.outcome(probe)) == (False, "Connection refused")


def test_a_name_that_does_not_exist_says_so() -> None:
    probe = config.TcpProbe(host="no-such-host.invalid", port=1)
    is_ok, message = asyncio.run(probes.outcome(probe, limit=30))
    assert not is_ok
    assert "name" in message.lower()


@pytest.mark.parametrize(
    ("at_livez", "at_healthz", "is_ok"),
    [(200, 503, True), (503, 200, False), (404, 200, True), (404, 503, False)],
)
def test_what_a_server_does_not_know_is_asked_for_at_the_other_url(
    at_livez: int, at_healthz: int, is_ok: bool
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        status = at_livez if asked.startswith(b"GET /livez ") else at_healthz
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async def run() -> tuple[bool, str]:
        async with probes.serving(serve) as port:
            base = f"http://127.0.0.1:{port}"
            return await probes.outcome(
                config.HttpProbe(url=f"{base}/livez", fallback=f"{base}/healthz")
            )

    assert asyncio.run(run())[0] is is_ok
