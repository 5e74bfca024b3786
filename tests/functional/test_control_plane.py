"""What the control plane does to the routes: on our own server, and on a real one where there is.

`KUBEBUILDER_ASSETS` names a directory with `kube-apiserver` and `etcd`; then the same tests run
against these too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exabgp_k8s.tryout.kubeapi import nodes
from tests.support import controlplane, kubeapi
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

SERVERS = ["own", *(["real"] if controlplane.is_available() else [])]

Server = kubeapi.KubeApi | controlplane.ControlPlane


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """An API server of either kind."""
    if request.param == "own":
        with kubeapi.KubeApi() as own:
            yield own
        return
    folder = tmp_path / "control-plane"
    folder.mkdir()
    with controlplane.ControlPlane(folder) as real:
        yield real


@pytest.fixture
def lab(server: Server, tmp_path: Path) -> Iterator[Lab]:
    """A node and a router at that API server."""
    with Lab(tmp_path, api=server) as found:
        yield found


def test_a_cordon_is_heard_and_taken_back(lab: Lab) -> None:
    lab.up()

    lab.api.cordon(lab.name, True)
    lab.expect()
    lab.api.cordon(lab.name, False)
    lab.expect(lab.services, lab.pods)


def test_a_cordon_that_was_missed_takes_effect_when_the_server_is_back(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()
    lab.api.kill()
    until(lambda: bool(lab.json("status")["kubernetes"]["problem"]), lab.state)
    assert lab.router.routes() == before

    lab.api.restart()
    lab.api.cordon(lab.name, True)

    lab.expect()


def test_a_node_deleted_and_made_again_with_another_range(lab: Lab) -> None:
    lab.up()

    lab.api.delete_node(lab.name)
    lab.expect(lab.services)
    lab.api.put_node(
        nodes.node_object(lab.name, internal_ips=[lab.address], pod_cidrs=["10.244.9.0/24"])
    )

    lab.expect(lab.services, "10.244.9.0/24")


def test_a_drain_taint_withdraws_and_a_pressure_taint_does_not(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    pressure = {"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}
    lab.api.patch_node(lab.name, {"spec": {"taints": [pressure]}})
    drain = {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}
    assert lab.router.routes() == before
    lab.api.patch_node(lab.name, {"spec": {"taints": [pressure, drain]}})

    lab.expect()
    assert [each["cause"] for each in lab.json("status")["causes"]] == [
        "draining:ToBeDeletedByClusterAutoscaler"
    ]
