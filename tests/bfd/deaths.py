"""How long routers send to a dead node: from the cut until no kernel has a route of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bfd import beds
from tests.fabric import cluster

NODES, ROUNDS = 5, 4
"""Deaths of a case: their product, each seen by two routers."""
LIMIT = 120.0

CASES: Mapping[str, dict[str, Any]] = {
    "BFD 300 ms x 3, hold time 9 s": {"bfd": {"interval": "300ms"}, "holdTime": "9s"},
    "BFD 300 ms x 3, hold time 9 s, graceful restart 60 s": {
        "bfd": {"interval": "300ms"}, "holdTime": "9s", "gracefulRestart": "60s",
    },
    "hold time 3 s": {"holdTime": "3s"},
    "hold time 9 s": {"holdTime": "9s"},
}  # fmt: skip


@dataclass(slots=True)
class Deaths:
    """Seconds by the kind of router."""

    seconds: dict[str, list[float]] = field(default_factory=dict)


def measure(**peer: Any) -> Deaths:
    """Return what one case took."""
    found = Deaths()
    with beds.running(NODES, **peer) as (formed, engines):
        everybody = list(formed.agents)
        for _ in range(ROUNDS):
            for kind, seconds in _kill(formed):
                found.seconds.setdefault(kind, []).append(seconds)
            for node in formed.fabric.nodes:
                formed.fabric.switch.ip(f"link set {node.name} up")
            formed.expect(services=everybody, pods=everybody, limit=LIMIT)
            beds.await_up(formed, engines)
            # Keepalives and packets of all nodes spread out again.
            time.sleep(random.uniform(1, 3))
    return found


def _kill(formed: cluster.Cluster) -> Iterator[tuple[str, float]]:
    """Cut every node off, one shortly after the other, and yield how long each router took."""
    waiting, routers = dict[str, float](), formed.fabric.routers
    for node in formed.fabric.nodes:
        formed.fabric.switch.ip(f"link set {node.name} down")
        waiting[node.pod_cidr] = time.monotonic()
        time.sleep(random.uniform(0, 0.05))
    left = {(router.number, prefix) for router in routers for prefix in waiting}
    deadline = time.monotonic() + LIMIT
    while left and time.monotonic() < deadline:
        for router in routers:
            there, now = router.routes(), time.monotonic()
            for prefix in [each for number, each in left if number == router.number]:
                if prefix not in there:
                    left.remove((router.number, prefix))
                    yield router.kind.upper(), now - waiting[prefix]
        time.sleep(0.005)
    assert not left, f"still there after {LIMIT:g} s: {left}"
