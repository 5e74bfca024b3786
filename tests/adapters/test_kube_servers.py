"""Several API servers, each with its own address, behind a ClusterIP that may lead nowhere."""

from __future__ import annotations

import contextlib
import ipaddress
import itertools
import pathlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import pytest

from exabgp_k8s.adapters.kube import attempts, client, reflector, servers
from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import api, apiserver, store
from exabgp_k8s.wire import servers as wire
from tests.support import kubeapi

SLICES = api.find_collection("discovery.k8s.io/v1", "endpointslices")
KUBERNETES = store.Scope(namespace="default", name="kubernetes")

QUICK = reflector.Timings(
    watch=(1, 1),
    grace=0.5,
    pauses=attempts.Pauses(first=0.05, longest=0.2, spread=0.05),
    contact_interval=0,
    reread=0,
)


def own_address(server: kubeapi.KubeApi) -> str:
    return f"127.0.0.1:{server.port}"


class Cluster:
    """API servers of one cluster: ``front`` is the one that the ClusterIP leads to."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
        self.front = kubeapi.KubeApi(nodes=[apiserver.node_object("n1")])
        self.servers = [kubeapi.KubeApi() for _ in range(size)]
        self.folder = folder
        kubeapi.write_service_account(folder, self.front)
        for each in self.all:
            each.start()
            if each is not self.front:
                each.join(self.front)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(self.front.port))
        monkeypatch.setenv("KUBERNETES_PORT", f"tcp://127.0.0.1:{self.front.port}")
        self.announce(self.servers)

    @property
    def all(self) -> list[kubeapi.KubeApi]:
        return [self.front, *self.servers]

    def announce(self, listed: Iterable[kubeapi.KubeApi]) -> None:
        """Write the EndpointSlice; every server has its own, as the ports differ here."""
        first, *more = [each.port for each in listed] or [1]
        ports = [{"name": "https", "port": each} for each in (first, *more)]
        found = {"metadata": {"name": "kubernetes"}, "ports": ports, "endpoints": [
            {"addresses": ["127.0.0.1"], "conditions": {"ready": first != 1}}
        ]}  # fmt: skip
        with contextlib.suppress(store.StatusError):
            self.front.store.delete(SLICES, KUBERNETES)
        self.front.store.create(SLICES, found, "default")

    def watched(self) -> list[kubeapi.KubeApi]:
        """Return the servers at which a watch is open."""
        return [each for each in self.all if each.watches]

    def cordon(self) -> None:
        self.front.cordon("n1")

    def stop(self) -> None:
        for each in self.all:
            each.stop()


@pytest.fixture
def cluster(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Cluster]:
    """Two API servers beside the one that the ClusterIP leads to, unless told otherwise."""
    found = Cluster(tmp_path, monkeypatch, getattr(request, "param", 2))
    yield found
    found.stop()


class Run:
    """A reflector as it is in a pod."""

    def __init__(self, cluster: Cluster, timings: reflector.Timings = QUICK) -> None:
        access = client.Access(service_account=cluster.folder, answer_timeout=1)
        self.cluster, self.got = cluster, kubeapi.Recorder()
        self.servers = client.whom(access, cluster.folder)
        self.reflector = reflector.Reflector(
            client.Client(access, self.servers), "n1", self.got, timings=timings
        )

    def __enter__(self) -> Self:
        self.reflector.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reflector.stop()
        kubeapi.until(lambda: not self.reflector.is_alive)

    def watches_at(self, wanted: Iterable[kubeapi.KubeApi]) -> kubeapi.KubeApi:
        """Wait until one of these is watched, and return it."""
        kubeapi.until(lambda: any(each.watches for each in wanted))
        return next(each for each in wanted if each.watches)

    def sees_a_cordon(self) -> None:
        self.cluster.cordon()
        self.got.wait_for(
            lambda event: isinstance(event, events.NodeSeen) and event.node.is_unschedulable
        )
        assert not self.got.of(events.NodeGone)


@pytest.mark.fault(
    area="control plane",
    what="the ClusterIP leads nowhere after the first contact: kube-proxy is away or late",
    sees="nothing; a cordon is heard",
    within="0.1 s",
)
def test_after_the_first_contact_a_server_is_asked_by_its_own_address(cluster: Cluster) -> None:
    with Run(cluster) as run:
        run.watches_at(cluster.servers)
        cluster.front.kill()
        run.sees_a_cordon()
    assert cluster.front.count(kubeapi.WATCH) == 0


def test_the_servers_addresses_are_told_once_to_whoever_decides(cluster: Cluster) -> None:
    """No part of a flat network with one of them in it is announced."""
    wanted = frozenset({ipaddress.ip_address("127.0.0.1")})
    with Run(cluster) as run:
        run.got.wait_for(
            lambda event: isinstance(event, events.KubeContact) and event.servers == wanted
        )
        run.sees_a_cordon()
    assert len([each for each in run.got.of(events.KubeContact) if each.servers]) == 1


@pytest.mark.fault(
    area="control plane",
    what="an agent starts again while the ClusterIP leads nowhere",
    sees="nothing; a cordon is heard",
    within="1 s",
)
def test_the_servers_addresses_outlive_the_process(cluster: Cluster) -> None:
    with Run(cluster) as run:
        run.watches_at(cluster.servers)
    cluster.front.kill()
    with Run(cluster) as run:
        run.sees_a_cordon()


@pytest.mark.fault(
    area="control plane",
    what="the API server that is asked dies, others do not; a cordon meanwhile",
    sees="withdrawals",
    within="2 s",
)
@pytest.mark.parametrize("cluster", [3], indirect=True)
def test_when_one_server_dies_another_is_asked(cluster: Cluster) -> None:
    slow_to_fail = reflector.Timings(pauses=attempts.Pauses(first=120, spread=0.1))
    with Run(cluster, slow_to_fail) as run:
        for left in (3, 2):
            first = run.watches_at(cluster.servers)
            first.kill()
            cluster.servers.remove(first)
            assert len(cluster.servers) == left - 1
        run.watches_at(cluster.servers)
        run.sees_a_cordon()
    assert not run.got.of(events.KubeLost)


@pytest.mark.fault(
    area="control plane",
    what="an API server hangs: its kernel acknowledges, it says nothing; others do not",
    sees="a cordon meanwhile: withdrawals",
    within="45 s if it was the one that is watched, else 10 s",
)
@pytest.mark.parametrize("how", ["silence", "deafness"])
def test_when_one_server_hangs_another_is_asked(cluster: Cluster, how: str) -> None:
    for each in cluster.servers[:1]:
        each.inject_always(getattr(each, how), kubeapi.WATCH)
    cluster.front.kill()
    (cluster.folder / servers.FILE_NAME).write_text(
        wire.dump(own_address(each) for each in cluster.servers)
    )
    with Run(cluster) as run:
        run.watches_at(cluster.servers[1:])
        run.sees_a_cordon()
    assert not run.got.of(events.KubeLost)


@pytest.mark.fault(
    area="control plane",
    what="all API servers are away; one comes back at an address that left the list before",
    sees="a cordon meanwhile: withdrawals",
    within="10 s after it is back",
)
def test_a_server_that_left_the_list_is_asked_when_nobody_else_answers(cluster: Cluster) -> None:
    old, new = cluster.servers
    cluster.announce([old])
    with Run(cluster) as run:
        run.watches_at([old])
        cluster.announce([new])
        run.watches_at([new])
        old.kill()
        new.kill()
        cluster.front.kill()
        run.got.wait_for(lambda event: isinstance(event, events.KubeLost))
        old.restart()
        run.sees_a_cordon()


def test_a_list_of_no_server_changes_nothing(cluster: Cluster) -> None:
    """Somebody has sent it: an API server that has just started, and is not in it yet."""
    with Run(cluster) as run:
        run.watches_at(cluster.servers)
        cluster.announce([])
        asked = sum(each.count(kubeapi.SLICES) for each in cluster.all)
        kubeapi.until(lambda: sum(each.count(kubeapi.SLICES) for each in cluster.all) > asked + 2)
        cluster.front.kill()
        run.sees_a_cordon()


@pytest.mark.fault(
    area="control plane",
    what="the right to the servers' addresses is missing",
    sees="nothing: the ClusterIP is asked, as before",
    within="0 s",
)
def test_without_the_right_to_the_list_the_cluster_ip_is_asked(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.front.inject_always(kubeapi.status(403), kubeapi.SLICES)
    with Run(cluster) as run:
        run.watches_at([cluster.front])
        run.sees_a_cordon()
        kubeapi.until(lambda: cluster.front.count(kubeapi.SLICES) > 2)
    assert not run.got.of(events.KubeLost)
    assert capsys.readouterr().out.count("api_servers.unknown") == 1


@pytest.mark.fault(
    area="control plane",
    what="another program has an API server's address, or its certificate lacks the name",
    sees="nothing: it is told nothing, and another server or the ClusterIP is asked",
    within="1 s",
)
def test_who_has_no_certificate_of_the_cluster_is_told_nothing(cluster: Cluster) -> None:
    for each in cluster.servers:
        each.rotate_authority()
    with Run(cluster) as run:
        run.watches_at([cluster.front])
        run.sees_a_cordon()
    assert not [request for each in cluster.servers for request in each.requests]


def test_a_server_that_somebody_chose_is_the_only_one_that_is_asked(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "localhost")
    with Run(cluster) as run:
        run.watches_at([cluster.front])
        run.sees_a_cordon()
    assert cluster.front.count(kubeapi.SLICES) == 0


@pytest.mark.parametrize("cluster", [4], indirect=True)
def test_the_nodes_spread_over_the_servers(cluster: Cluster) -> None:
    listed = tuple(map(own_address, cluster.servers))
    chosen = set()
    for number in range(60):
        drawn = servers.Servers(cluster.folder / f"{number}")
        drawn.learn(listed)
        chosen.add(drawn.first())
    assert chosen == set(listed)


@contextlib.contextmanager
def _full() -> Iterator[int]:
    """Listen with a backlog that is full: nobody refuses, as where the machine is off."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@contextlib.contextmanager
