"""Events at an API server over HTTP: what arrives, how often, and what a failure costs."""

from __future__ import annotations

import contextlib
import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from exabgp_k8s.adapters.kube import backoff, client, events
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.report.notice import Kind, Notice, Word
from exabgp_k8s.tryout.kubeapi import apiserver, exchange, store
from exabgp_k8s.tryout.kubeapi.api import find_collection
from exabgp_k8s.wire import kube_events
from tests.support import kubeapi
from tests.support.kubeapi import until

NODE = model.NodeFacts(name="n1", uid="5b0f")
AT_ONCE = events.Limits(spread=0)


@pytest.fixture
def server() -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi(nodes=[apiserver.node_object("n1")], tls=False) as running:
        yield running


@pytest.fixture
def api(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> Iterator[client.Client]:
    (tmp_path / "kubeconfig").write_text(apiserver.kubeconfig(server))
    access = client.Access(kubeconfig=tmp_path / "kubeconfig")
    with contextlib.closing(client.Client(access)) as opened:
        yield opened


def a_notice(message: str = "peers[0].asn: is missing", kind: Kind = Kind.WARNING) -> Any:
    return Notice(kind=kind, word=Word.SETTINGS_REFUSED, message=message)


def asked(server: kubeapi.KubeApi) -> list[exchange.Request]:
    """Return the requests about Events so far."""
    return [each for each in server.requests if each.path.startswith(kube_events.COLLECTION)]


def messages(server: kubeapi.KubeApi) -> list[str]:
    return [each["message"] for each in server.events()]


def test_nothing_to_say_costs_neither_a_request_nor_a_thread(
    server: kubeapi.KubeApi, api: client.Client
) -> None:
    before = set(threading.enumerate())

    events.Events(api).post((), NODE)

    # Of those before, some may end at any moment.
    assert set(threading.enumerate()) <= before
    assert not server.requests


def test_notices_arrive_in_their_order(server: kubeapi.KubeApi, api: client.Client) -> None:
    events.Events(api, AT_ONCE).post((a_notice("one"), a_notice("two", Kind.NORMAL)), NODE)

    until(lambda: len(server.events()) == 2)
    assert [(each["message"], each["type"]) for each in server.events()] == [
        ("one", "Warning"),
        ("two", "Normal"),
    ]


def test_what_happens_again_is_counted_up(server: kubeapi.KubeApi, api: client.Client) -> None:
    written = events.Events(api, AT_ONCE)

    written.post((a_notice("one"), a_notice("two"), a_notice("one")), NODE)

    until(lambda: len(asked(server)) == 3)
    until(lambda: [(each["message"], each["count"]) for each in server.events()] == [
        ("one", 2), ("two", 1),
    ])  # fmt: skip


def test_what_happens_again_after_the_event_expired_is_written_anew(
    server: kubeapi.KubeApi, api: client.Client
) -> None:
    written = events.Events(api, AT_ONCE)
    written.post((a_notice("one"),), NODE)
    until(lambda: len(server.events()) == 1)
    (first,) = server.events()
    scope = store.Scope(namespace="default", name=first["metadata"]["name"])
    server.store.delete(find_collection("v1", "events"), scope)

    written.post((a_notice("one"),), NODE)

    until(lambda: [each["count"] for each in server.events()] == [1])
    assert server.events()[0]["metadata"]["name"] != first["metadata"]["name"]


def test_an_event_of_long_ago_is_not_asked_for(
    server: kubeapi.KubeApi, api: client.Client
) -> None:
    written = events.Events(api, events.Limits(spread=0, remembered=-1))

    written.post((a_notice("one"), a_notice("one")), NODE)

    until(lambda: len(asked(server)) == 2)
    assert {each.method for each in asked(server)} == {"POST"}


def test_of_more_than_may_wait_the_latest_are_kept(
    server: kubeapi.KubeApi, api: client.Client
) -> None:
    written = events.Events(api, events.Limits(spread=0, queue=2))

    written.post([a_notice(str(number)) for number in range(6)], NODE)

    until(lambda: len(asked(server)) == 2)
    until(lambda: messages(server) == ["4", "5"])


def test_what_follows_a_burst_waits_for_its_turn(
    server: kubeapi.KubeApi, api: client.Client
) -> None:
    """It can take longer than this, never less."""
    started = time.monotonic()

    events.Events(api, events.Limits(spread=0, burst=1, interval=0.3)).post(
        [a_notice(str(number)) for number in range(3)], NODE
    )

    until(lambda: messages(server) == ["0", "1", "2"])
    assert time.monotonic() - started >= 0.6


def test_a_burst_is_free_and_each_after_it_a_little_later() -> None:
    bucket = backoff.Bucket(burst=3, interval=30)

    assert [bucket.take(100) for _ in range(5)] == [0, 0, 0, 30, 60]
    assert bucket.take(1000) == 0


def test_a_burst_is_never_larger_after_a_long_time() -> None:
    bucket = backoff.Bucket(burst=3, interval=30)
    bucket.take(100)

    assert [bucket.take(10_000) for _ in range(4)] == [0, 0, 0, 30]


@pytest.mark.parametrize(
    "fault",
    [
        kubeapi.status(403),
        kubeapi.status(500),
        kubeapi.status(429, retry_after="3600"),
        kubeapi.body(b"<html>"),
        kubeapi.reset,
    ],
    ids=["denied", "broken", "busy", "proxied", "reset"],
)
def test_a_failure_is_a_line_for_debugging_and_the_next_event_is_written(
    fault: kubeapi.Fault, server: kubeapi.KubeApi, api: client.Client
) -> None:
    server.inject(fault)
    written = events.Events(api, AT_ONCE)

    with structlog.testing.capture_logs() as lines:
        written.post((a_notice("lost"), a_notice("found")), NODE)
        until(lambda: messages(server) == ["found"])

    assert {line["log_level"] for line in lines} <= {"debug"}


def test_a_server_that_is_away_costs_only_what_was_to_be_said_meanwhile(
    server: kubeapi.KubeApi, api: client.Client
) -> None:
    written = events.Events(api, AT_ONCE)
    server.kill()

    with structlog.testing.capture_logs() as lines:
        written.post((a_notice("lost"),), NODE)
        until(lambda: bool(lines))
        server.restart()
        written.post((a_notice("found"),), NODE)
        until(lambda: messages(server) == ["found"])

    assert [(line["event"], line["log_level"]) for line in lines] == [("event.lost", "debug")]
