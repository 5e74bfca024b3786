"""The cluster of a soak: three nodes, a BIRD and an FRR, and settings that do not make it wait."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.fabric import addresses, bird, cluster, frr, topology

NODES = 3
PEER = {"asn": addresses.ROUTER_ASN, "holdTime": "3s"}
"""The options of every peer."""


@contextlib.contextmanager
def running() -> Iterator[cluster.Cluster]:
    """Yield a cluster whose routers have every route; it is removed afterwards."""
    fabric = topology.Fabric([bird.Bird, frr.Frr], nodes_wanted=NODES)
    formed = cluster.Cluster(fabric, peer=PEER, drain={"settle": "100ms"})
    try:
        document = formed.document()
        # A node that leaves every few seconds would soon be held out for a minute.
        document["announce"]["holdDown"] = {"initial": "100ms", "max": "500ms"}
        # Which nodes get the slots is not for a model to know; the budget has tests of its own.
        document["outageBudget"] = {"maxUnavailable": "100%"}
        formed.write(document)
        formed.start()
        yield formed
    finally:
        formed.stop()
        fabric.delete()
