"""What the Leases say to our claim on the outage budget, or that they could not be asked."""

from __future__ import annotations

import dataclasses

from exabgp_k8s.core.facts import budget, events
from exabgp_k8s.core.facts.world import BudgetView, World


def observe(world: World, event: events.BudgetSeen | events.BudgetLost) -> World:
    """Return the world after the Leases were asked."""
    match event:
        case events.BudgetSeen():
            return dataclasses.replace(world, budget=_seen(world, event.count))
        case events.BudgetLost():
            return dataclasses.replace(world, budget=_lost(world, event.problem))


def _lost(world: World, problem: str) -> BudgetView:
    """Return the view after the Leases could not be asked.

    What they said of our claim before holds on: a slot is ours until we give it back, and one
    that others have is theirs.
    """
    is_open = world.budget.standing is budget.Standing.SLOT and world.budget.verdict is None
    verdict = budget.Verdict.UNREACHABLE if is_open else world.budget.verdict
    return dataclasses.replace(world.budget, problem=problem, verdict=verdict)


def _seen(world: World, count: budget.Count | None) -> BudgetView:
    """Return the view after the Leases could be asked."""
    verdict = None if count is None else count.verdict
    return dataclasses.replace(world.budget, verdict=verdict, count=count, problem="")
