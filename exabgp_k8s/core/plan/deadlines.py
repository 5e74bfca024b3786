"""When to take another turn although nothing happened: the same facts mean something else then."""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import lifecycle
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import remnants, rollout
from exabgp_k8s.core.judge.judgement import Judgement
from exabgp_k8s.core.plan import changes, drains, stages


def nearest(world: World, judgement: Judgement, decision: Decision, now: float) -> float | None:
    """Return the next such moment; None: there is none."""
    judged = () if judgement.deadline is None else (judgement.deadline,)
    moments = (
        *judged,
        *_of_the_drain(world, decision, now),
        *_of_exabgp(world),
        *stages.deadlines(world),
    )
    return min((moment for moment in moments if moment > now), default=None)


def _of_the_drain(world: World, decision: Decision, now: float) -> Iterator[float]:
    if world.phase is lifecycle.Phase.SETTLING:
        yield drains.settled_at(world, decision)
    yield from remnants.awaited(world, now).values()


def _of_exabgp(world: World) -> Iterator[float]:
    yield from (refusal.until for refusal in world.refusals.values())
    if not world.is_rib_current or rollout.is_unread(world):
        yield changes.reread_at(world)
    for held in (world.rib or {}).values():
        yield from (change.since + changes.OVERDUE for change in held.pending.values())
