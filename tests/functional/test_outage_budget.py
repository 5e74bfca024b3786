"""One node of a cluster whose outage budget is free, exhausted, or cannot be asked.

On our own API server, and on a real one where there is (see test_control_plane.py): there with
the rights that daemonset/rbac.yaml gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exabgp_k8s.core.facts import budget
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.support import asking, controlplane, kubeapi
from tests.support.lab import Document, Lab, until
from tests.support.rivals import Rivals

pytestmark = pytest.mark.functional

Server = kubeapi.KubeApi | controlplane.ControlPlane
IN, SLOT = budget.Standing.IN, budget.Standing.SLOT


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
    """A node with a check that holds as long as a file is there."""
    with Lab(tmp_path, api=server) as found:
        healthy(found).touch()
        found.write(checked(found))
        yield found


@pytest.fixture
def rivals(lab: Lab, tmp_path: Path) -> Rivals:
    """Two more nodes, both announcing. The token of our node may not write their Leases."""
    kubeconfig = tmp_path / "kubeconfig-of-the-admin"
    kubeconfig.write_text(apiserver.kubeconfig(lab.api.admin))
    found = Rivals(kubeconfig)
    for node in ("n2", "n3"):
        found.say(node, IN)
    return found


def healthy(lab: Lab) -> Path:
    return lab.directory / "healthy"


def checked(lab: Lab, **budget_settings: str) -> Document:
    probe = ["/usr/bin/test", "-e", str(healthy(lab))]
    # One probe that is late claims a slot and keeps it for a while: time for a busy machine.
    times = {"interval": "5s", "fastInterval": "1s", "timeout": "5s"}
    check = {"name": "file", "exec": probe, **times}
    return {**lab.document(), "health": {"checks": [check]}, "outageBudget": budget_settings}


def metrics(lab: Lab) -> str:
    return asking.http(lab.http_port, "/metrics")[1]


def test_a_failing_check_withdraws_and_holds_a_slot(lab: Lab, rivals: Rivals) -> None:
    lab.up()

    healthy(lab).unlink()
    lab.expect()
    assert rivals.all()[lab.name].standing is SLOT
    assert "exabgp_k8s_budget_allowed 2.0" in metrics(lab)

    healthy(lab).touch()
    lab.expect(lab.services, lab.pods)


@pytest.mark.fault(
    area="outage budget",
    what="a health check fails while others have the last slot, which then becomes free",
    sees="the routes stay; they are withdrawn once there is a slot",
    within="60 s after the slot is free",
)
def test_a_node_without_a_slot_stays_announced_until_there_is_one(
    lab: Lab, rivals: Rivals
) -> None:
    lab.up()
    until(lambda: lab.name in rivals.all(), lab.state)
    for node in ("n2", "n3"):
        rivals.say(node, SLOT)
    before = lab.router.routes()

    healthy(lab).unlink()
    until(lambda: "exabgp_k8s_budget_exhausted 1.0" in metrics(lab), lab.state)

    assert lab.router.routes() == before
    assert "budget-exhausted:unhealthy:file" in lab.cli("why").stdout
    assert "budget-exhausted:unhealthy:file" in lab.cli("routes").stdout
    assert "others had 2 of 2 slots" in lab.cli("status").stdout
    assert "budget.exhausted" in lab.log()

    rivals.say("n2", IN)
    lab.expect()
    assert "exabgp_k8s_budget_exhausted 0.0" in metrics(lab)


@pytest.mark.fault(
    area="outage budget",
    what="a health check fails while the API server is away",
    sees="the routes are withdrawn; with `withoutAPI: keep` they stay",
    within="interval x fall of the check + 1 s",
)
@pytest.mark.parametrize("without_api", ["withdraw", "keep"])
def test_without_the_api_server_the_settings_decide(
    without_api: str, lab: Lab, server: Server
) -> None:
    lab.write(checked(lab, withoutAPI=without_api))
    lab.up()

    with server.away():
        healthy(lab).unlink()
        if without_api == "withdraw":
            lab.expect()
            return
        until(lambda: "budget-unreachable:unhealthy:file" in lab.cli("why").stdout, lab.state)
        assert set(lab.router.routes()) == {lab.services, lab.pods}


def test_the_lease_goes_with_the_node_that_owns_it(lab: Lab, rivals: Rivals) -> None:
    lab.up()

    until(lambda: lab.name in rivals.all(), lab.state)

    assert rivals.all()[lab.name].uid == lab.api.node(lab.name)["metadata"]["uid"]
