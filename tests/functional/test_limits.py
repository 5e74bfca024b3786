"""Clients that take what they can, and an agent that has nothing left: the routes stand."""

from __future__ import annotations

import http.client
import re
import resource
import selectors
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

import psutil
import pytest

from tests.support import descriptors
from tests.support.lab import Document, Lab, until

pytestmark = [pytest.mark.functional, pytest.mark.timeout(600)]

CLIENTS = 1500
"""More than twenty times as many as there are places."""
HALF = b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 4000


class Flood(threading.Thread):
    """Keeps so many requests without an end open, each opened anew as it is closed."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port, self._is_over = port, threading.Event()
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        while not self._is_over.is_set():
            for _ in range(min(100, CLIENTS - len(self._selector.get_map()))):
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", self._port))
                self._selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            for key, what in self._selector.select(0.01):
                self._step(key.fileobj, what)
        for key in list(self._selector.get_map().values()):
            self._end(key.fileobj)
        self._selector.close()

    def _step(self, sock: Any, what: int) -> None:
        try:
            if what & selectors.EVENT_READ:
                raise ConnectionResetError
            sock.send(HALF)
            self._selector.modify(sock, selectors.EVENT_READ)
        except OSError:
            self._end(sock)

    def _end(self, sock: Any) -> None:
        self._selector.unregister(sock)
        sock.close()


def with_checks(lab: Lab, **more: Any) -> Document:
    document = lab.document()
    checks = [
        {"name": "tcp", "tcp": f"{lab.router.address}:1790"},
        {"name": "command", "exec": ["/bin/true"], "timeout": "1s"},
    ]
    document["health"] = {"checks": checks}
    document["outageBudget"] = {"maxUnavailable": "100%"}
    return document | more


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def wide() -> Iterator[None]:
    """Enough descriptors for this process to be a flood."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * CLIENTS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("wide")
@pytest.mark.fault(
    area="our processes",
    what="1,500 clients of the HTTP port that never finish their requests",
    sees="nothing; a drain works meanwhile",
    within="0 s",
)
def test_clients_that_hold_connections_take_nothing_from_the_routes(lab: Lab) -> None:
    lab.write(with_checks(lab))
    lab.up()
    before = lab.router.history()
    agent = lab.agent
    with Flood(lab.http_port):
        for path in ("/metrics", "/readyz", "/healthz"):
            # A probe of kubelet tries again; it is let in between the others.
            until(lambda path=path: _answers(lab.http_port, path), path)  # type: ignore[misc]
        assert agent.num_fds() < 200
        rows = lab.json("checks")
        assert [row["health"] for row in rows] == ["up", "up"]
        assert lab.router.history() == before
        drained = lab.cli("drain", "--wait", "--timeout", "60")
        assert drained.returncode == 0, drained.stderr
        lab.expect()
    assert agent.is_running()


def _answers(port: int, path: str) -> bool:
    try:
        return get(port, path) == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.long
@pytest.mark.fault(
    area="our processes",
    what="the agent may open no file and no socket any more",
    sees="nothing: checks that cannot be run do not count; a drain works meanwhile",
    within="0 s",
)
def test_an_agent_without_a_descriptor_left_keeps_its_routes_and_can_be_drained(lab: Lab) -> None:
    lab.write(with_checks(lab))
    lab.up()
    before = lab.router.history()
    agent = lab.agent
    lack = "not run: too many open files"

    def lacks_them() -> bool:
        descriptors.use_up(agent)
        log = lab.log()
        # Of each check the last word: what found a descriptor for a moment has resumed.
        last = dict(re.findall(r'"check": "(\w+)".*"event": "(check\.\w+)"', log))
        is_lacking = last == dict.fromkeys(("tcp", "command"), "check.missed")
        return is_lacking and log.count(lack) >= 2 and "host.unseen" in log

    until(lacks_them, lab.state)
    rows = lab.json("checks")
    assert [(row["health"], row["last"]) for row in rows] == [("up", "not counted")] * 2
    assert lab.router.history() == before
    assert lab.cli("drain", "--wait", "--timeout", "60").returncode == 0
    lab.expect()
    descriptors.give_back(agent)
    assert lab.cli("undrain").returncode == 0
    lab.expect(lab.services, lab.pods)
    assert agent.is_running()
    until(lambda: {row["last"] for row in lab.json("checks")} == {"ok"}, lab.state)


def test_the_limit_of_open_files_is_raised_for_all_that_run_starts(lab: Lab) -> None:
    """As systemd starts a container: 1,024, and many more may be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        lab.up()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert lab.agent.rlimit(psutil.RLIMIT_NOFILE)[0] == min(hard, 16384)
    assert lab.exabgp.rlimit(psutil.RLIMIT_NOFILE)[0] == min(hard, 16384)


def test_a_request_line_that_is_no_url_leaves_no_traceback(lab: Lab) -> None:
    lab.up()
    with socket.create_connection(("127.0.0.1", lab.http_port), timeout=60) as sock:
        sock.sendall(b"GET //[ HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 400")
    assert "Traceback" not in lab.log()
    assert get(lab.http_port, "/healthz") == 200
