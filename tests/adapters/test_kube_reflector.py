"""What the reflector delivers while the API server behaves, and while it comes and goes.

The same tests run against a real control plane where ``KUBEBUILDER_ASSETS`` names one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import pathlib
import uuid
from collections.abc import Callable, Iterator

import pytest

from exabgp_k8s.adapters.kube import attempts, client, reflector
from exabgp_k8s.core.facts import events, model
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.support import controlplane, kubeapi

QUICK = reflector.Timings(
    watch=(4, 4),
    pauses=attempts.Pauses(first=0.05, longest=0.2),
    short_life=0,
    contact_interval=0,
)

Start = Callable[..., kubeapi.Recorder]
Cluster = kubeapi.KubeApi | controlplane.ControlPlane


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[controlplane.ControlPlane]:
    """Start etcd and kube-apiserver once; every test has a Node of its own."""
    with controlplane.ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(params=controlplane.KINDS)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if request.param == "real":
        yield request.getfixturevalue("control_plane")
        return
    with kubeapi.KubeApi(service_cidrs=["10.96.0.0/16"]) as running:
        yield running


@pytest.fixture
def node(cluster: Cluster) -> str:
    """Create a Node and another one that must not be looked at; return the first's name."""
    name = f"n-{uuid.uuid4().hex[:8]}"
    cluster.put_node(apiserver.node_object(name, pod_cidrs=[]))
    cluster.put_node(apiserver.node_object(f"{name}-other", pod_cidrs=[]))
    return name


@pytest.fixture
def start(cluster: Cluster, tmp_path: pathlib.Path) -> Iterator[Start]:
    """Start reflectors that are stopped after the test."""
    numbers = itertools.count()
    with contextlib.ExitStack() as stack:

        def begin(
            name: str,
            *,
            timings: reflector.Timings = QUICK,
            wants_service_cidrs: Callable[[], bool] = lambda: False,
        ) -> kubeapi.Recorder:
            path = tmp_path / f"kubeconfig-{next(numbers)}"
            path.write_text(apiserver.kubeconfig(cluster))
            recorder = kubeapi.Recorder()
            begun = reflector.Reflector(
                client.Client(client.Access(kubeconfig=path)),
                name,
                recorder,
                wants_service_cidrs=wants_service_cidrs,
                timings=timings,
            )
            begun.start()
            stack.callback(kubeapi.until, lambda: not begun.is_alive)
            stack.callback(begun.stop)
            return recorder

        yield begin


def seen(wanted: Callable[[model.NodeFacts], bool]) -> Callable[[events.Event], bool]:
    return lambda event: isinstance(event, events.NodeSeen) and wanted(event.node)


def is_any(_: model.NodeFacts) -> bool:
    return True


def is_cordoned(node: model.NodeFacts) -> bool:
    return node.is_unschedulable


def is_not_cordoned(node: model.NodeFacts) -> bool:
    return not node.is_unschedulable


def gone(event: events.Event) -> bool:
    return isinstance(event, events.NodeGone)


def lost(event: events.Event) -> bool:
    return isinstance(event, events.KubeLost)


def contact(event: events.Event) -> bool:
    return isinstance(event, events.KubeContact)


def test_the_node_is_delivered_as_it_is(start: Start, node: str) -> None:
    got = start(node)
    got.wait_for(seen(is_any))
    assert isinstance(got.events[0], events.KubeContact)
    (shown,) = got.of(events.NodeSeen)
    assert (shown.node.name, shown.node.problems) == (node, ())
    assert [str(address) for address in shown.node.internal_ips] == ["192.0.2.10"]


def test_cordon_and_uncordon_are_delivered_in_order(
    start: Start, cluster: Cluster, node: str
) -> None:
    got = start(node)
    number = got.wait_for(seen(is_not_cordoned))
    cluster.cordon(node)
    number = got.wait_for(seen(is_cordoned), after=number)
    number = got.wait_for(seen(lambda facts: bool(facts.taints)), after=number)
    cluster.cordon(node, is_cordoned=False)
    got.wait_for(seen(is_not_cordoned), after=number)
    assert not got.of(events.KubeLost)


def test_a_change_is_delivered_before_the_news_that_the_server_was_heard(
    start: Start, cluster: Cluster, node: str
) -> None:
    got = start(node, timings=dataclasses.replace(QUICK, watch=(60, 60)))
    number = got.wait_for(seen(is_not_cordoned))
    cluster.cordon(node)
    number = got.wait_for(seen(lambda facts: bool(facts.taints)), after=number)
    got.wait_for(contact, after=number)


def test_other_nodes_are_not_delivered(start: Start, cluster: Cluster, node: str) -> None:
    got = start(node)
    number = got.wait_for(seen(is_any))
    cluster.cordon(f"{node}-other")
    cluster.cordon(node)
    got.wait_for(seen(is_cordoned), after=number)
    assert {event.node.name for event in got.of(events.NodeSeen)} == {node}


