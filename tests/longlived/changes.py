"""One node leaves and joins again while connections are open: what becomes of them.

The node is cordoned and uncordoned as by an admin, and our own program on it withdraws and
announces. It goes on forwarding what still reaches it, and keeps its conntrack table: a node that
is rebooted loses that, but the connections through it are lost by then.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tests.fabric import addresses, cluster, routers, waiting
from tests.longlived import held, resilient

ECHO_PORT = 7
CONNECTIONS = 120
AFTERWARDS = 30
"""New connections in the end, to see whether the node that returned is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A node has left and joined again."""

    node: str
    before: Mapping[str, int]
    """Connections by the node they led to, before it left."""
    left: held.Verdict
    joined: held.Verdict
    """Of as many connections, those lost on leaving having been opened again."""
    afterwards: Mapping[str, int]
    """New connections after the return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """A node has left, and was back after the hold-down of a second."""

    node: str
    before: Mapping[str, int]
    after: held.Verdict


class Group:
    """The resilient group of a router, kept by ``resilient`` beside its BGP daemon."""

    def __init__(self, router: routers.Router) -> None:
        self._router = router
        router.namespace.start_module(
            "tests.longlived.resilient", addresses.SERVICES, log=router.directory / "group.log"
        )

    def expect(self, hops: Collection[str]) -> None:
        """Wait until these are the next hops, and each has an eighth of the buckets or more.

        One that joins does not get its full share: buckets in use stay where they are.
        """

        def is_so() -> bool:
            buckets = self._buckets()
            numbers = {resilient.number(hop) for hop in hops}
            return set(buckets) == numbers and min(buckets.values()) >= resilient.BUCKETS // 8

        waiting.until(is_so, f"the resilient group has {sorted(hops)}")

    def _buckets(self) -> Mapping[int, int]:
        """Return how many buckets each next hop has, by its number."""
        rows = self._router.namespace.ip_json("nexthop", "bucket", "show")
        return collections.Counter(row["bucket"]["nhid"] for row in rows)


class Bed:
    """A cluster whose router hashes in one of the two ways, and who is announced in it."""

    def __init__(self, formed: cluster.Cluster, *, is_resilient: bool) -> None:
        self.cluster = formed
        self.names = [node.name for node in formed.fabric.nodes]
        self._group = Group(formed.fabric.routers[0]) if is_resilient else None
        self.expect(self.names)

    def expect(self, names: Collection[str]) -> None:
        """Wait until the router sends to exactly these nodes."""
        self.cluster.expect(services=names, pods=names)
        if self._group:
            self._group.expect([self.cluster.fabric.node(name).address for name in names])

    def hold(self, *, every: float = held.EVERY) -> held.Held:
        """Return connections to the echo service, none yet."""
        return held.Held(self.cluster.fabric.client, addresses.ECHO, ECHO_PORT, every=every)

    def leave(self, name: str) -> None:
        """Cordon a node and wait until the router has taken it out."""
        self.cluster.api.cordon(name)
        self.expect([other for other in self.names if other != name])

    def join(self, name: str) -> None:
        """Uncordon a node and wait until the router sends to it again."""
        self.cluster.api.cordon(name, is_cordoned=False)
        self.expect(self.names)
        if self._group:
            # Buckets that were idle for long enough go on moving for a while.
            time.sleep(resilient.IDLE_TIMER)


def leave_and_join(
    bed: Bed, name: str, *, every: float = held.EVERY, patience: float = waiting.LIMIT
) -> Change:
    """Let a node leave, judge, let it join, and judge again.

    Args:
        bed: where.
        name: the node.
        every: seconds between two lines on a connection.
        patience: seconds after which a connection is called silent while the node is away.
    """
    with bed.hold(every=every) as connections:
        connections.open(CONNECTIONS)
        before = connections.by_node()
        bed.leave(name)
        left = connections.judge(limit=patience)
        # The silent ones are still open, and may come back.
        connections.open(CONNECTIONS - sum(connections.by_node().values()))
        bed.join(name)
        joined = connections.judge()
    with bed.hold() as connections:
        connections.open(AFTERWARDS)
        afterwards = connections.by_node()
    return Change(node=name, before=before, left=left, joined=joined, afterwards=afterwards)


def flap(bed: Bed, name: str) -> Flap:
    """Let a node leave and join again at once, and judge only then."""
    with bed.hold() as connections:
        connections.open(CONNECTIONS)
        before = connections.by_node()
        bed.leave(name)
        bed.join(name)
        return Flap(node=name, before=before, after=connections.judge())
