"""The reflector against an API server that misbehaves: no fault makes, loses or repeats a fact."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import pathlib
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Self

import pytest

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import attempts, backoff, client, reflector
from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import api, apiserver, exchange
from tests.support import kubeapi

QUICK = reflector.Timings(
    watch=(20, 20), pauses=attempts.Pauses(first=0.02, longest=0.1), contact_interval=0
)

NODE = apiserver.node_object("n1")


FAR_BOOKMARK = (
    b'{"type": "BOOKMARK", "object": {"kind": "Node", "metadata": {"resourceVersion": "999999"}}}'
)


class Run:
    """A reflector with its server and what it delivered."""

    def __init__(
        self,
        server: kubeapi.KubeApi,
        folder: pathlib.Path,
        timings: reflector.Timings = QUICK,
        wants_service_cidrs: Callable[[], bool] = lambda: False,
        answer_timeout: float = 10,
        *,
        deliver: Callable[[events.Event], None] | None = None,
    ) -> None:
        path = folder / "kubeconfig"
        path.write_text(apiserver.kubeconfig(server))
        self.server = server
        self.got = kubeapi.Recorder()
        access = client.Access(kubeconfig=path, answer_timeout=answer_timeout)
        self.reflector = reflector.Reflector(
            client.Client(access),
            "n1",
            deliver or self.got,
            wants_service_cidrs=wants_service_cidrs,
            timings=timings,
        )

    def __enter__(self) -> Self:
        self.reflector.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reflector.stop()
        kubeapi.until(lambda: not self.reflector.is_alive)

    def synced(self) -> int:
        """Wait until the Node is known and watched."""
        number = self.got.wait_for(is_seen)
        kubeapi.until(lambda: self.server.watches == 1)
        return number

    def sees_a_cordon(self, after: int = 0) -> None:
        """Check that the next change still arrives, and that nothing false came before it."""
        self.server.cordon("n1")
        self.got.wait_for(is_cordoned, after=after)
        assert not self.got.of(events.NodeGone)


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest) -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi(
        nodes=[NODE], service_cidrs=["10.96.0.0/16"], tls=request.param == "https"
    ) as running:
        yield running


def is_seen(event: events.Event) -> bool:
    return isinstance(event, events.NodeSeen)


def is_cordoned(event: events.Event) -> bool:
    return isinstance(event, events.NodeSeen) and event.node.is_unschedulable


def is_lost(event: events.Event) -> bool:
    return isinstance(event, events.KubeLost)


def is_contact(event: events.Event) -> bool:
    return isinstance(event, events.KubeContact)


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


def failing_slowly(first: float) -> reflector.Timings:
    """Return the usual times, but for the pauses after failures."""
    return reflector.Timings(pauses=attempts.Pauses(first=first, longest=60, longest_refused=60))


BROKEN_ANSWERS = {
    "401": kubeapi.status(401),
    "403": kubeapi.status(403),
    "404": kubeapi.status(404),
    "429": kubeapi.status(429, "0"),
    "500": kubeapi.status(500),
    "503": kubeapi.status(503),
    "html": kubeapi.body(b"<html>Bad Gateway</html>", 502),
    "redirect": kubeapi.body(b"", 302, {"Location": "http://127.0.0.1:9/"}),
}

BROKEN_LISTS = BROKEN_ANSWERS | {
    "garbage": kubeapi.body(b"\x00\xff garbage"),
    "no list": kubeapi.body(b'{"kind": "Node"}'),
    "no version": kubeapi.body(b'{"items": []}'),
    "nameless item": kubeapi.body(b'{"items": [5], "metadata": {"resourceVersion": "7"}}'),
    "empty": kubeapi.body(b""),
}

BROKEN_WATCHES = BROKEN_ANSWERS | {
    "truncated chunk": kubeapi.truncated_chunk,
    "reset": kubeapi.reset,
    "garbage line": kubeapi.line(b"\x00\xff garbage"),
    "wrong shape": kubeapi.line(b'{"type": "MODIFIED", "object": [1]}'),
    "error line": kubeapi.line(b'{"type": "ERROR", "object": {"code": 500, "message": "oh"}}'),
    "error without a code": kubeapi.line(b'{"type": "ERROR", "object": null}'),
}


@pytest.mark.fault(
    area="control plane",
    what="a list answered by 401, 403, 404, 429, 500, 503, HTML, garbage, half of it",
    sees="nothing",
    within="0 s; asked again within 4 s, after a minute of it within 30 s",
)
@pytest.mark.parametrize("fault", BROKEN_LISTS.values(), ids=BROKEN_LISTS)
def test_a_list_that_fails_is_reported_and_asked_for_again(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, fault: kubeapi.Fault
) -> None:
    server.inject(fault, kubeapi.LIST, times=2)
    with Run(server, tmp_path) as run:
        lost = run.got.wait_for(is_lost)
        run.got.wait_for(is_seen, after=lost)
        run.sees_a_cordon()


@pytest.mark.fault(
    area="control plane",
    what="a watch answered by an error, cut in a line, reset, or with a line of garbage",
    sees="nothing",
    within="0 s; resumed within 4 s, after a minute of it within 30 s",
)
@pytest.mark.parametrize("fault", BROKEN_WATCHES.values(), ids=BROKEN_WATCHES)
def test_a_watch_that_fails_is_reported_and_resumed_without_a_list(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, fault: kubeapi.Fault
) -> None:
    server.inject(fault, kubeapi.WATCH, times=2)
    with Run(server, tmp_path) as run:
        run.got.wait_for(is_lost)
        run.synced()
        run.sees_a_cordon()
    assert server.count(kubeapi.LIST) == 1
    assert len(run.got.of(events.NodeSeen)) <= 3, "the same facts were delivered twice"


@pytest.mark.fault(
    area="control plane",
    what="410 Gone, as a status or inside the stream",
    sees="nothing",
    within="0.1 s until everything is read anew",
)
@pytest.mark.parametrize("fault", [kubeapi.status(410), kubeapi.gone_event])
def test_an_expired_version_means_one_new_list_at_once(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, fault: kubeapi.Fault
) -> None:
    slow_to_fail = failing_slowly(60)
    server.inject(fault, kubeapi.WATCH)
    with Run(server, tmp_path, slow_to_fail) as run:
        run.synced()
        run.sees_a_cordon()
    assert server.count(kubeapi.LIST) == 2
    assert not run.got.of(events.KubeLost)


@pytest.mark.parametrize("fault", [kubeapi.status(410), kubeapi.gone_event])
def test_versions_that_keep_expiring_are_listed_more_and_more_slowly(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, fault: kubeapi.Fault
) -> None:
    server.inject_always(fault, kubeapi.WATCH)
    steady = failing_slowly(0.1)
    with Run(server, tmp_path, steady) as run:
        run.got.wait_for(is_lost)
        time.sleep(0.7)
        assert server.count(kubeapi.WATCH) <= 5


def test_a_second_expired_version_soon_after_the_first_is_listed_at_once_too(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """Two restarts in a minute are one upgrade; the watch between them is a short one."""

    def expired_later(asked: exchange.Exchange) -> None:
        asked.start_stream()
        time.sleep(1.2)
        expired = {"kind": "Status", "status": "Failure", "code": 410, "message": "too old"}
        asked.send_event("ERROR", expired)
        asked.send_chunk(b"")

    server.inject(expired_later, kubeapi.WATCH, times=3)
    with Run(server, tmp_path, failing_slowly(60)) as run:
        kubeapi.until(lambda: server.count(kubeapi.LIST) == 4)
        run.sees_a_cordon()
    assert not run.got.of(events.KubeLost)


@pytest.mark.fault(
    area="control plane",
    what="410 Gone after an outage that was long",
    sees="a cordon meanwhile: withdrawals",
    within="0.1 s after it is back and asked, 5 s after it is back",
)
def test_after_a_long_outage_an_expired_version_is_listed_at_once(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """The delay has grown while the server was away; it must not keep a cordon waiting twice."""
    with Run(server, tmp_path, failing_slowly(0.4)) as run:
        number = run.synced()
        server.kill()
        for _ in range(3):
            number = run.got.wait_for(is_lost, after=number)
        server.cordon("n1")
        server.compact()
        server.restart()
        number = run.got.wait_for(is_contact, after=number)
        run.got.wait_for(is_cordoned, after=number)
        assert not any(is_lost(event) for event in run.got.events[number:])


def test_a_change_made_while_the_version_expired_is_not_missed(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    with Run(server, tmp_path) as run:
        number = run.synced()
        server.kill()
        server.cordon("n1")
        server.compact()
        server.restart()
        run.got.wait_for(is_cordoned, after=number)
    assert server.count(kubeapi.LIST) == 2


@pytest.mark.fault(
    area="control plane",
    what="the Node is deleted while the API server is away",
    sees="the pod range withdrawn",
    within="30 s after it is back",
)
def test_a_node_deleted_while_the_version_expired_is_gone(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    with Run(server, tmp_path) as run:
        number = run.synced()
        server.kill()
        server.delete_node("n1")
        server.compact()
        server.restart()
        run.got.wait_for(lambda event: isinstance(event, events.NodeGone), after=number)


def test_a_bookmark_moves_the_version_that_is_resumed_from(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.api.bookmark_interval = 0.05
    server.put_node(apiserver.node_object("n2"))
    with Run(server, tmp_path) as run:
        run.synced()
        for value in range(3):
            server.patch_node("n2", {"metadata": {"labels": {"a": str(value)}}})
        number = len(run.got.events)
        for _ in range(3):
            number = run.got.wait_for(is_contact, after=number)
        server.listener.disconnect()
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 2)
        asked = [request for request in server.requests if request.is_watch]
        assert asked[1].query["resourceVersion"] == str(server.store.version())
    assert server.count(kubeapi.LIST) == 1


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
    timings = dataclasses.replace(QUICK, watch=(1, 1), grace=0.2)
    with Run(server, tmp_path, timings, answer_timeout=1.2) as run:
        run.got.wait_for(is_seen)
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 1)
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
    with Run(server, tmp_path, answer_timeout=0.5) as run:
        lost = run.got.wait_for(is_lost)
        run.got.wait_for(is_seen, after=lost)
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
        with Run(server, tmp_path) as run:
            lost = run.got.wait_for(is_lost)
            run.got.wait_for(is_contact, after=lost)
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
    with Run(server, tmp_path, reflector.Timings(contact_interval=0)) as run:
        number = run.synced()
        for _ in range(25):
            number = run.got.wait_for(is_contact, after=number)
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
    with Run(server, tmp_path, timings) as run:
        run.got.wait_for(is_seen)
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
    with Run(server, tmp_path, answer_timeout=0.5) as run:
        run.got.wait_for(is_lost)
        run.synced()
        run.sees_a_cordon()


def test_a_server_that_ends_every_watch_at_once_is_asked_less_and_less(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """With the library's Watch it would be asked more than a thousand times a second."""
    server.inject_always(kubeapi.instant_end, kubeapi.WATCH)
    with Run(server, tmp_path, failing_slowly(0.1)) as run:
        run.got.wait_for(is_seen)
        time.sleep(0.7)
        assert server.count(kubeapi.WATCH) <= 5
        server.heal()
        run.sees_a_cordon()
    assert server.count(kubeapi.LIST) == 1


