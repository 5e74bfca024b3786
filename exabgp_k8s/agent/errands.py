"""What a turn asks for beside telling ExaBGP: notes, news, checks, and words to others.

All of it comes after the routers, and none of it decides anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exabgp_k8s.adapters import history, journal, memory, metrics
from exabgp_k8s.adapters.checks import runner
from exabgp_k8s.agent.last_words import LastWords
from exabgp_k8s.core.facts import budget, model
from exabgp_k8s.core.facts.pod_ranges import PodSource
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import pod_ranges, slots
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import notices
from exabgp_k8s.core.report.notice import Notice
from exabgp_k8s.core.report.told import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Whom a turn concerns at the API server."""

    look_again: Callable[[], None]
    """Read what is beside the Node: it is wanted now."""
    notify: Callable[[tuple[Notice, ...], model.NodeFacts], None]
    """Post Events on the Node."""
    watch_pod_ranges: Callable[[PodSource], None]
    """Have a network plugin's objects watched."""
    claim: Callable[[budget.Wish], None]
    """Have our Lease say this."""
    publish: Callable[[Turn], None]
    """Have our BGPSpeaker object say what is so now."""


def wants_service_cidrs(world: World) -> bool:
    """Return whether the service ranges come from the API."""
    return world.config is not None and world.config.service_cidrs is None


def wanted_pod_ranges(world: World) -> PodSource:
    """Return whose objects are to be watched for pod ranges; the Node is watched anyway."""
    has_pods = world.config is not None and bool(world.config.pods_within)
    return pod_ranges.source(world) if has_pods else PodSource.NODE


class Errands:
    """Done after every turn, in the order of their haste.

    Args:
        node: the name of our Node, where it has not been seen.
        cluster: who is told at the API server.
        kept: what outlives this process.
        last_words: what the routers are to read when the sessions end.
        measured: the metrics that need memory.
        past: what was decided last.
        checks: runs the checks of the settings.
    """

    def __init__(  # noqa: PLR0913 - by name whom it tells
        self,
        node: str,
        cluster: Cluster,
        *,
        kept: memory.Memory,
        last_words: LastWords,
        measured: metrics.Metrics,
        past: history.History,
        checks: runner.Runner,
    ) -> None:
        self._node, self._cluster = model.NodeFacts(name=node), cluster
        self._kept, self._last_words, self._measured = kept, last_words, measured
        self._checks, self._past = checks, past
        self._journal = journal.Journal()
        self._told = Told()

    def run(self, before: Turn, after: Turn, arrived: float, now: float) -> None:
        """Do what is to be done after a turn; ``arrived`` is when its event came in."""
        world = after.world
        self._cluster.claim(slots.wish(world))
        self._cluster.watch_pod_ranges(wanted_pod_ranges(world))
        self._kept.note(world)
        self._last_words.note(world)
        self._journal.note(before, after, now)
        self._measured.note(before, after, arrived, now)
        self._past.note(after, now)
        self._told, news = notices.tell(self._told, after)
        if news:
            self._cluster.notify(news, world.node or self._node)
        self._cluster.publish(after)
        if before.world.config is not world.config and wants_service_cidrs(world):
            self._cluster.look_again()
        self._checks.apply(world.config.checks if world.config else ())
