"""One turn: an event comes in, the world, the decision and the commands come out.

This is the whole agent without its adapters; everything that carries bytes is outside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from exabgp_k8s.core.decide import changeover
from exabgp_k8s.core.decide.policy import Decision, decide
from exabgp_k8s.core.facts import commands, events, lifecycle, model
from exabgp_k8s.core.facts.world import PeerRib, World
from exabgp_k8s.core.judge import causes, remnants, rollout
from exabgp_k8s.core.observe import observe as observing
from exabgp_k8s.core.observe import ribs
from exabgp_k8s.core.plan import plan as planning


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one event led to."""

    world: World
    decision: Decision
    commands: tuple[commands.Command, ...]
    stage: tuple[model.Neighbor, ...] | None
    """What ExaBGP shall be configured with now, on the way to the decision's neighbors."""
    deadline: float | None
    """When to take another turn although nothing happened; None: not needed."""


def is_turn_due(world: World, found: Iterable[events.Event]) -> bool:
    """Return whether to take a turn over what came in; not for UPDATEs that say nothing new.

    A router may ask for its routes as often as it likes, and each answer is an UPDATE.
    """
    return any(
        not isinstance(event, events.UpdateSent)
        or ribs.is_news(
            (world.rib or {}).get(event.peer, PeerRib()), event.announced, event.withdrawn
        )
        for event in found
    )


def step(world: World, found: Iterable[events.Event], now: float) -> Turn:
    """Take one turn over what came in together; pure, so that a whole life can be replayed."""
    for event in found:
        world = observing.observe(world, event, now)
    world, decision = _change_over(world, now)
    world = _progress(world, decision, now)
    return Turn(
        world=world,
        decision=decision,
        commands=planning.plan(decision, world, now),
        stage=changeover.stage(world, decision.neighbors, decision.routes, now),
        deadline=_deadline(world, decision, now),
    )


def _change_over(world: World, now: float) -> tuple[World, Decision]:
    """Decide, and once more where that ends a session: it has no routes any longer then."""
    world = dataclasses.replace(world, remnants=remnants.standing(world, now))
    decision = decide(world, now)
    leaving = changeover.leaving(world, decision.neighbors, decision.routes, now)
    if leaving == world.leaving:
        return world, decision
    world = dataclasses.replace(world, leaving=leaving)
    return world, decide(world, now)


def _progress(world: World, decision: Decision, now: float) -> World:
    """Move a drain on: acknowledged, then settled. None of it changes what is decided."""
    if world.phase is lifecycle.Phase.SERVING:
        return world
    if not _is_out(world, decision, now):
        return observing.advance(world, lifecycle.Trigger.REOPENED, now)
    world = observing.advance(world, lifecycle.Trigger.ACKNOWLEDGED, now)
    if now >= settled_at(world, decision):
        world = observing.advance(world, lifecycle.Trigger.SETTLE_TIME_OVER, now)
    return world


def _is_out(world: World, decision: Decision, now: float) -> bool:
    """Return whether nothing more will be withdrawn because of the drain."""
    if world.config is None:
        return False
    if world.stop is lifecycle.Stop.ROLLOUT and rollout.is_unread(world):
        return False
    drain = {
        cause: since
        for cause, since in world.causes.items()
        if cause.reason in (model.Reason.STOPPING, model.Reason.OPERATOR)
    }
    if rollout.is_bridged_everywhere(world, decision.neighbors):
        drain = {}
    is_waiting = any(
        each.until is not None
        for prefix_class in model.PrefixClass
        for each in causes.demands(drain, prefix_class, world.config, now)
    )
    if remnants.awaited(world, now) or planning.owes_ends(decision, world, now):
        return False
    return not is_waiting and planning.is_withdrawn(decision, world, now)


def settled_at(world: World, decision: Decision) -> float:
    """Return when the settle time of a drain is over; what withdraws nothing has none."""
    is_needed = not rollout.is_bridged_everywhere(world, decision.neighbors)
    return world.phase_since + (world.config.settle if world.config and is_needed else 0)


def _deadline(world: World, decision: Decision, now: float) -> float | None:
    moments = [] if decision.deadline is None else [decision.deadline]
    if world.phase is lifecycle.Phase.SETTLING:
        moments.append(settled_at(world, decision))
    if not world.is_rib_current or rollout.is_unread(world):
        moments.append(planning.reread_at(world))
    moments += [*changeover.deadlines(world), *remnants.awaited(world, now).values()]
    moments += [
        change.since + planning.OVERDUE
        for held in (world.rib or {}).values()
        for change in held.pending.values()
    ]
    return min((moment for moment in moments if moment > now), default=None)
