"""What stands in the routers' logs when a session ends on purpose."""

from __future__ import annotations

import psutil
import pytest

from tests.fabric import addresses, bird, cluster, frr, routers, waiting
from tests.support import pods

pytestmark = pytest.mark.fabric

NODE = "n1"
RESTARTS = {"gracefulRestart": "60s"}
SHUTDOWN = {"bird": "Administrative shutdown", "frr": "6/2 (Cease/Administrative Shutdown)"}
DECONFIGURED = {"bird": "Peer de-configured", "frr": "6/3 (Cease/Peer De-configured)"}


def log(router: routers.Router) -> str:
    return (router.directory / "log").read_text()


def end(formed: cluster.Cluster) -> None:
    """End the container, and see the session close."""
    assert formed.agents[NODE].terminate() == 0
    for router in formed.fabric.routers:
        waiting.until(lambda: not router.connections(), "it is closed")  # noqa: B023


@pytest.mark.parametrize("peer", [{}, RESTARTS], ids=["plain", "graceful restart"])
@pytest.mark.fault(
    area="stop and restart",
    what="the pod of a cordoned node ends",
    sees="Cease/Administrative Shutdown with the node's name and why, after the withdrawal",
    within="before the container ends",
)
def test_the_routers_log_says_which_node_was_shut_down_and_why(
    form: cluster.Factory, peer: dict[str, str]
) -> None:
    formed = form([bird.Bird, frr.Frr], nodes_wanted=1, peer=peer)
    formed.start()
    formed.api.cordon(NODE)
    formed.expect(services=[], pods=[])

    end(formed)

    for router in formed.fabric.routers:
        waiting.until(lambda: SHUTDOWN[router.kind] in log(router), "it is logged")  # noqa: B023
        assert f"{NODE}: cordoned, stopping" in log(router)


def test_a_rollout_that_is_to_be_bridged_ends_without_a_word(form: cluster.Factory) -> None:
    formed = form([bird.Bird, frr.Frr], nodes_wanted=1, peer=RESTARTS)
    objects = pods.DaemonSet(formed.api.store)
    objects.create_pod(NODE)
    formed.start()
    objects.delete_pod(NODE)
    formed.agents[NODE].pre_stop()

    end(formed)

    for router in formed.fabric.routers:
        assert SHUTDOWN[router.kind] not in log(router)
        assert router.nexthops(formed.fabric.node(NODE).pod_cidr)


@pytest.mark.fault(
    area="our processes",
    what="the supervisor is killed",
    sees="the withdrawal, then Cease/Administrative Shutdown with the node's name",
    within="a few seconds",
)
def test_an_orphan_that_ends_says_so(form: cluster.Factory) -> None:
    formed = form([bird.Bird, frr.Frr], nodes_wanted=1)
    formed.start()
    process = formed.agents[NODE].process
    assert process is not None

    psutil.Process(process.pid).kill()

    for router in formed.fabric.routers:
        waiting.until(lambda: SHUTDOWN[router.kind] in log(router), "it is logged")  # noqa: B023
        assert f"{NODE}: stopping" in log(router)


def test_a_peer_that_is_removed_is_told_so(form: cluster.Factory) -> None:
    formed = form([bird.Bird, frr.Frr], nodes_wanted=1, peer=RESTARTS)
    formed.start()

    other = {"name": "another", "address": "192.0.2.9", "asn": addresses.ROUTER_ASN}
    formed.write({**formed.document(), "peers": [other]})

    for router in formed.fabric.routers:
        waiting.until(lambda: DECONFIGURED[router.kind] in log(router), "it is logged")  # noqa: B023
