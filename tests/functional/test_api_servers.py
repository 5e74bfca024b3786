"""Two real API servers of one cluster, of which one dies or hangs.

Collected only where there is one: ``KUBEBUILDER_ASSETS``, see tests/support/controlplane.py.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from exabgp_k8s.adapters.kube import attempts, client, reflector, servers
from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import nodes
from exabgp_k8s.wire import servers as wire
from tests.support import controlplane, kubeapi

pytestmark = pytest.mark.functional

TIMINGS = reflector.Timings(
    watch=(2, 2), grace=1, pauses=attempts.Pauses(spread=0.2), contact_interval=0, reread=3600
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[controlplane.ControlPlane]:
    with controlplane.ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


def test_the_account_may_read_the_servers_own_addresses_and_no_other_endpoints(
    server: controlplane.ControlPlane,
) -> None:
    collection = wire.SLICE.rpartition("/")[0]
    body = {
        "metadata": {"name": "kubernetes"},
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": 6443}],
        "endpoints": [{"addresses": ["192.0.2.1"]}],
    }
    server.ask("POST", collection, body)
    others = [collection, f"{collection}/other", wire.SLICE.replace("/default/", "/kube-system/")]

    found = [server.status_of(path, server.token) for path in (wire.SLICE, *others)]

    # Nobody is there, and the client of another test would learn the address all the same.
    server.ask("DELETE", wire.SLICE)
    assert found == [200, 403, 403, 403]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_cordon_is_heard_at_another_server_when_ours_dies_or_hangs(
    how: signal.Signals,
    server: controlplane.ControlPlane,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"n-{how.name.lower()}"
    server.put_node(nodes.node_object(name, pod_cidrs=[]))
    started = dict(server.start_another() for _ in range(2))
    got = kubeapi.Recorder()
    found = _in_a_pod(server, tmp_path, monkeypatch, started)
    watching = reflector.Reflector(found, name, got, timings=TIMINGS)
    watching.start()
    got.wait_for(lambda event: isinstance(event, events.NodeSeen))
    port = int(found.servers.first().rpartition(":")[2])

    started[port].send_signal(how)
    server.cordon(name)

    got.wait_for(lambda event: isinstance(event, events.NodeSeen) and event.node.is_unschedulable)
    watching.stop()
    for process in started.values():
        process.kill()
    assert not got.of(events.NodeGone)


def _in_a_pod(
    server: controlplane.ControlPlane,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    started: dict[int, subprocess.Popen[bytes]],
) -> client.Client:
    """Return a client as it is in a pod that has learned the servers before."""
    (folder / "token").write_text(server.token)
    (folder / "ca.crt").write_bytes(server.ca)
    remembered = wire.dump(f"127.0.0.1:{port}" for port in started)
    (folder / servers.FILE_NAME).write_text(remembered)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "9")
    monkeypatch.setenv("KUBERNETES_PORT", "tcp://127.0.0.1:9")
    access = client.Access(service_account=folder)
    return client.Client(access, client.whom(access, folder))
