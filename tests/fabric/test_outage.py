"""What the people outside notice while nodes go down for updates: nothing."""

from __future__ import annotations

import time

import pytest

from tests.fabric import addresses, cluster, traffic

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2", "n3")


def test_no_new_connection_fails_when_a_drained_node_dies(running: cluster.Cluster) -> None:
    """Drained and acknowledged, the node may vanish in the same second."""
    with traffic.Traffic(running.fabric.client, addresses.WEB, 80) as flow:
        time.sleep(0.5)
        running.agents["n1"].drain()
        running.fabric.node("n1").power_off()
        time.sleep(2)

    assert flow.report.failed == (), flow.report
    assert flow.report.lost_syns == 0, flow.report
    assert flow.report.rehashes <= len(running.fabric.routers), flow.report
    assert set(flow.report.by_node()) == set(ALL), flow.report


def test_no_new_connection_fails_over_a_cordon_and_back(running: cluster.Cluster) -> None:
    """Also when the node returns: it announces only what it can serve."""
    with traffic.Traffic(running.fabric.client, addresses.WEB, 80) as flow:
        running.api.cordon("n2")
        running.expect(services=["n1", "n3"], pods=["n1", "n3"])
        running.api.cordon("n2", is_cordoned=False)
        running.expect(services=ALL, pods=ALL)
        time.sleep(0.5)

    assert flow.report.failed == (), flow.report
    assert flow.report.lost_syns == 0, flow.report
    assert flow.report.rehashes <= 2 * len(running.fabric.routers), flow.report


@pytest.mark.long
def test_a_name_of_the_cluster_stays_reachable_while_every_node_is_rebooted(
    running: cluster.Cluster,
) -> None:
    """The whole story: a host of the company asks the cluster's DNS and connects to mysql:3306.

    kube-dns answers on its ClusterIP, the answer is another ClusterIP, and the way to both leads
    over whichever nodes are announced. One node after the other is cordoned, drained and
    rebooted for its updates, and nobody tells the routers anything.
    """
    with traffic.Traffic(
        running.fabric.client, addresses.DNS, 3306, name=addresses.MYSQL_NAME, rate=100
    ) as flow:
        for name in ALL:
            others = [other for other in ALL if other != name]
            running.api.cordon(name)
            running.expect(services=others, pods=others)
            running.agents[name].drain()
            running.reboot(name)
            running.api.cordon(name, is_cordoned=False)
            running.expect(services=ALL, pods=ALL)

    assert flow.report.failed == (), flow.report
    assert flow.report.lost_syns == 0, flow.report
    assert flow.report.rehashes <= 2 * len(ALL) * len(running.fabric.routers), flow.report
    assert set(flow.report.by_node()) == set(ALL), flow.report
