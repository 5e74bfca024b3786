"""What follows from the facts and the time alone, worked out once a turn.

``judge`` brings the world up to a moment, in the order in which one thing follows from another:
what is in use, which causes stand, what they ask for, what the outage budget allows of that, and
what is in force for each class after the hold-down. Everything that is decided afterwards reads
the judgement, so that a question has one answer in a turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.membership import Membership
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import (
    causes,
    demands,
    keeping,
    membership,
    pod_ranges,
    remnants,
    rollout,
    routers,
    slots,
    succession,
    verdicts,
)
from exabgp_k8s.core.judge.demands import Demands


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What speaks against each class, what is in force for it, and what it waits for."""

    actions: Mapping[model.PrefixClass, model.Action] = field(default_factory=dict)
    """What is in force at every peer."""
    demands: Demands = field(default_factory=dict)
    """What every standing cause asks for, the stop of a rollout included."""
    asked: Demands = field(default_factory=dict)
    """What of that concerns every peer, as the outage budget allows."""
    undecided: frozenset[model.PrefixClass] = frozenset()
    """Classes with a check that has not come to a verdict yet."""
    pending: frozenset[model.PrefixClass] = frozenset()
    """Classes that wait for the outage budget's answer."""
    spared: Mapping[model.PrefixClass, tuple[model.Cause, ...]] = field(default_factory=dict)
    """Classes announced although something speaks against them: the outage budget has no slot."""
    deadline: float | None = None
    """When the same facts are judged otherwise; None: only something new changes it."""


def judge(world: World, before: World, now: float) -> tuple[World, Judgement]:
    """Return the world brought up to a moment, and what follows from it.

    Args:
        world: what is known now.
        before: what was known at the latest turn; what has not changed since is kept.
        now: the present time.
    """
    world = succession.settle(world, now)
    world = pod_ranges.settle(keeping.settle(world, before, now), before)
    world = rollout.settle(causes.settle(world, now))
    found = demands.of_all(world, now)
    common = rollout.common(world, found)
    world = slots.settle(world, common)
    back, permitted = slots.held_back(world, common), slots.permission(world, now)
    asked = slots.allowed(world, common, back, permitted)
    was, world = world, membership.settle(world, asked, now)
    if world is not was:
        # A class that has just come back needs no slot any more.
        world = slots.settle(world, common)
    world = remnants.settle(world, now)
    actions = {each: world.membership.get(each, Membership()).action for each in model.PrefixClass}
    is_open = permitted is slots.Permission.PENDING
    return world, Judgement(
        actions=actions,
        demands=found,
        asked=asked,
        undecided=verdicts.undecided(world),
        pending=frozenset(each for each, causes in back.items() if causes and is_open),
        spared=slots.spared(back, actions, permitted),
        deadline=min((each for each in _moments(world, found) if each > now), default=None),
    )


def _moments(world: World, found: Demands) -> Iterator[float]:
    """Yield the moments at which the time alone changes something."""
    asked = (each.until for of_class in found.values() for each in of_class)
    held_down = (each.until for each in world.membership.values())
    yield from (until for until in (*asked, *held_down) if until is not None)
    yield from (at + keeping.LABELS_KEPT_FOR for at in world.in_use.away.values())
    used = world.in_use.routers.values()
    yield from (each.since + routers.MOVED_AFTER for each in used if each.other is not None)
    if world.succession is not None:
        yield world.succession.until
