"""What a node that leaves and joins breaks among connections that stay open: its own, at best.

Nothing in BGP can keep those: what a node knows of them is its conntrack table's. With resilient
hashing in the router nothing else breaks, and that is what is promised to admins who configure it;
how much breaks without it is measured by ``python -m tests.longlived``.
"""

from __future__ import annotations

import pytest

from tests.fabric import bird, cluster
from tests.longlived import changes

pytestmark = pytest.mark.fabric


@pytest.mark.fault(
    area="stop and restart",
    what="a planned leave and join, long-lived connections, resilient hashing",
    sees="the node leaves the group and returns; no connection of another node moves",
    within="0 s",
)
def test_with_resilient_hashing_only_the_leaving_nodes_connections_break(
    running: cluster.Cluster,
) -> None:
    """The node that returned is really used again: otherwise its return would break nothing."""
    bed = changes.Bed(running, is_resilient=True)

    change = changes.leave_and_join(bed, "n1")

    assert change.before["n1"] > 0, change
    assert change.left.lost("n1") == change.before["n1"], change
    assert change.left.lost_but("n1") == 0, change
    assert sum(change.joined.alive.values()) == changes.CONNECTIONS, change
    assert change.afterwards["n1"] > 0, change


def test_with_the_usual_hashing_connections_of_other_nodes_break_too(
    form: cluster.Factory,
) -> None:
    """The negative control: the connections of the test above would notice if they were moved."""
    formed = form([bird.Bird])
    formed.start()

    change = changes.leave_and_join(changes.Bed(formed, is_resilient=False), "n1")

    assert change.left.lost_but("n1") > 0, change
    assert change.joined.lost_but("n1") > 0, change
