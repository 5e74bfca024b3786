"""The pod ranges as network plugins' objects name them: heard, not there, forbidden, hostile.

The same tests run against a real control plane where ``KUBEBUILDER_ASSETS`` names one, with the
rights that the components of the manifests give and no others.
"""

from __future__ import annotations

import contextlib
import pathlib
import uuid
from collections.abc import Callable, Iterator

import pytest

from exabgp_k8s.adapters.kube import attempts, client, watching
from exabgp_k8s.adapters.kube import pod_ranges as adapter
from exabgp_k8s.core.facts import events, pod_ranges
from exabgp_k8s.core.facts.pod_ranges import PodSource
from exabgp_k8s.tryout.kubeapi import apiserver, exchange
from tests.support import controlplane, kubeapi, plugins

QUICK = watching.Timings(
    watch=(4, 4),
    pauses=attempts.Pauses(first=0.05, longest=0.2, longest_refused=0.2),
    short_life=0,
)
Cluster = kubeapi.KubeApi | controlplane.ControlPlane
CILIUM, CALICO = PodSource.CILIUM, PodSource.CALICO

Start = Callable[[PodSource, str], kubeapi.Recorder]


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[controlplane.ControlPlane]:
    with controlplane.ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        plugins.define(running)
        yield running


@pytest.fixture(params=controlplane.KINDS)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if request.param == "real":
        running = request.getfixturevalue("control_plane")
        for source in ("cilium", "calico"):
            plugins.allow(running, source)
        yield running
        return
    with kubeapi.KubeApi() as running:
        yield running


@pytest.fixture
def name() -> str:
    return f"n-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def start(tmp_path: pathlib.Path, cluster: Cluster) -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def begin(source: PodSource, node: str) -> kubeapi.Recorder:
            return stack.enter_context(running(cluster, tmp_path, source, node))

        yield begin


@contextlib.contextmanager
def running(
    cluster: Cluster, folder: pathlib.Path, source: PodSource, node: str
) -> Iterator[kubeapi.Recorder]:
    """Run a watch of a plugin's objects and yield what it delivers."""
    path = folder / f"kubeconfig-{uuid.uuid4().hex}"
    path.write_text(apiserver.kubeconfig(cluster))
    got = kubeapi.Recorder()
    ranges = adapter.PodRanges(
        lambda: client.Client(client.Access(kubeconfig=path)),
        node,
        got,
        timings=QUICK,
        lasting=0.3,
    )
    ranges.wanted(source)
    try:
        yield got
    finally:
        ranges.wanted(PodSource.NODE)


def names(*cidrs: str) -> Callable[[events.Event], bool]:
    """Return what says whether an event names exactly these ranges."""

    def is_it(event: events.Event) -> bool:
        return isinstance(event, pod_ranges.RangesSeen) and cidrs == tuple(map(str, event.cidrs))

    return is_it


def is_lost(event: events.Event) -> bool:
    return isinstance(event, pod_ranges.RangesLost)


def test_the_ranges_of_our_own_cilium_node_are_told_and_what_becomes_of_them(
    start: Start, cluster: Cluster, name: str
) -> None:
    plugins.put(cluster, plugins.cilium_node(f"{name}-other", "10.9.0.0/24"))
    ours = plugins.cilium_node(name, "10.0.1.0/24", "fd00:1::/64")
    plugins.put(cluster, ours)

    got = start(CILIUM, name)
    first = got.wait_for(names("10.0.1.0/24", "fd00:1::/64"))
    plugins.put(cluster, plugins.cilium_node(name, "10.0.2.0/24"))
    second = got.wait_for(names("10.0.2.0/24"), after=first)
    plugins.delete(cluster, ours)
    got.wait_for(names(), after=second)
    assert not [each for each in got.of(pod_ranges.RangesSeen) if names("10.9.0.0/24")(each)]


def test_an_object_that_is_not_there_yet_is_told_when_it_comes(
    start: Start, cluster: Cluster, name: str
) -> None:
    got = start(CILIUM, name)
    first = got.wait_for(names())
    plugins.put(cluster, plugins.cilium_node(name, "10.0.1.0/24"))
    got.wait_for(names("10.0.1.0/24"), after=first)


def test_our_own_blocks_are_told_as_they_come_and_go_and_no_other_nodes(
    start: Start, cluster: Cluster, name: str
) -> None:
    one, two = plugins.block(name, "10.244.7.64/26"), plugins.block(name, "10.244.9.0/26")
    plugins.put(cluster, one, plugins.block(f"{name}-other", "10.244.8.0/26"))

    got = start(CALICO, name)
    at = got.wait_for(names("10.244.7.64/26"))
    plugins.put(cluster, {**two, "spec": {**two["spec"], "state": "pending"}})
    plugins.put(cluster, two, plugins.block(f"{name}-other", "10.244.8.64/26"))
    at = got.wait_for(names("10.244.7.64/26", "10.244.9.0/26"), after=at)
    # What cannot be read any more says nothing of the range that it named.
    plugins.put(cluster, {**one, "spec": {**one["spec"], "cidr": "10.244.7.64"}})
    at = got.wait_for(names("10.244.7.64/26", "10.244.9.0/26"), after=at)
    plugins.put(cluster, {**one, "spec": {**one["spec"], "deleted": "true"}})
    at = got.wait_for(names("10.244.9.0/26"), after=at)
    plugins.delete(cluster, two)
    got.wait_for(names(), after=at)


