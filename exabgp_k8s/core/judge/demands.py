"""What each cause asks of each prefix class at a moment: the policy table, read.

The table itself is data (``config.DEFAULT_POLICY`` and the settings).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.core.facts.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one cause asks of one prefix class now, and when that changes by itself."""

    cause: model.Cause
    action: model.Action
    until: float | None = None


Demands = Mapping[model.PrefixClass, tuple[Demand, ...]]
"""By class, the causes of each in a stable order."""


def of_all(world: World, now: float) -> Demands:
    """Return what every standing cause asks of every class; nothing without settings."""
    settings = world.config
    if settings is None:
        return dict.fromkeys(model.PrefixClass, ())
    return {
        prefix_class: tuple(
            _demand(cause, since, prefix_class, settings, now)
            for cause, since in sorted(world.causes.items())
        )
        for prefix_class in model.PrefixClass
    }


def worst(found: Iterable[Demand]) -> model.Action:
    """Return the most severe action that is asked for."""
    return max(
        (each.action for each in found), key=model.SEVERITY.__getitem__, default=model.Action.KEEP
    )


def _demand(
    cause: model.Cause,
    since: float,
    prefix_class: model.PrefixClass,
    settings: config.Config,
    now: float,
) -> Demand:
    """Read one cell of the policy table at a moment.

    Before ``since + after`` the cell asks for nothing. A planned withdrawal may then be
    preceded by GRACEFUL_SHUTDOWN (RFC 8326 section 4) for the hold that the settings name.
    """
    cell = settings.policy.get((cause.reason, prefix_class))
    if cell is None or not affects(cause, prefix_class, settings):
        return Demand(cause=cause, action=model.Action.KEEP)
    begins = since + cell.after
    if now < begins and cell.action is not model.Action.KEEP:
        return Demand(cause=cause, action=model.Action.KEEP, until=begins)
    withdraws = begins + settings.graceful_shutdown
    is_planned_withdrawal = cause.reason in model.PLANNED and cell.action is model.Action.WITHDRAW
    if is_planned_withdrawal and now < withdraws:
        return Demand(cause=cause, action=model.Action.DEPRIORITISE, until=withdraws)
    return Demand(cause=cause, action=cell.action)


def affects(cause: model.Cause, prefix_class: model.PrefixClass, settings: config.Config) -> bool:
    """Return whether a cause concerns a class at all: a check names the classes it affects."""
    if cause.reason is not model.Reason.UNHEALTHY:
        return True
    return any(
        check.name == cause.detail and prefix_class in check.affects for check in settings.checks
    )