def _dripping() -> Iterator[int]:
    """Begin a TLS handshake with everybody, a byte now and then, and never end it."""
    ended = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            held = [stack.enter_context(listening.accept()[0])]
            listening.settimeout(0.05)
            for each in itertools.cycle(b"\x16\x03\x03\x40"):
                with contextlib.suppress(TimeoutError):
                    held.append(stack.enter_context(listening.accept()[0]))
                for connection in held:
                    with contextlib.suppress(ConnectionError):
                        connection.send(bytes([each]))
                if ended.is_set():
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield listening.getsockname()[1]
        ended.set()
        serving.join()


@pytest.mark.fault(
    area="control plane",
    what="an API server's machine is off, or it begins TLS and never ends it; others are well",
    sees="a cordon meanwhile: withdrawals",
    within="10 s",
)
@pytest.mark.parametrize("stuck", [_full, _dripping])
def test_a_connection_that_comes_to_nothing_is_given_up_for_the_next_server(
    cluster: Cluster, stuck: Callable[[], contextlib.AbstractContextManager[int]]
) -> None:
    with stuck() as port:
        remembered = [f"127.0.0.1:{port}", own_address(cluster.servers[0])]
        (cluster.folder / servers.FILE_NAME).write_text(wire.dump(remembered))
        cluster.front.kill()
        with Run(cluster) as run:
            run.watches_at(cluster.servers[:1])
            run.sees_a_cordon()


