"""The reflector against an API server that misbehaves: no fault makes, loses or repeats a fact."""

from __future__ import annotations

import contextlib
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

import pytest

from exabgp_k8s.adapters.kube import backoff, client, reflector
from exabgp_k8s.core import events
from exabgp_k8s.tryout.kubeapi import api, apiserver
from tests.support import kubeapi

QUICK = reflector.Timings(
    watch=20, idle=20, pause=0.01, first_delay=0.02, longest_delay=0.1, contact_interval=0
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
    ) -> None:
        path = folder / "kubeconfig"
        path.write_text(apiserver.kubeconfig(server))
        self.server = server
        self.got = kubeapi.Recorder()
        access = client.Access(kubeconfig=path, answer_timeout=answer_timeout)
        self.reflector = reflector.Reflector(
            client.Client(access),
            "n1",
            self.got,
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
    within="0 s; asked again within 30 s",
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
    within="0 s; resumed within 30 s",
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
    within="0.2 s until everything is read anew",
)
@pytest.mark.parametrize("fault", [kubeapi.status(410), kubeapi.gone_event])
def test_an_expired_version_means_one_new_list_at_once(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, fault: kubeapi.Fault
) -> None:
    slow_to_fail = reflector.Timings(watch=20, first_delay=60, longest_delay=60)
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
    steady = reflector.Timings(first_delay=0.1, longest_delay=60)
    with Run(server, tmp_path, steady) as run:
        run.got.wait_for(is_lost)
        time.sleep(0.7)
        assert server.count(kubeapi.WATCH) <= 5


@pytest.mark.fault(
    area="control plane",
    what="410 Gone after an outage that was long",
    sees="a cordon meanwhile: withdrawals",
    within="0.2 s after it is back and asked",
)
def test_after_a_long_outage_an_expired_version_is_listed_at_once(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """The delay has grown while the server was away; it must not keep a cordon waiting twice."""
    with Run(server, tmp_path, reflector.Timings(first_delay=0.4, longest_delay=60)) as run:
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
    within="100 s after the last word",
)
def test_a_watch_that_falls_silent_is_given_up_and_the_node_listed(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """The server has accepted it and then says nothing: no line, no bookmark, no end."""
    server.inject(server.silence, kubeapi.WATCH)
    with Run(server, tmp_path, reflector.Timings(idle=0.2, short_life=0)) as run:
        run.got.wait_for(is_seen)
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 1)
        run.sees_a_cordon()
    assert not run.got.of(events.KubeLost)
    assert len(run.got.of(events.NodeSeen)) <= 3, "the same facts were delivered twice"


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
    with Run(server, tmp_path, reflector.Timings(idle=2, contact_interval=0)) as run:
        number = run.synced()
        for _ in range(25):
            number = run.got.wait_for(is_contact, after=number)
        run.sees_a_cordon()
    assert (server.count(kubeapi.LIST), server.count(kubeapi.WATCH)) == (1, 1)


