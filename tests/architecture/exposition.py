"""The metrics that the program serves, with their labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from exabgp_k8s.adapters import metrics
from exabgp_k8s.cluster import glance, measures
from exabgp_k8s.core import step
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World

TOTAL = {"counter": "_total"}
"""What Prometheus adds to a name, by type."""


def metrics_and_labels() -> Mapping[str, frozenset[str]]:
    """Return every metric's name, as Prometheus sees it, and its labels."""
    return {
        f"{name}{TOTAL.get(kind, '')}": frozenset(labels) for name, kind, labels in _families()
    }


def _families() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    turn = step.step(World(), (events.Tick(),), 0)
    served = metrics.Metrics(lambda: turn, lambda: 0.0)
    of_the_cluster = measures.families(glance.take([], [], 0))
    for family in itertools.chain(served.families(), of_the_cluster):
        yield family.name, family.type, tuple(family.labels)
