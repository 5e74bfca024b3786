"""The version that a watch resumes from: kept, moved on, and lost without losing a change."""

from __future__ import annotations

import pathlib
import time

import pytest

from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import apiserver, exchange
from tests.adapters import reflecting
from tests.support import kubeapi


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
    slow_to_fail = reflecting.failing_slowly(60)
    server.inject(fault, kubeapi.WATCH)
    with reflecting.Run(server, tmp_path, slow_to_fail) as run:
        run.synced()
        run.sees_a_cordon()
    assert server.count(kubeapi.LIST) == 2
    assert not run.got.of(events.KubeLost)


@pytest.mark.parametrize("fault", [kubeapi.status(410), kubeapi.gone_event])
def test_versions_that_keep_expiring_are_listed_more_and_more_slowly(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path, fault: kubeapi.Fault
) -> None:
    server.inject_always(fault, kubeapi.WATCH)
    steady, began = reflecting.failing_slowly(0.1), time.monotonic()
    with reflecting.Run(server, tmp_path, steady) as run:
        run.got.wait_for(reflecting.is_lost)
        time.sleep(0.7)
        assert server.count(kubeapi.WATCH) <= reflecting.at_most(5, 0.7, began)


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
    with reflecting.Run(server, tmp_path, reflecting.failing_slowly(60)) as run:
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
    with reflecting.Run(server, tmp_path, reflecting.failing_slowly(0.4)) as run:
        number = run.synced()
        server.kill()
        for _ in range(3):
            number = run.got.wait_for(reflecting.is_lost, after=number)
        server.cordon("n1")
        server.compact()
        server.restart()
        number = run.got.wait_for(reflecting.is_contact, after=number)
        run.got.wait_for(reflecting.is_cordoned, after=number)
        assert not any(reflecting.is_lost(event) for event in run.got.events[number:])


def test_a_change_made_while_the_version_expired_is_not_missed(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    with reflecting.Run(server, tmp_path) as run:
        number = run.synced()
        server.kill()
        server.cordon("n1")
        server.compact()
        server.restart()
        run.got.wait_for(reflecting.is_cordoned, after=number)
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
    with reflecting.Run(server, tmp_path) as run:
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
    with reflecting.Run(server, tmp_path) as run:
        run.synced()
        for value in range(3):
            server.patch_node("n2", {"metadata": {"labels": {"a": str(value)}}})
        number = len(run.got.events)
        for _ in range(3):
            number = run.got.wait_for(reflecting.is_contact, after=number)
        server.listener.disconnect()
        kubeapi.until(lambda: server.count(kubeapi.WATCH) == 2)
        asked = [request for request in server.requests if request.is_watch]
        assert asked[1].query["resourceVersion"] == str(server.store.version())
    assert server.count(kubeapi.LIST) == 1
