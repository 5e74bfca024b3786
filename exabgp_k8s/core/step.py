"""One turn: an event comes in, the world, the decision and the commands come out.

This is the whole agent without its adapters; everything that carries bytes is outside.
"""

from __future__ import annotations

from collections.abc import Iterable

from exabgp_k8s.core.decide.decision import decide
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge.judgement import judge
from exabgp_k8s.core.observe.event import observe
from exabgp_k8s.core.plan.turn import Turn, plan


def step(before: World, found: Iterable[events.Event], now: float) -> Turn:
    """Take one turn over what came in together; pure, so that a whole life can be replayed."""
    world = before
    for event in found:
        world = observe(world, event, now)
    world, judgement = judge(world, before, now)
    world, decision = decide(world, judgement, now)
    return plan(world, judgement, decision, now)
