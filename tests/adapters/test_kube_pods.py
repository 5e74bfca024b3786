"""Does a successor come? Asked of a real server, and of one that fails in every way it can."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from exabgp_k8s.adapters.kube import client, pods
from exabgp_k8s.agent import options, stop
from exabgp_k8s.core import step
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.support import builders, kubeapi
from tests.support import pods as objects

NODE = "n1"
SETTINGS = builders.a_config(peers=(builders.a_peer(graceful_restart=120),))


@pytest.fixture
def server() -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi() as running:
        yield running


@pytest.fixture
def daemon_set(server: kubeapi.KubeApi) -> objects.DaemonSet:
    """Our DaemonSet with the Pod of one node."""
    found = objects.DaemonSet(server.store)
    found.create_pod(NODE)
    return found


@pytest.fixture
def chosen(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> options.Options:
    """The options of that pod's agent."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(apiserver.kubeconfig(server))
    return options.Options(
        settings=tmp_path,
        password_dir=tmp_path,
        node=NODE,
        kubeconfig=kubeconfig,
        state_dir=tmp_path,
        http_host="",
        http_port=0,
        namespace=objects.NAMESPACE,
        pod=objects.name_of(NODE),
    )


def turn(*happened: events.Event, **changes: Any) -> Turn:
    settings = dataclasses.replace(SETTINGS, **changes)
    world = builders.a_serving_world(*happened, settings=settings)
    return step.step(world, (events.Tick(),), builders.START)


def is_rollout(chosen: options.Options, *happened: events.Event, **changes: Any) -> bool:
    return asyncio.run(stop.is_rollout(chosen, turn(*happened, **changes)))


def why(chosen: options.Options, **labels: str) -> str:
    access = client.Access(kubeconfig=chosen.kubeconfig)
    with contextlib.closing(client.Client(access)) as api:
        return pods.why_nobody_comes(api, chosen.namespace, chosen.pod, labels)


def test_a_deleted_pod_of_a_daemon_set_is_replaced(
    daemon_set: objects.DaemonSet, chosen: options.Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server that is slow makes a drain; a machine that is busy need not.
    monkeypatch.setattr(stop, "LIMIT", 60.0)
    daemon_set.delete_pod(NODE)

    assert is_rollout(chosen)


@pytest.mark.usefixtures("daemon_set")
def test_a_pod_that_is_not_deleted_ends_with_its_node(chosen: options.Options) -> None:
    assert "not being deleted" in why(chosen)
    assert not is_rollout(chosen)


def test_a_pod_that_was_deleted_by_force_is_not_there(
    daemon_set: objects.DaemonSet, chosen: options.Options
) -> None:
    daemon_set.delete_pod(NODE)
    daemon_set.finish_pod(NODE)

    assert not is_rollout(chosen)


def test_a_pod_of_a_deleted_daemon_set_ends_for_good(
    daemon_set: objects.DaemonSet, chosen: options.Options
) -> None:
    daemon_set.delete_pod(NODE)
    daemon_set.delete()

    assert not is_rollout(chosen)


def test_a_new_daemon_set_of_the_same_name_is_another_one(
    daemon_set: objects.DaemonSet, server: kubeapi.KubeApi, chosen: options.Options
) -> None:
    daemon_set.delete_pod(NODE)
    daemon_set.delete()
    objects.DaemonSet(server.store)

    assert "is being deleted" in why(chosen)


def test_a_daemon_set_that_no_longer_selects_the_node_sends_nobody(
    server: kubeapi.KubeApi, chosen: options.Options
) -> None:
    daemon_set = objects.DaemonSet(server.store, nodeSelector={"bgp": "yes"})
    daemon_set.create_pod(NODE)
    daemon_set.delete_pod(NODE)

    assert why(chosen, bgp="yes") == ""
    assert "no longer selects" in why(chosen, bgp="no")
    assert not is_rollout(chosen)


@pytest.mark.parametrize(
    "fault",
    [
        kubeapi.status(403),
        kubeapi.status(500),
        kubeapi.status(429, retry_after="1"),
        kubeapi.body(b"<html>"),
        kubeapi.body(b"{}"),
        kubeapi.reset,
        kubeapi.truncated_chunk,
    ],
    ids=["403", "500", "429", "html", "empty", "reset", "cut"],
)
@pytest.mark.parametrize("on", ["pods", "daemonsets"])
def test_whatever_the_server_answers_instead_makes_a_drain(
    fault: kubeapi.Fault,
    on: str,
    server: kubeapi.KubeApi,
    daemon_set: objects.DaemonSet,
    chosen: options.Options,
) -> None:
    daemon_set.delete_pod(NODE)
    server.inject_always(fault, on=on)

    assert not is_rollout(chosen)


@pytest.mark.parametrize("on", ["pods", "daemonsets"])
def test_a_server_that_is_silent_makes_a_drain(
    on: str, server: kubeapi.KubeApi, daemon_set: objects.DaemonSet, chosen: options.Options
) -> None:
    daemon_set.delete_pod(NODE)
    server.inject_always(server.silence, on=on)

    assert not is_rollout(chosen)


def test_a_server_that_is_away_makes_a_drain(
    server: kubeapi.KubeApi, daemon_set: objects.DaemonSet, chosen: options.Options
) -> None:
    daemon_set.delete_pod(NODE)
    with server.away():
        assert not is_rollout(chosen)


def test_without_the_name_of_the_pod_nothing_can_be_asked(chosen: options.Options) -> None:
    assert not is_rollout(dataclasses.replace(chosen, pod=""))


@pytest.mark.parametrize(
    "changes", [{"peers": (builders.a_peer(),)}, {"is_rollout_drained": True}], ids=str
)
def test_nothing_is_asked_where_nothing_depends_on_it(
    changes: dict[str, Any],
    server: kubeapi.KubeApi,
    daemon_set: objects.DaemonSet,
    chosen: options.Options,
) -> None:
    daemon_set.delete_pod(NODE)

    assert not is_rollout(chosen, **changes)
    assert server.count("pods") == 0


def test_a_stop_that_is_a_drain_already_asks_no_more(
    server: kubeapi.KubeApi, daemon_set: objects.DaemonSet, chosen: options.Options
) -> None:
    daemon_set.delete_pod(NODE)

    assert not is_rollout(chosen, events.DrainAsked(is_stopping=True))
    assert server.count("pods") == 0


def test_a_pod_without_a_daemon_set_has_no_successor(
    server: kubeapi.KubeApi, daemon_set: objects.DaemonSet, chosen: options.Options
) -> None:
    daemon_set.delete_pod(NODE)
    orphan = (
        b'{"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [%s]}}'
    )
    node = b'{"apiVersion": "v1", "kind": "Node", "controller": true, "name": "n", "uid": "u"}'
    server.inject_always(kubeapi.body(orphan % node), on="pods")

    assert why(chosen) == "no DaemonSet owns the pod"