def test_the_blocks_of_a_large_cluster_are_read_page_by_page(
    start: Start, cluster: Cluster, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PAGE", 7)
    plugins.put(cluster, *plugins.blocks_of_others(20), plugins.block(name, "10.244.7.64/26"))

    got = start(CALICO, name)

    at = got.wait_for(names("10.244.7.64/26"))
    # The watch begins where the list began, so nothing of the meantime is lost.
    plugins.put(cluster, plugins.block(name, "10.244.9.0/26"))
    got.wait_for(names("10.244.7.64/26", "10.244.9.0/26"), after=at)


def test_a_block_that_comes_between_two_pages_is_told(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch begins where the first page was, not where the last one was."""
    monkeypatch.setattr(adapter, "PAGE", 7)
    with kubeapi.KubeApi() as server:
        plugins.put(server, *plugins.blocks_of_others(20), plugins.block("a0", "10.244.7.64/26"))

        def meanwhile(asked: exchange.Exchange) -> None:
            plugins.put(server, plugins.block("a0", "10.244.0.0/26"))
            server.api.answer(asked)

        server.inject(server.api.answer, kubeapi.BLOCK_AFFINITIES)
        server.inject(meanwhile, kubeapi.BLOCK_AFFINITIES)
        with running(server, tmp_path, CALICO, "a0") as got:
            got.wait_for(
                lambda event: (
                    isinstance(event, pod_ranges.RangesSeen)
                    and "10.244.0.0/26" in map(str, event.cidrs)
                )
            )


@pytest.mark.fault(
    area="control plane",
    what="the right to a network plugin's objects is missing, and is given later",
    sees="what was announced before; then the ranges",
    within="30 s until it is asked again",
)
@pytest.mark.parametrize(("status", "words"), [(403, "daemonset/components"), (404, "pods.from")])
def test_what_cannot_be_read_is_told_with_what_to_do_and_then_what_is_there(
    tmp_path: pathlib.Path, status: int, words: str
) -> None:
    with kubeapi.KubeApi() as server:
        plugins.put(server, plugins.cilium_node("n1", "10.0.1.0/24"))
        server.inject_always(kubeapi.status(status), kubeapi.CILIUM_NODES)
        with running(server, tmp_path, CILIUM, "n1") as got:
            at = got.wait_for(is_lost)
            server.heal()
            got.wait_for(names("10.0.1.0/24"), after=at)
    (lost,) = got.of(pod_ranges.RangesLost)
    assert words in lost.problem


def test_a_refusal_of_a_moment_is_not_told(tmp_path: pathlib.Path) -> None:
    """As by every server that has just started."""
    with kubeapi.KubeApi() as server:
        plugins.put(server, plugins.cilium_node("n1", "10.0.1.0/24"))
        server.inject(kubeapi.status(403), kubeapi.CILIUM_NODES)
        with running(server, tmp_path, CILIUM, "n1") as got:
            got.wait_for(names("10.0.1.0/24"))
    assert not got.of(pod_ranges.RangesLost)


def test_a_server_that_comes_back_tells_what_is_new_and_nothing_is_lost(
    start: Start, cluster: Cluster, name: str
) -> None:
    plugins.put(cluster, plugins.block(name, "10.244.7.64/26"))
    got = start(CALICO, name)
    at = got.wait_for(names("10.244.7.64/26"))
    with cluster.away():
        plugins.put(cluster, plugins.block(name, "10.244.9.0/26"))
    got.wait_for(names("10.244.7.64/26", "10.244.9.0/26"), after=at)
    assert names("10.244.7.64/26")(got.of(pod_ranges.RangesSeen)[0])
    assert not [each for each in got.of(pod_ranges.RangesSeen) if not each.cidrs]


def test_a_watch_that_goes_on_after_a_loss_says_once_more_what_is_there(
    tmp_path: pathlib.Path,
) -> None:
    with kubeapi.KubeApi() as server:
        plugins.put(server, plugins.cilium_node("n1", "10.0.1.0/24"))
        with running(server, tmp_path, CILIUM, "n1") as got:
            got.wait_for(names("10.0.1.0/24"))
            server.inject_always(kubeapi.status(403), kubeapi.CILIUM_NODES)
            at = got.wait_for(is_lost)
            server.heal()
            got.wait_for(names("10.0.1.0/24"), after=at)


def test_nothing_is_asked_where_the_node_names_the_ranges(tmp_path: pathlib.Path) -> None:
    with kubeapi.KubeApi() as server, running(server, tmp_path, PodSource.NODE, "n1"):
        pass
    assert not server.requests