@pytest.mark.parametrize("kind", [kubeapi.LIST, kubeapi.WATCH])
def test_a_server_that_never_answers_is_asked_less_and_less(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, kind: str
) -> None:
    """Waiting long for an answer is not a watch that lived long."""
    server.inject_always(server.deafness, kind)
    timings = failing_slowly(0.2)
    with Run(server, tmp_path, timings, answer_timeout=0.5):
        kubeapi.until(lambda: server.count(kind) > 0)
        time.sleep(2)
    assert server.count(kind) <= 5


@pytest.mark.fault(
    area="control plane",
    what="the API server is down: asked less and less, every 2 to 4 s in the end",
    sees="nothing",
    within="0 s",
)
def test_a_server_that_is_down_is_asked_less_and_less(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.kill()
    with Run(server, tmp_path, failing_slowly(0.1)) as run:
        time.sleep(0.7)
        assert 1 <= len(run.got.of(events.KubeLost)) <= 5
        server.restart()
        run.got.wait_for(is_seen)


def test_retry_after_is_respected(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> None:
    server.inject(kubeapi.status(429, "1"), kubeapi.LIST)
    with Run(server, tmp_path) as run:
        before = time.monotonic()
        run.got.wait_for(is_seen)
        assert time.monotonic() - before >= 1


@pytest.mark.fault(
    area="control plane",
    what="429 with Retry-After of six hours",
    sees="nothing; a cordon is heard",
    within="60 s",
)
def test_retry_after_cannot_silence_an_agent_for_hours(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.inject(kubeapi.status(429, "21600"), kubeapi.LIST)
    with Run(
        server, tmp_path, reflector.Timings(pauses=attempts.Pauses(longest_retry_after=0.1))
    ) as run:
        run.got.wait_for(is_seen)


def test_the_first_moments_after_a_restart_are_survived(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """A real server answers 403 to a valid token while its RBAC caches fill."""
    with Run(server, tmp_path) as run:
        number = run.synced()
        server.kill()
        server.warm_up = 0.3
        server.restart()
        number = run.got.wait_for(is_lost, after=number)
        number = run.got.wait_for(is_contact, after=number)
        run.sees_a_cordon(after=number)
    assert any("forbidden" in event.problem for event in run.got.of(events.KubeLost))


def test_the_right_to_one_node_by_name_is_enough(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.only_nodes = {"n1"}
    with Run(server, tmp_path) as run:
        run.synced()
        run.sees_a_cordon()
    assert not run.got.of(events.KubeLost)


def test_a_token_that_was_rotated_is_picked_up(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    with Run(server, tmp_path) as run:
        run.synced()
        server.token = "second-token"
        (tmp_path / "kubeconfig").write_text(apiserver.kubeconfig(server))
        server.listener.disconnect()
        run.sees_a_cordon()


@pytest.mark.fault(
    area="control plane",
    what="the list and the watch show other nodes than ours",
    sees="nothing",
    within="0 s",
)
def test_a_selector_that_is_ignored_shows_no_other_node(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    other = b'"metadata": {"name": "n2", "resourceVersion": "9"}'
    both = b"{%b}, {%b}" % (other, other.replace(b"n2", b"n1"))
    everything = b'{"metadata": {"resourceVersion": "%d"}, "items": [%b]}'
    server.inject(kubeapi.body(everything % (server.store.version(), both)), kubeapi.LIST)
    server.inject(kubeapi.line(b'{"type": "DELETED", "object": {%b}}' % other), kubeapi.WATCH)
    with Run(server, tmp_path) as run:
        run.got.wait_for(is_seen)
        kubeapi.until(lambda: server.count(kubeapi.WATCH) >= 2)
        run.sees_a_cordon()
    assert {event.node.name for event in run.got.of(events.NodeSeen)} == {"n1"}


@pytest.mark.parametrize("life", [1500, 0])
def test_many_watches_use_one_connection_until_it_is_old(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, life: float
) -> None:
    """A new one now and then, so that the agents spread over servers that come up later."""
    server.inject(kubeapi.instant_end, kubeapi.WATCH, times=7)
    timings = reflector.Timings(short_life=0, connection=life)
    with Run(server, tmp_path, timings) as run:
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 8)
        run.sees_a_cordon()
    assert (len({request.client for request in server.requests}) == 1) is (life > 0)
    assert not run.got.of(events.KubeLost)


def test_contacts_are_not_delivered_more_often_than_asked_for(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.api.bookmark_interval = 0.01
    with Run(server, tmp_path, reflector.Timings(contact_interval=60)) as run:
        run.synced()
        run.sees_a_cordon()
    assert len(run.got.of(events.KubeContact)) == 1


# -- service ranges ------------------------------------------------------------------------------


@pytest.mark.fault(
    area="control plane",
    what="the ServiceCIDR objects cannot be read",
    sees="the pod range; cordons are heard",
    within="45 s until they are asked for again",
)
def test_service_ranges_that_cannot_be_read_do_not_keep_the_node_from_being_watched(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.inject(kubeapi.status(403), kubeapi.SERVICE_CIDRS)
    timings = reflector.Timings(watch=(1, 1), short_life=0)
    with Run(server, tmp_path, timings, lambda: True) as run:
        number = run.got.wait_for(is_lost)
        run.synced()
        run.sees_a_cordon()
        run.got.wait_for(lambda event: isinstance(event, events.ServiceCidrsSeen), after=number)
    assert "announce.services.cidrs" in run.got.of(events.KubeLost)[0].problem


def test_a_service_range_added_later_is_delivered_and_an_unchanged_one_is_not_repeated(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    timings = reflector.Timings(watch=(1, 1), reread=0, short_life=0)
    with Run(server, tmp_path, timings, lambda: True) as run:
        kubeapi.until(lambda: server.count(kubeapi.SERVICE_CIDRS) >= 2)
        add_range(server, "10.97.0.0/16")
        run.got.wait_for(has_ranges("10.96.0.0/16", "10.97.0.0/16"))
    assert len(run.got.of(events.ServiceCidrsSeen)) == 2


def test_an_empty_list_of_service_ranges_is_told_once_and_asked_for_again_soon(
    tmp_path: pathlib.Path,
) -> None:
    timings = reflector.Timings(watch=(1, 1), short_life=0)
    with (
        kubeapi.KubeApi(nodes=[NODE]) as server,
        Run(server, tmp_path, timings, lambda: True) as run,
    ):
        kubeapi.until(lambda: server.count(kubeapi.SERVICE_CIDRS) >= 2)
        add_range(server, "10.97.0.0/16")
        run.got.wait_for(has_ranges("10.97.0.0/16"))
        asked, watched = server.count(kubeapi.SERVICE_CIDRS), server.count(kubeapi.WATCH)
        kubeapi.until(lambda: server.count(kubeapi.WATCH) > watched + 1)
        assert server.count(kubeapi.SERVICE_CIDRS) == asked
    first, _ = run.got.of(events.ServiceCidrsSeen)
    assert first.cidrs == ()
    assert not run.got.of(events.KubeLost)


def test_service_ranges_that_are_not_wanted_cost_no_request(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    timings = reflector.Timings(watch=(1, 1), reread=0, short_life=0)
    with Run(server, tmp_path, timings):
        kubeapi.until(lambda: server.count(kubeapi.WATCH) >= 3)
    assert len(server.requests) == server.count(kubeapi.WATCH) + 1


def add_range(server: kubeapi.KubeApi, cidr: str) -> None:
    """Create one more ServiceCIDR object."""
    written = {"metadata": {"name": "more"}, "spec": {"cidrs": [cidr]}}
    server.store.create(api.find_collection("networking.k8s.io/v1", "servicecidrs"), written)


def has_ranges(*cidrs: str) -> Callable[[events.Event], bool]:
    return lambda event: (
        isinstance(event, events.ServiceCidrsSeen) and {*map(str, event.cidrs)} == {*cidrs}
    )


def test_service_ranges_wanted_later_are_read_after_a_refresh(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    wanted = threading.Event()
    with Run(server, tmp_path, QUICK, wanted.is_set) as run:
        run.synced()
        wanted.set()
        run.reflector.refresh()
        run.got.wait_for(lambda event: isinstance(event, events.ServiceCidrsSeen))
    assert server.count(kubeapi.LIST) == 2
    assert not run.got.of(events.KubeLost)


# -- the thread ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["watching", "silent", "waiting", "connecting"])
def test_it_stops_promptly_whatever_it_does(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, stage: str
) -> None:
    if stage == "silent":
        server.inject_always(server.silence, kubeapi.WATCH)
    if stage == "waiting":
        server.inject_always(kubeapi.status(500))
    run = Run(server, tmp_path, failing_slowly(60))
    run.reflector.start()
    if stage in {"watching", "silent"}:
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 1)
        run.got.wait_for(is_seen)
    if stage == "waiting":
        run.got.wait_for(is_lost)
    run.reflector.stop()
    kubeapi.until(lambda: not run.reflector.is_alive)
    assert stage == "waiting" or not run.got.of(events.KubeLost)


@pytest.mark.fault(
    area="control plane",
    what="the thread that watches the Node meets a bug of ours",
    sees="nothing; the Node is listed anew, and a cordon heard",
    within="30 s",
)
def test_an_error_of_ours_is_reported_and_the_node_listed_anew(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """What met this agent meets every other, and each of them in its next life."""
    met: list[events.Event] = []

    def deliver(event: events.Event) -> None:
        if is_seen(event) and not met:
            met.append(event)
            raise ZeroDivisionError("nobody thought of this")
        run.got(event)

    run = Run(server, tmp_path, deliver=deliver)
    with run:
        lost = run.got.wait_for(is_lost)
        run.sees_a_cordon(after=lost)
    assert "nobody thought of this" in run.got.of(events.KubeLost)[0].problem
    assert server.count(kubeapi.LIST) == 2


# -- backoff -------------------------------------------------------------------------------------


def test_delays_double_up_to_the_ceiling_with_half_of_it_as_jitter() -> None:
    steps = backoff.Backoff(0.8, 30)
    for expected in (0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30):
        assert expected / 2 <= steps.delay() <= expected


UNREACHABLE = errors.Unreachable("refused")
REFUSED = errors.KubeError("no", status=503)


def test_a_server_that_is_not_there_is_asked_every_few_seconds_however_long_that_lasts() -> None:
    """Its kernel answers, or nobody: it costs nobody anything, and its return must be noticed."""
    asked = attempts.Attempts(attempts.Pauses(patience=0))
    pauses = [asked.failed(UNREACHABLE) for _ in range(50)]
    assert max(pauses) <= 4
    assert min(pauses[5:]) >= 2


def test_the_time_that_an_attempt_took_is_a_part_of_the_pause() -> None:
    asked = attempts.Attempts(attempts.Pauses(first=4))
    assert asked.failed(UNREACHABLE, took=3) <= 1


def test_a_server_that_answers_with_errors_is_given_a_while_and_then_asked_less_and_less() -> None:
    asked = attempts.Attempts(attempts.Pauses())
    assert max(asked.failed(REFUSED) for _ in range(50)) <= 4
    asked = attempts.Attempts(attempts.Pauses(patience=0))
    assert max(asked.failed(REFUSED) for _ in range(50)) > 15


def test_a_server_that_has_just_begun_to_answer_is_asked_again_soon() -> None:
    """While its caches fill it refuses a valid token, for some tens of milliseconds."""
    asked = attempts.Attempts(attempts.Pauses())
    for _ in range(10):
        asked.failed(UNREACHABLE)
    assert asked.failed(REFUSED) <= 0.8


@pytest.mark.parametrize("error", [REFUSED, UNREACHABLE])
def test_another_server_is_asked_at_once_but_not_again_and_again(error: errors.KubeError) -> None:
    """Each may fail just after it has answered well, which makes it one that may be asked."""
    asked = attempts.Attempts(attempts.Pauses(spread=0, spread_within=0))
    pauses = [asked.failed(error, has_another=True) for _ in range(40)]
    assert pauses[:5] == [0] * 5
    assert pauses[-1] > 20


def test_a_reset_starts_the_delays_again() -> None:
    steps = backoff.Backoff(0.8, 30)
    for _ in range(20):
        steps.delay()
    steps.reset()
    assert steps.delay() <= 0.8


def test_two_agents_do_not_wait_equally_long() -> None:
    delays = {backoff.Backoff(0.8, 30).delay() for _ in range(20)}
    assert len(delays) > 10


def test_closing_twice_is_harmless(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(apiserver.kubeconfig(server))
    with contextlib.closing(client.Client(client.Access(kubeconfig=path))) as api:
        api.close()
        api.request("GET", "/api/v1/nodes")
        api.close()
