"""Answers without an end: the reflector gives up what is silent, what drips and what floods."""

from __future__ import annotations

import dataclasses
import gzip
import pathlib
import time
import tracemalloc

import pytest

from exabgp_k8s.adapters.kube import reflector
from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import exchange
from tests.adapters import reflecting
from tests.support import kubeapi

FAR_BOOKMARK = (
    b'{"type": "BOOKMARK", "object": {"kind": "Node", "metadata": {"resourceVersion": "999999"}}}'
)


def dripping(
    first: bytes, drop: bytes, times: int = 10_000, end: bytes = b"\r\n\r\n"
) -> kubeapi.Fault:
    """Send something, and then a little more of it again and again, so that it is never silent."""

    def answer(asked: exchange.Exchange) -> None:
        asked.close_connection = True
        asked.wfile.write(first)
        for _ in range(times):
            asked.wfile.write(drop)
            asked.wfile.flush()
            time.sleep(0.05)
        asked.wfile.write(end)

    return answer


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = HEAD + b"Content-Length: 8000000000\r\n\r\n"
DRIPS = {
    "empty lines": dripping(CHUNKED, b"1\r\n\n\r\n"),
    "half a line": dripping(CHUNKED, b"1\r\n{\r\n"),
    "headers": dripping(HEAD + b"X: ", b"x"),
    "continue": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": dripping(ENDLESS, b" "),
    "status line": dripping(b"HTTP/1.1 200 ", b"O"),
    "error": dripping(HEAD.replace(b"200 OK", b"500 No") + b"Content-Length: 999\r\n\r\n", b" "),
}


def flooding(first: bytes, piece: bytes, times: int) -> kubeapi.Fault:
    """Send much more than anybody should read into memory, as fast as it is read."""

    def answer(asked: exchange.Exchange) -> None:
        asked.close_connection = True
        asked.wfile.write(first)
        for _ in range(times):
            asked.wfile.write(piece)

    return answer


MUCH = 600
"""Mebibytes."""
SPACES = b" " * 2**20
FLOODS = {
    "length": flooding(ENDLESS, SPACES, MUCH),
    "chunk": flooding(CHUNKED + b"ffffffff\r\n", SPACES, MUCH),
    "chunks": flooding(CHUNKED, b"100000\r\n" + SPACES + b"\r\n", MUCH),
    "no length": flooding(HEAD + b"\r\n", SPACES, MUCH),
    "bomb": kubeapi.body(gzip.compress(SPACES * 40), headers={"Content-Encoding": "gzip"}),
    "error": flooding(ENDLESS.replace(b"200 OK", b"500 No"), SPACES, MUCH),
    "headers": flooding(HEAD, b"X: " + b"x" * 60_000 + b"\r\n", 10_000),
}


@pytest.mark.fault(
    area="control plane",
    what="an open watch says nothing more, a cordon meanwhile",
    sees="nothing; then withdrawals",
    within="45 s after the watch was opened",
)
@pytest.mark.parametrize("kind", ["silence", "empty lines", "half a line", "headers", "continue"])
def test_a_watch_that_the_server_does_not_end_is_given_up_and_resumed(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, kind: str
) -> None:
    """It was asked to end it; what a proxy sends to keep it open is no sign of life."""
    server.inject(server.silence if kind == "silence" else DRIPS[kind], kubeapi.WATCH)
    timings = dataclasses.replace(reflecting.QUICK, watch=(1, 1), grace=0.2)
    with reflecting.Run(server, tmp_path, timings, answer_timeout=1.2) as run:
        run.got.wait_for(reflecting.is_seen)
        kubeapi.until(lambda: server.count(kubeapi.WATCH) >= 1)
        run.sees_a_cordon()
    assert "timed out" in run.got.of(events.KubeLost)[0].problem
    assert server.count(kubeapi.LIST) == 1
    assert len(run.got.of(events.NodeSeen)) <= 3, "the same facts were delivered twice"


@pytest.mark.fault(
    area="control plane",
    what="an answer of the API server, or of a proxy, drips and never ends",
    sees="nothing; a cordon is heard",
    within="8 s, and up to 4 s until it is asked again",
)
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_has_an_end(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, drip: kubeapi.Fault
) -> None:
    server.inject(drip, kubeapi.LIST)
    with reflecting.Run(server, tmp_path, answer_timeout=0.5) as run:
        lost = run.got.wait_for(reflecting.is_lost)
        run.got.wait_for(reflecting.is_seen, after=lost)
        run.sees_a_cordon()


@pytest.mark.fault(
    area="control plane",
    what="an answer without an end, or one that unpacks to much more than it is",
    sees="nothing; a cordon is heard",
    within="0 s; asked again within 4 s",
)
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("kind", [kubeapi.LIST, kubeapi.WATCH])
def test_an_answer_larger_than_any_is_not_read_into_memory(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, flood: kubeapi.Fault, kind: str
) -> None:
    server.inject(flood, kind)
    tracemalloc.start()
    try:
        with reflecting.Run(server, tmp_path) as run:
            lost = run.got.wait_for(reflecting.is_lost)
            run.got.wait_for(reflecting.is_contact, after=lost)
            run.sees_a_cordon()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The server of this test is in the same process, and holds a few pieces of its own.
    assert peak < MUCH * 2**20 / 4


@pytest.mark.fault(
    area="control plane",
    what="an open watch brings bookmarks only",
    sees="nothing",
    within="0 s",
)
def test_bookmarks_keep_a_quiet_watch_open(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.api.bookmark_interval = 0.1
    with reflecting.Run(server, tmp_path, reflector.Timings(contact_interval=0)) as run:
        number = run.synced()
        for _ in range(25):
            number = run.got.wait_for(reflecting.is_contact, after=number)
        run.sees_a_cordon()
    assert (server.count(kubeapi.LIST), server.count(kubeapi.WATCH)) == (1, 1)


@pytest.mark.fault(
    area="control plane",
    what="etcd is restored from a backup, versions go back",
    sees="what the Node says now",
    within="140 s",
)
def test_a_server_restored_from_a_backup_is_not_watched_from_the_future(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """A real server accepts such a watch, and is silent until it reaches the version."""
    server.inject(kubeapi.line(FAR_BOOKMARK), kubeapi.WATCH)
    timings = reflector.Timings(watch=(1, 1), silence=1, short_life=0)
    with reflecting.Run(server, tmp_path, timings) as run:
        run.got.wait_for(reflecting.is_seen)
        run.sees_a_cordon()
    asked = [request.query["resourceVersion"] for request in server.requests if request.is_watch]
    assert asked[1] == "999999"


@pytest.mark.fault(
    area="control plane",
    what="the API server takes requests and never answers",
    sees="nothing",
    within="0 s; asked again within 12 s",
)
def test_a_server_that_takes_requests_and_never_answers_is_reported(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.inject(server.deafness, kubeapi.WATCH)
    with reflecting.Run(server, tmp_path, answer_timeout=0.5) as run:
        run.got.wait_for(reflecting.is_lost)
        run.synced()
        run.sees_a_cordon()
