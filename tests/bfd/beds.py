"""A bed with engines: nodes that announce themselves to a BIRD and an FRR, with BFD or without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fabric import bird, cluster, engine, frr, topology

Engines = Mapping[str, engine.Engine]


@contextlib.contextmanager
def running(nodes_wanted: int, **peer: Any) -> Iterator[tuple[cluster.Cluster, Engines]]:
    """Yield a cluster that serves and its engines, none without BFD; removed afterwards.

    Args:
        nodes_wanted: how many nodes.
        peer: options of every peer.
    """
    fabric = topology.Fabric([bird.Bird, frr.Frr], nodes_wanted=nodes_wanted)
    formed = cluster.Cluster(fabric, peer=peer)
    try:
        document = formed.document()
        # Nodes come and go here, which is what hold-down and budget are against.
        document["announce"]["holdDown"] = {"initial": "100ms", "max": "500ms"}
        document["outageBudget"] = {"maxUnavailable": "100%"}
        formed.write(document)
        formed.start()
        engines = (
            {each.name: engine.Engine(each) for each in fabric.nodes} if "bfd" in peer else {}
        )
        for each in engines.values():
            each.start()
        await_up(formed, engines)
        yield formed, engines
    finally:
        formed.stop()
        fabric.delete()


def await_up(formed: cluster.Cluster, engines: Engines) -> None:
    """Return when every session of BFD is up."""
    for each in engines.values():
        each.await_up(*(router.address for router in formed.fabric.routers))
