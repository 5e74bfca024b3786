"""The reflector against an API server that misbehaves: no fault makes, loses or repeats a fact."""

from __future__ import annotations

import contextlib
import pathlib

import pytest

from exabgp_k8s.adapters.kube import client, reflector
from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.adapters import reflecting
from tests.support import kubeapi

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
    with reflecting.Run(server, tmp_path) as run:
        lost = run.got.wait_for(reflecting.is_lost)
        run.got.wait_for(reflecting.is_seen, after=lost)
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
    with reflecting.Run(server, tmp_path) as run:
        run.got.wait_for(reflecting.is_lost)
        run.synced()
        run.sees_a_cordon()
    assert server.count(kubeapi.LIST) == 1
    assert len(run.got.of(events.NodeSeen)) <= 3, "the same facts were delivered twice"


def test_the_first_moments_after_a_restart_are_survived(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """A real server answers 403 to a valid token while its RBAC caches fill."""
    with reflecting.Run(server, tmp_path) as run:
        number = run.synced()
        server.kill()
        server.warm_up = 3600
        server.restart()
        number = run.got.wait_for(is_forbidden, after=number)
        server.warm_up = 0
        number = run.got.wait_for(reflecting.is_contact, after=number)
        run.sees_a_cordon(after=number)


def is_forbidden(event: events.Event) -> bool:
    return isinstance(event, events.KubeLost) and "forbidden" in event.problem


def test_the_right_to_one_node_by_name_is_enough(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.only_nodes = {"n1"}
    with reflecting.Run(server, tmp_path) as run:
        run.synced()
        run.sees_a_cordon()
    assert not run.got.of(events.KubeLost)


def test_a_token_that_was_rotated_is_picked_up(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    with reflecting.Run(server, tmp_path) as run:
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
    with reflecting.Run(server, tmp_path) as run:
        run.got.wait_for(reflecting.is_seen)
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
    with reflecting.Run(server, tmp_path, timings) as run:
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 8)
        run.sees_a_cordon()
    assert (len({request.client for request in server.requests}) == 1) is (life > 0)
    assert not run.got.of(events.KubeLost)


def test_contacts_are_not_delivered_more_often_than_asked_for(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.api.bookmark_interval = 0.01
    with reflecting.Run(server, tmp_path, reflector.Timings(contact_interval=60)) as run:
        run.synced()
        run.sees_a_cordon()
    assert len(run.got.of(events.KubeContact)) == 1


@pytest.mark.parametrize("stage", ["watching", "silent", "waiting", "connecting"])
def test_it_stops_promptly_whatever_it_does(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, stage: str
) -> None:
    if stage == "silent":
        server.inject_always(server.silence, kubeapi.WATCH)
    if stage == "waiting":
        server.inject_always(kubeapi.status(500))
    run = reflecting.Run(server, tmp_path, reflecting.failing_slowly(60))
    run.reflector.start()
    if stage in {"watching", "silent"}:
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 1)
        run.got.wait_for(reflecting.is_seen)
    if stage == "waiting":
        run.got.wait_for(reflecting.is_lost)
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
        if reflecting.is_seen(event) and not met:
            met.append(event)
            raise ZeroDivisionError("nobody thought of this")
        run.got(event)

    run = reflecting.Run(server, tmp_path, deliver=deliver)
    with run:
        lost = run.got.wait_for(reflecting.is_lost)
        run.sees_a_cordon(after=lost)
    assert "nobody thought of this" in run.got.of(events.KubeLost)[0].problem
    assert server.count(kubeapi.LIST) == 2


def test_closing_twice_is_harmless(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(apiserver.kubeconfig(server))
    with contextlib.closing(client.Client(client.Access(kubeconfig=path))) as api:
        api.close()
        api.request("GET", "/api/v1/nodes")
        api.close()