@pytest.mark.fault(
    area="control plane",
    what="etcd is restored from a backup, versions go back",
    sees="what the Node says now",
    within="100 s",
)
def test_a_server_restored_from_a_backup_is_not_watched_from_the_future(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """A real server accepts such a watch, and is silent until it reaches the version."""
    server.inject(kubeapi.line(FAR_BOOKMARK), kubeapi.WATCH)
    with Run(server, tmp_path, reflector.Timings(idle=0.2, short_life=0)) as run:
        run.got.wait_for(is_seen)
        run.sees_a_cordon()
    asked = [request.query["resourceVersion"] for request in server.requests if request.is_watch]
    assert asked[1] == "999999"


@pytest.mark.fault(
    area="control plane",
    what="the API server takes requests and never answers",
    sees="nothing",
    within="0 s; asked again within 40 s",
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
    with Run(server, tmp_path, reflector.Timings(first_delay=0.1)) as run:
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
    timings = reflector.Timings(first_delay=0.2, long_life=0.05)
    with Run(server, tmp_path, timings, answer_timeout=0.1):
        time.sleep(2)
    assert 1 <= server.count(kind) <= 5


@pytest.mark.fault(
    area="control plane",
    what="the API server is down: asked less and less, every 30 s in the end",
    sees="nothing",
    within="0 s",
)
def test_a_server_that_is_down_is_asked_less_and_less(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.kill()
    with Run(server, tmp_path, reflector.Timings(first_delay=0.1)) as run:
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
    with Run(server, tmp_path, reflector.Timings(longest_retry_after=0.1)) as run:
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


def test_many_watches_use_few_connections(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> None:
    """A new one now and then, so that the agents spread over servers that come up later."""
    server.inject(kubeapi.instant_end, kubeapi.WATCH, times=7)
    timings = reflector.Timings(short_life=0, pause=0.01)
    with Run(server, tmp_path, timings) as run:
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 8)
        run.sees_a_cordon()
    assert len({request.client for request in server.requests}) == 2
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
    within="35 s until they are asked for again",
)
def test_service_ranges_that_cannot_be_read_do_not_keep_the_node_from_being_watched(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    server.inject(kubeapi.status(403), kubeapi.SERVICE_CIDRS)
    timings = reflector.Timings(missing_ranges=1, short_life=0, pause=0.01)
    with Run(server, tmp_path, timings, lambda: True) as run:
        number = run.got.wait_for(is_lost)
        run.synced()
        run.sees_a_cordon()
        run.got.wait_for(lambda event: isinstance(event, events.ServiceCidrsSeen), after=number)
    assert "announce.services.cidrs" in run.got.of(events.KubeLost)[0].problem


def test_a_service_range_added_later_is_delivered_and_an_unchanged_one_is_not_repeated(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    timings = reflector.Timings(watch=1, short_life=0, pause=0.01)
    with Run(server, tmp_path, timings, lambda: True) as run:
        kubeapi.until(lambda: server.count(kubeapi.SERVICE_CIDRS) >= 2)
        add_range(server, "10.97.0.0/16")
        run.got.wait_for(has_ranges("10.96.0.0/16", "10.97.0.0/16"))
    assert len(run.got.of(events.ServiceCidrsSeen)) == 2


def test_an_empty_list_of_service_ranges_is_told_once_and_asked_for_again_soon(
    tmp_path: pathlib.Path,
) -> None:
    timings = reflector.Timings(missing_ranges=1, short_life=0, pause=0.01)
    with (
        kubeapi.KubeApi(nodes=[NODE]) as server,
        Run(server, tmp_path, timings, lambda: True) as run,
    ):
        kubeapi.until(lambda: server.count(kubeapi.SERVICE_CIDRS) >= 2)
        add_range(server, "10.97.0.0/16")
        run.got.wait_for(has_ranges("10.97.0.0/16"))
        kubeapi.until(lambda: server.watches == 1)
        last = [request for request in server.requests if request.is_watch][-1]
        assert int(last.query["timeoutSeconds"]) > 200
    first, _ = run.got.of(events.ServiceCidrsSeen)
    assert first.cidrs == ()
    assert not run.got.of(events.KubeLost)


def test_service_ranges_that_are_not_wanted_cost_no_request(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    timings = reflector.Timings(watch=1, short_life=0, pause=0.01)
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
    run = Run(server, tmp_path, reflector.Timings(first_delay=60, longest_delay=60))
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
    run = Run(server, tmp_path)
    met: list[events.Event] = []

    def deliver(event: events.Event) -> None:
        if is_seen(event) and not met:
            met.append(event)
            raise ZeroDivisionError("nobody thought of this")
        run.got(event)

    run.reflector._deliver = deliver
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
    assert not steps.is_fresh


def test_a_reset_starts_the_delays_again() -> None:
    steps = backoff.Backoff(0.8, 30)
    for _ in range(20):
        steps.delay()
    steps.reset()
    assert steps.is_fresh
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