def test_a_round_goes_through_all_of_them_and_begins_again() -> None:
    found = servers.Servers()
    found.learn(("192.0.2.1:6443", "192.0.2.2:6443"))
    asked: list[Any] = []
    for _ in range(6):
        asked.append(found.first())
        found.failed(asked[-1])
    assert len({*asked[:3]}) == 3
    assert asked[:3] == asked[3:]
    assert asked[2] == servers.CONFIGURED


def test_one_that_answered_is_asked_again() -> None:
    found = servers.Servers()
    found.learn(("192.0.2.1:6443", "192.0.2.2:6443"))
    first = found.first()
    found.failed(first)
    second = found.first()
    found.answered(second)
    assert [found.first() for _ in range(3)] == [second] * 3
    assert second != first
    assert not found.has_another


@pytest.mark.parametrize("text", ["", "{", "[]", '{"servers": 5}', '{"servers": [5, "x:y"]}'])
def test_a_memory_that_cannot_be_read_is_none(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "kept").write_text(text)
    assert servers.Servers(tmp_path / "kept").first() == servers.CONFIGURED


def test_where_nothing_can_be_kept_all_else_works(tmp_path: pathlib.Path) -> None:
    found = servers.Servers(tmp_path / "missing" / "kept")
    found.learn(("192.0.2.1:6443",))
    assert found.first() == "192.0.2.1:6443"


def test_pairs_of_threads_may_ask_at_once() -> None:
    """Each answer of one makes its server the one that the other asks, too."""
    found = servers.Servers()
    found.learn(tuple(f"192.0.2.{number}:6443" for number in range(1, 4)))
    for one, other in itertools.pairwise(["192.0.2.1:6443", "192.0.2.3:6443", "192.0.2.2:6443"]):
        found.answered(one)
        found.failed(other)
        assert found.first() == one


@pytest.mark.fault(
    area="control plane",
    what="an API server that is being stopped answers 429 with Retry-After, others do not",
    sees="a cordon meanwhile: withdrawals",
    within="2 s",
)
@pytest.mark.parametrize("how", ["429", "early end", "garbage"])
def test_a_server_that_answers_nothing_of_use_is_left_for_another(
    cluster: Cluster, how: str
) -> None:
    bad, good = cluster.servers
    fault, wanted = {
        "429": (kubeapi.status(429, "60"), kubeapi.WATCH),
        "early end": (kubeapi.instant_end, kubeapi.WATCH),
        "garbage": (kubeapi.body(b"?"), kubeapi.LIST),
    }[how]
    bad.inject_always(fault, wanted)
    cluster.front.kill()
    (cluster.folder / servers.FILE_NAME).write_text(
        wire.dump([own_address(bad), own_address(good)])
    )
    with Run(cluster) as run:
        run.watches_at([good])
        run.sees_a_cordon()
    assert bad.count(wanted) == 1
    assert not run.got.of(events.KubeLost)


def test_addresses_that_could_not_be_read_once_are_read_again_soon(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    timings = reflector.Timings(watch=(1, 1), grace=0.5, reread=3600, reread_failed=0.1)
    cluster.front.inject(kubeapi.status(429), kubeapi.SLICES, times=2)
    with Run(cluster, timings) as run:
        kubeapi.until(lambda: "api_servers.learned" in capsys.readouterr().out)
        kubeapi.until(lambda: any(each.watches for each in cluster.all))
    assert cluster.front.count(kubeapi.SLICES) == 3
    assert not run.got.of(events.KubeLost)
