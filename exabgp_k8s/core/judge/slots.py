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

from exabgp_k8s.core.facts import budget, config, hysteresis, model
from exabgp_k8s.core.facts.world import BudgetView, World
from exabgp_k8s.core.judge import causes, rollout

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
        and causes.affects(cause, prefix_class, settings)
    )


def asked(world: World, prefix_class: model.PrefixClass, now: float) -> tuple[causes.Demand, ...]:
    """Return what every cause that concerns all peers asks of a class, as the budget allows."""
    found = _demands(world, prefix_class, now)
    permitted = permission(world, now)
    if permitted is Permission.FREE:
        return found
    in_force = world.membership.get(prefix_class, hysteresis.Membership()).action
    given = in_force if permitted is Permission.PENDING else model.Action.KEEP
    back = _held_back(world, prefix_class, now)
    return tuple(
        dataclasses.replace(each, action=given) if each.cause in back else each for each in found
    )


def _demands(
    world: World, prefix_class: model.PrefixClass, now: float
) -> tuple[causes.Demand, ...]:
    if world.config is None:
        return ()
    return causes.demands(rollout.common(world), prefix_class, world.config, now)


def _held_back(
    world: World, prefix_class: model.PrefixClass, now: float
) -> tuple[model.Cause, ...]:
    """Return the causes that would withdraw a class now and need a slot for it."""
    return tuple(
        each.cause
        for each in _demands(world, prefix_class, now)
        if each.action is model.Action.WITHDRAW
        and world.config is not None
        and is_covered(each.cause, prefix_class, world.config)
    )


def spared(
    world: World, actions: Mapping[model.PrefixClass, model.Action], now: float
) -> Mapping[model.PrefixClass, tuple[model.Cause, ...]]:
    """Return the classes announced although something covered would withdraw them, and why."""
    reason = SPARED.get(permission(world, now))
    if reason is None:
        return {}
    return {
        prefix_class: tuple(model.Cause(reason, str(cause)) for cause in found)
        for prefix_class, action in actions.items()
        if action is not model.Action.WITHDRAW and (found := _held_back(world, prefix_class, now))
    }


def is_pending(world: World, prefix_class: model.PrefixClass, now: float) -> bool:
    """Return whether a class waits for the budget's answer."""
    is_open = permission(world, now) is Permission.PENDING
    return is_open and bool(_held_back(world, prefix_class, now))


def settle(world: World, now: float) -> BudgetView:
    """Return the view with the standing that follows from the facts.

    A slot that is not needed any more is forgotten here before it is given back there: whatever
    happens next has to be granted anew.
    """
    standing = _standing(world, now)
    is_over = standing in {None, budget.Standing.IN, budget.Standing.EXCLUDED}
    # That the budget is exhausted is said of others, and stays true until they are asked again.
    is_known = world.budget.verdict is budget.Verdict.EXHAUSTED
    verdict = None if is_over and not is_known else world.budget.verdict
    return dataclasses.replace(world.budget, standing=standing, verdict=verdict)


def _standing(world: World, now: float) -> budget.Standing | None:
    if world.config is None or world.config.budget is None:
        return None
    found = [
        (each, is_covered(each.cause, name, world.config))
        for name in model.PrefixClass
        for each in _demands(world, name, now)
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
    is_undecided = any(causes.is_undecided(world, name) for name in model.PrefixClass)
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


def lost(world: World, problem: str) -> BudgetView:
    """Return the view after the Leases could not be asked.

    What they said of our claim before holds on: a slot is ours until we give it back, and one
    that others have is theirs.
    """
    is_open = world.budget.standing is budget.Standing.SLOT and world.budget.verdict is None
    verdict = budget.Verdict.UNREACHABLE if is_open else world.budget.verdict
    return dataclasses.replace(world.budget, problem=problem, verdict=verdict)


def seen(world: World, count: budget.Count | None) -> BudgetView:
    """Return the view after the Leases could be asked."""
    verdict = None if count is None else count.verdict
    return dataclasses.replace(world.budget, verdict=verdict, count=count, problem="")
