"""How the container ends and starts again, and what an operator's drain outlives."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pods
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

RESTARTS = {"gracefulRestart": "60s"}


def in_pod(lab: Lab) -> dict[str, str]:
    """Return the environment of the container of a node's Pod."""
    return {"POD_NAME": pods.name_of(lab.name), "POD_NAMESPACE": pods.NAMESPACE}


def end_container(lab: Lab) -> None:
    assert lab.process is not None
    lab.process.send_signal(signal.SIGTERM)
    assert lab.process.wait(120) == 0


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A node whose peer has graceful restart; the parameter is for the router."""
    with Lab(tmp_path, router_options=getattr(request, "param", "")) as found:
        document = found.document()
        document["peers"][0] |= RESTARTS
        found.write(document)
        yield found


@pytest.mark.long
@pytest.mark.fault(
    area="stop and restart",
    what="the container is restarted on a node that an operator has drained",
    sees="nothing: the node stays withdrawn until `undrain`",
    within="for the life of the pod",
)
def test_an_operators_drain_outlives_the_container(lab: Lab) -> None:
    lab.up()
    lab.cli("drain", "--wait")

    end_container(lab)
    lab.start()
    until(lambda: lab.cli("status").returncode == 1, lab.state)
    until(lambda: lab.json("status")["phase"] == "drained" and lab.router.is_up, lab.state)

    assert lab.router.routes() == {}
    assert lab.cli("undrain").returncode == 0
    lab.expect(lab.services, lab.pods)


@pytest.mark.long
def test_the_hook_of_a_container_that_is_restarted_drains_it_once(lab: Lab) -> None:
    """A failed liveness probe runs preStop too, and the pod is not deleted."""
    lab.start(in_pod(lab))
    lab.expect(lab.services, lab.pods)
    daemon_set = pods.DaemonSet(lab.api.store)
    daemon_set.create_pod(lab.name)

    assert lab.cli(*pods.pre_stop()).returncode == 0
    assert lab.router.routes() == {}
    end_container(lab)

    lab.up()


@pytest.mark.parametrize("lab", ["graceful restart off;"], indirect=True)
@pytest.mark.fault(
    area="stop and restart",
    what="our pod is replaced; only our side has graceful restart",
    sees="the withdrawal, then the session closes",
    within="before the container ends",
)
def test_a_router_that_does_not_offer_graceful_restart_gets_its_withdrawal(lab: Lab) -> None:
    daemon_set = pods.DaemonSet(lab.api.store)
    daemon_set.create_pod(lab.name)
    lab.start(in_pod(lab))
    lab.expect(lab.services, lab.pods)

    daemon_set.delete_pod(lab.name)
    hook = lab.cli(*pods.pre_stop())

    assert hook.returncode == 0
    assert lab.router.routes() == {}
    assert lab.json("status")["stop"] == "rollout"


def test_why_says_who_keeps_the_routes_of_a_pod_that_is_replaced(lab: Lab) -> None:
    daemon_set = pods.DaemonSet(lab.api.store)
    daemon_set.create_pod(lab.name)
    lab.start(in_pod(lab))
    lab.expect(lab.services, lab.pods)
    daemon_set.delete_pod(lab.name)

    lab.cli(*pods.pre_stop())

    assert "stopping, kept by graceful restart at tor" in lab.cli("why").stdout
    assert set(lab.router.routes()) == {lab.services, lab.pods}
