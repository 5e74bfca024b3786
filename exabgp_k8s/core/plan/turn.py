"""What one turn leads to: the world after it, and what there is to do."""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import commands, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge.judgement import Judgement
from exabgp_k8s.core.plan import changes, deadlines, drains, stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one event led to."""

    world: World
    judgement: Judgement = Judgement()
    decision: Decision = Decision()
    commands: tuple[commands.Command, ...] = ()
    """What is to be told to ExaBGP, most urgent first."""
    stage: tuple[model.Neighbor, ...] | None = None
    """What ExaBGP shall be configured with now, on the way to the decision's neighbors."""
    deadline: float | None = None
    """When to take another turn although nothing happened; None: not needed."""


def plan(world: World, judgement: Judgement, decision: Decision, now: float) -> Turn:
    """Return the turn that a decision makes: what is missing on the way to it."""
    world = drains.progress(world, judgement, decision, now)
    return Turn(
        world=world,
        judgement=judgement,
        decision=decision,
        commands=changes.find(decision, world, now),
        stage=stages.stage(world, decision.neighbors, now),
        deadline=deadlines.nearest(world, judgement, decision, now),
    )
