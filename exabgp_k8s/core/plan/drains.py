"""How far a drain is: whether all is withdrawn and acknowledged, and when it is settled."""

from __future__ import annotations

from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import lifecycle, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import remnants, rollout
from exabgp_k8s.core.judge.judgement import Judgement
from exabgp_k8s.core.observe.drains import Trigger, advance
from exabgp_k8s.core.plan import changes

OF_A_DRAIN = frozenset({model.Reason.STOPPING, model.Reason.OPERATOR})


def progress(world: World, judgement: Judgement, decision: Decision, now: float) -> World:
    """Move a drain on: acknowledged, then settled. None of it changes what is decided."""
    if world.phase is lifecycle.Phase.SERVING:
        return world
    if not _is_out(world, judgement, decision, now):
        return advance(world, Trigger.REOPENED, now)
    world = advance(world, Trigger.ACKNOWLEDGED, now)
    if now >= settled_at(world, decision):
        world = advance(world, Trigger.SETTLE_TIME_OVER, now)
    return world


def _is_out(world: World, judgement: Judgement, decision: Decision, now: float) -> bool:
    """Return whether nothing more will be withdrawn because of the drain."""
    if world.config is None:
        return False
    if world.stop is lifecycle.Stop.ROLLOUT and rollout.is_unread(world):
        return False
    if remnants.awaited(world, now) or changes.owes_ends(decision, world, now):
        return False
    if _is_waiting(judgement) and not rollout.is_bridged_everywhere(world, decision.neighbors):
        return False
    return changes.is_withdrawn(decision, world, now)


def _is_waiting(judgement: Judgement) -> bool:
    """Return whether the drain itself will ask for more after a time."""
    return any(
        each.until is not None and each.cause.reason in OF_A_DRAIN
        for asked in judgement.demands.values()
        for each in asked
    )


def settled_at(world: World, decision: Decision) -> float:
    """Return when the settle time of a drain is over; what withdraws nothing has none."""
    is_needed = not rollout.is_bridged_everywhere(world, decision.neighbors)
    return world.phase_since + (world.config.settle if world.config and is_needed else 0)
