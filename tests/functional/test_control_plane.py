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

Server = kubeapi.KubeApi | controlplane.ControlPlane


@pytest.fixture(params=controlplane.KINDS)
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


@pytest.mark.fault(
    area="control plane",
    what="the API server is killed; a cordon while it is away",
    sees="nothing while it is away; withdrawals when it is back",
    within="5 s after it is back",
)
def test_a_cordon_that_was_missed_takes_effect_when_the_server_is_back(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    with lab.api.away():
        until(lambda: bool(lab.json("status")["kubernetes"]["problem"]), lab.state)
        lab.api.cordon(lab.name)
        assert lab.router.routes() == before

    lab.expect()


@pytest.mark.fault(
    area="control plane",
    what="the API server is killed; the Node is made anew with another podCIDR meanwhile",
    sees="the new pod range instead of the old one; the service range stays",
    within="5 s after it is back",
)
def test_a_node_made_anew_while_nobody_looked_has_its_new_range_only(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    with lab.api.away():
        until(lambda: bool(lab.json("status")["kubernetes"]["problem"]), lab.state)
        lab.api.delete_node(lab.name)
        lab.api.put_node(
            nodes.node_object(lab.name, internal_ips=[lab.address], pod_cidrs=["10.244.9.0/24"])
        )
        assert lab.router.routes() == before

    lab.expect(lab.services, "10.244.9.0/24")
    assert lab.router.routes()[lab.services] == before[lab.services]


@pytest.mark.fault(
    area="control plane",
    what="the Node is deleted and made anew with another podCIDR",
    sees="the old pod range withdrawn, the new one; the service range stays",
    within="0.1 s",
)
def test_a_node_deleted_and_made_again_with_another_range(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    lab.api.delete_node(lab.name)
    lab.expect(lab.services)
    lab.api.put_node(
        nodes.node_object(lab.name, internal_ips=[lab.address], pod_cidrs=["10.244.9.0/24"])
    )

    lab.expect(lab.services, "10.244.9.0/24")
    assert lab.router.routes()[lab.services] == before[lab.services]


@pytest.mark.fault(
    area="control plane",
    what="the Node has no podCIDR yet",
    sees="the service range; the pod range as soon as the Node has one",
    within="0.1 s",
)
def test_a_pod_range_is_announced_once_the_node_has_one(lab: Lab) -> None:
    lab.api.delete_node(lab.name)
    lab.api.put_node(nodes.node_object(lab.name, internal_ips=[lab.address], pod_cidrs=[]))
    lab.start()
    lab.expect(lab.services)
    (row,) = [row for row in lab.json("routes") if row["state"] == "withheld"]
    assert row["reasons"] == ["no-pod-cidr"]
    before = lab.router.routes()

    lab.api.patch_node(lab.name, {"spec": {"podCIDR": lab.pods, "podCIDRs": [lab.pods]}})

    lab.expect(lab.services, lab.pods)
    assert lab.router.routes()[lab.services] == before[lab.services]


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
