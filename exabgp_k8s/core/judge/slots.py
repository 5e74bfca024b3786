"""The outage budget's part in the decision: what a node may do, and what it tells the others.

A cause that the budget covers withdraws a class only on a slot. While the claim has no answer,
what stands stays. Whether one is needed is read from what is known now, never from how it came
about: a node that has just started and fails its checks asks like any other.

The claim is made at the first failure of a check and not at the last one that is needed, so that
the answer is there when the check is down: a slot costs the withdrawal no time.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from exabgp_k8s.core.facts import budget, config, model
from exabgp_k8s.core.facts.membership import Membership
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import demands, verdicts

AWAY = 10.0
"""Seconds after which an API server that cannot be asked is not waited for. A watch that breaks
and comes back must not decide, as it may do so on every node at once."""


class Permission(enum.Enum):
    """What the budget lets a node do."""

    FREE = enum.auto()
    """Withdraw."""
    PENDING = enum.auto()
    """Leave things as they are."""
    EXHAUSTED = enum.auto()
    UNREACHABLE = enum.auto()
    """Both: announce, and say why."""


SPARED = {
    Permission.EXHAUSTED: model.Reason.BUDGET_EXHAUSTED,
    Permission.UNREACHABLE: model.Reason.BUDGET_UNREACHABLE,
}


def permission(world: World, now: float) -> Permission:
    """Return whether a cause that needs a slot may withdraw."""
    settings = world.config.budget if world.config else None
    view = world.budget
    # A node that is out for a planned reason is counted already; more of it is no further outage.
    if settings is None or view.standing is budget.Standing.PLANNED:
        return Permission.FREE
    if view.verdict is budget.Verdict.GRANTED:
        return Permission.FREE
    if view.verdict is budget.Verdict.EXHAUSTED:
        return Permission.EXHAUSTED
    is_away = world.kube_lost is not None and now >= world.kube_lost + AWAY
    if view.verdict is None and not is_away:
        return Permission.PENDING
    is_kept = settings.without_api is config.WithoutApi.KEEP
    return Permission.UNREACHABLE if is_kept else Permission.FREE


def is_covered(
    cause: model.Cause, prefix_class: model.PrefixClass, settings: config.Config
) -> bool:
    """Return whether a cause needs a slot for what it does to a class.

    To deprioritise needs none: routers to which every node is the last resort use them all.
    """
    cell = settings.policy.get((cause.reason, prefix_class))
    return (
        settings.budget is not None
        and cause.reason in settings.budget.covers
        and cell is not None
        and cell.action is model.Action.WITHDRAW
        and demands.affects(cause, prefix_class, settings)
    )


def held_back(
    world: World, common: demands.Demands
) -> Mapping[model.PrefixClass, tuple[model.Cause, ...]]:
    """Return for each class the causes that would withdraw it now and need a slot for it."""
    settings = world.config
    if settings is None or settings.budget is None:
        return {}
    return {
        prefix_class: tuple(
            each.cause
            for each in asked
            if each.action is model.Action.WITHDRAW
            and is_covered(each.cause, prefix_class, settings)
        )
        for prefix_class, asked in common.items()
    }


def allowed(
    world: World,
    common: demands.Demands,
    back: Mapping[model.PrefixClass, tuple[model.Cause, ...]],
    permitted: Permission,
) -> demands.Demands:
    """Return what is asked of each class at every peer, as the budget allows."""
    if permitted is Permission.FREE or not back:
        return common
    return {
        prefix_class: tuple(
            dataclasses.replace(each, action=_given(world, prefix_class, permitted))
            if each.cause in back[prefix_class]
            else each
            for each in asked
        )
        for prefix_class, asked in common.items()
    }


def _given(world: World, prefix_class: model.PrefixClass, permitted: Permission) -> model.Action:
    """Return what a cause without a slot gets: nothing, or what is in force while it waits."""
    if permitted is Permission.PENDING:
        return world.membership.get(prefix_class, Membership()).action
    return model.Action.KEEP


def spared(
    back: Mapping[model.PrefixClass, tuple[model.Cause, ...]],
    actions: Mapping[model.PrefixClass, model.Action],
    permitted: Permission,
) -> Mapping[model.PrefixClass, tuple[model.Cause, ...]]:
    """Return the classes announced although something covered would withdraw them, and why."""
    reason = SPARED.get(permitted)
    if reason is None:
        return {}
    return {
        prefix_class: tuple(model.Cause(reason, str(cause)) for cause in found)
        for prefix_class, found in back.items()
        if found and actions[prefix_class] is not model.Action.WITHDRAW
    }


def settle(world: World, common: demands.Demands) -> World:
    """Bring our standing up to what follows from the facts.

    A slot that is not needed any more is forgotten here before it is given back there: whatever
    happens next has to be granted anew.
    """
    standing = _standing(world, common)
    is_over = standing in {None, budget.Standing.IN, budget.Standing.EXCLUDED}
    # That the budget is exhausted is said of others, and stays true until they are asked again.
    is_known = world.budget.verdict is budget.Verdict.EXHAUSTED
    verdict = None if is_over and not is_known else world.budget.verdict
    if (standing, verdict) == (world.budget.standing, world.budget.verdict):
        return world
    view = dataclasses.replace(world.budget, standing=standing, verdict=verdict)
    return dataclasses.replace(world, budget=view)


def _standing(world: World, common: demands.Demands) -> budget.Standing | None:
    if world.config is None or world.config.budget is None:
        return None
    found = [
        (each, is_covered(each.cause, name, world.config))
        for name, asked in common.items()
        for each in asked
    ]
    planned = {
        (each.action, each.cause.reason)
        for each, needs_slot in found
        if each.action is not model.Action.KEEP and not needs_slot
    }
    if any(
        action is model.Action.WITHDRAW and reason is not model.Reason.EXCLUDED
        for action, reason in planned
    ):
        return budget.Standing.PLANNED
    if any(needs_slot for _, needs_slot in found) or _is_failing(world, world.config):
        return budget.Standing.SLOT
    if planned:
        is_excluded = all(reason is model.Reason.EXCLUDED for _, reason in planned)
        return budget.Standing.EXCLUDED if is_excluded else budget.Standing.PLANNED
    # Until the checks have spoken after a restart, and while a hold-down keeps a class out.
    is_undecided = bool(verdicts.undecided(world))
    is_out = any(each.action is not model.Action.KEEP for each in world.membership.values())
    return world.budget.standing if is_undecided or is_out else budget.Standing.IN


def _is_failing(world: World, settings: config.Config) -> bool:
    """Return whether a check is on its way down that will need a slot."""
    if world.node is not None and world.node.override is model.Override.ALWAYS:
        return False
    return any(
        check.name in world.checks
        and world.checks[check.name].hysteresis.streak < 0
        and is_covered(model.Cause(model.Reason.UNHEALTHY, check.name), name, settings)
        for check in settings.checks
        for name in model.PrefixClass
    )


def wish(world: World) -> budget.Wish:
    """Return what the agent's own Lease shall say."""
    return budget.Wish(
        budget=world.config.budget if world.config else None,
        standing=world.budget.standing,
        uid=world.node.uid if world.node else "",
    )
