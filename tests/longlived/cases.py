"""What is measured: the hashing of the router, a setting of the nodes, how often a client speaks.

Every case has a bed of its own: who left once is kept down for longer the next time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.fabric import addresses, cluster, routers, topology, waiting
from tests.longlived import changes, held

NODES = ("n1", "n2", "n3")
SOON = 5.0
"""Seconds after which a connection is called silent where that is the expected end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One situation; one node is enough where all three are not told otherwise."""

    title: str
    is_resilient: bool = False
    leaving: tuple[str, ...] = NODES[:1]
    drain: Mapping[str, str] = field(default_factory=dict)
    is_loose: bool = True
    """Whether conntrack of the nodes takes up connections that it has not seen begin."""
    every: float = held.EVERY
    patience: float = 25.0


LEAVING = (
    Case(title="default", leaving=NODES),
    Case(title="resilient", leaving=NODES, is_resilient=True),
    Case(title="default, GRACEFUL_SHUTDOWN for 5 s first", drain={"gracefulShutdown": "5s"}),
    Case(title="default, `nf_conntrack_tcp_loose=0`", is_loose=False, patience=SOON),
    Case(title="resilient, a line every 5 s only", is_resilient=True, every=5.0),
)
"""A node leaves, and some seconds later it joins."""

FLAPPING = (
    Case(title="default"),
    Case(title="default, `nf_conntrack_tcp_loose=0`", is_loose=False),
    Case(title="resilient", is_resilient=True),
    Case(title="resilient, `nf_conntrack_tcp_loose=0`", is_resilient=True, is_loose=False),
)
"""A node leaves, and joins as soon as the hold-down lets it."""


def leave_and_join(kind: type[routers.Router], case: Case) -> list[changes.Change]:
    """Let each of the nodes leave and join, one after the other."""
    with _bed(kind, case) as bed:
        return [
            changes.leave_and_join(bed, name, every=case.every, patience=case.patience)
            for name in case.leaving
        ]


def flap(kind: type[routers.Router], case: Case) -> list[changes.Flap]:
    """Let each of the nodes flap, one after the other."""
    with _bed(kind, case) as bed:
        return [changes.flap(bed, name) for name in case.leaving]


@contextlib.contextmanager
def _bed(kind: type[routers.Router], case: Case) -> Iterator[changes.Bed]:
    fabric = topology.Fabric([kind], nodes_wanted=len(NODES))
    formed = cluster.Cluster(fabric, drain=case.drain)
    try:
        for node in fabric.nodes:
            node.namespace.sysctl({"netfilter/nf_conntrack_tcp_loose": str(int(case.is_loose))})
        _start(formed)
        yield changes.Bed(formed, is_resilient=case.is_resilient)
    finally:
        formed.stop()
        fabric.delete()


def _start(formed: cluster.Cluster) -> None:
    """Start every agent, with more patience than a test has: one slow start would cost all."""
    for agent in formed.agents.values():
        agent.start()
    router = formed.fabric.routers[0]
    waiting.until(
        lambda: len(router.nexthops(addresses.SERVICES)) == len(NODES),
        "every node is a next hop",
        limit=120,
    )