def test_a_change_of_nothing_that_is_used_is_not_delivered(
    start: Start, cluster: Cluster, node: str
) -> None:
    cluster.patch_node(node, {"metadata": {"annotations": {"heartbeat": "early"}}})
    got = start(node)
    number = got.wait_for(seen(is_any))
    cluster.patch_node(node, {"metadata": {"annotations": {"heartbeat": "late"}}})
    cluster.patch_node(node, {"spec": {"unschedulable": True}})
    got.wait_for(seen(is_cordoned), after=number)
    assert len(got.of(events.NodeSeen)) == 2


def test_labels_taints_and_the_annotation_are_delivered(
    start: Start, cluster: Cluster, node: str
) -> None:
    got = start(node)
    number = got.wait_for(seen(is_any))
    cluster.patch_node(node, {"metadata": {"labels": {"rack": "b"}}})
    number = got.wait_for(seen(lambda facts: facts.labels["rack"] == "b"), after=number)
    taint = {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}
    cluster.patch_node(node, {"spec": {"taints": [taint]}})
    expected = model.Taint(**taint)
    number = got.wait_for(seen(lambda facts: expected in facts.taints), after=number)
    cluster.patch_node(node, {"metadata": {"annotations": {"exabgp-k8s.io/announce": "never"}}})
    got.wait_for(seen(lambda facts: facts.override is model.Override.NEVER), after=number)


def test_a_shutdown_of_kubelet_is_delivered(start: Start, cluster: Cluster, node: str) -> None:
    got = start(node)
    number = got.wait_for(seen(is_any))
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "KubeletNotReady",
        "message": "node is shutting down",
    }
    cluster.patch_node(node, {"status": {"conditions": [ready]}})
    got.wait_for(seen(lambda facts: facts.is_shutting_down), after=number)


def test_a_node_with_finalizers_is_first_deleting_and_then_gone(
    start: Start, cluster: Cluster, node: str
) -> None:
    cluster.patch_node(node, {"metadata": {"finalizers": ["karpenter.sh/termination"]}})
    got = start(node)
    number = got.wait_for(seen(is_any))
    cluster.delete_node(node)
    number = got.wait_for(seen(lambda facts: facts.is_deleting), after=number)
    cluster.patch_node(node, {"metadata": {"finalizers": None}})
    got.wait_for(gone, after=number)


def test_a_node_deleted_and_made_again_has_another_uid(
    start: Start, cluster: Cluster, node: str
) -> None:
    got = start(node)
    number = got.wait_for(seen(is_any))
    cluster.delete_node(node)
    number = got.wait_for(gone, after=number)
    cluster.put_node(apiserver.node_object(node, pod_cidrs=[]))
    got.wait_for(seen(is_any), after=number)
    first, second = got.of(events.NodeSeen)
    assert first.node.uid != second.node.uid


def test_a_node_that_does_not_exist_is_gone_until_it_does(start: Start, cluster: Cluster) -> None:
    name = f"n-{uuid.uuid4().hex[:8]}"
    got = start(name)
    number = got.wait_for(gone)
    cluster.put_node(apiserver.node_object(name, pod_cidrs=[]))
    got.wait_for(seen(is_any), after=number)
    assert not got.of(events.KubeLost)


def test_watches_that_end_are_opened_again_without_a_gap(
    start: Start, cluster: Cluster, node: str
) -> None:
    got = start(node, timings=reflector.Timings(watch=(1, 1), contact_interval=0))
    number = got.wait_for(seen(is_any))
    for value in (True, False):
        for _ in range(2):
            number = got.wait_for(contact, after=number)
        cluster.patch_node(node, {"spec": {"unschedulable": value}})
        number = got.wait_for(seen(is_cordoned if value else is_not_cordoned), after=number)
    assert not got.of(events.KubeLost)


def test_an_outage_changes_no_fact_and_is_reported_with_its_end(
    start: Start, cluster: Cluster, node: str
) -> None:
    got = start(node)
    number = got.wait_for(seen(is_any))
    cluster.kill()
    number = got.wait_for(lost, after=number)
    number = got.wait_for(lost, after=number)
    cluster.restart()
    number = got.wait_for(contact, after=number)
    cluster.cordon(node)
    got.wait_for(seen(is_cordoned), after=number)
    assert not got.of(events.NodeGone)
    assert got.of(events.NodeSeen)[0].node.is_unschedulable is False


def test_the_service_ranges_are_delivered_when_they_are_wanted(start: Start, node: str) -> None:
    got = start(node, wants_service_cidrs=lambda: True)
    got.wait_for(lambda event: isinstance(event, events.ServiceCidrsSeen))
    (found,) = got.of(events.ServiceCidrsSeen)
    assert [str(cidr) for cidr in found.cidrs] == ["10.96.0.0/16"]


def test_the_service_ranges_are_not_read_when_they_are_not_wanted(
    start: Start, cluster: Cluster, node: str
) -> None:
    got = start(node)
    number = got.wait_for(seen(is_any))
    cluster.cordon(node)
    got.wait_for(seen(is_cordoned), after=number)
    assert not got.of(events.ServiceCidrsSeen)


def test_the_real_control_plane_is_used_wherever_there_is_one() -> None:
    named = os.environ.get("KUBEBUILDER_ASSETS", "")
    assert ("real" in controlplane.KINDS) is (
        pathlib.Path(named, "kube-apiserver").exists() and named != ""
    )
