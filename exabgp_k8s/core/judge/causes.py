"""What speaks against announcing, and what each cause asks for at a moment.

A cause stands or does not; since when it stands is kept, because a cell of the policy table may
name a hold. The table itself is data (``config.DEFAULT_POLICY`` and the settings).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exabgp_k8s.core.facts import config, hysteresis, model
from exabgp_k8s.core.facts.world import World, is_stopping

OUT_OF_SERVICE_TAINTS = frozenset(
    {"node.kubernetes.io/out-of-service", "node.cloudprovider.kubernetes.io/shutdown"}
)
EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
"""Its presence counts, whatever the value: Karpenter writes its own name there."""

UNBEATABLE = frozenset({model.Reason.STOPPING, model.Reason.OPERATOR, model.Reason.NODE_DELETED})
"""Causes that the annotation ``announce: always`` does not lift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one cause asks of one prefix class now, and when that changes by itself."""

    cause: model.Cause
    action: model.Action
    until: float | None = None


def active(world: World) -> frozenset[model.Cause]:
    """Return every cause that stands, whatever the policy makes of it."""
    found = frozenset(_of_the_agent(world)) | frozenset(_of_the_checks(world))
    if world.is_node_gone and _was_there(world):
        found |= {model.Cause(model.Reason.NODE_DELETED)}
    if world.node is not None and world.config is not None:
        found |= frozenset(_of_the_node(world.node, world.config))
        if world.node.override is model.Override.ALWAYS and not world.is_node_gone:
            found = frozenset(cause for cause in found if cause.reason in UNBEATABLE)
    return found


def _was_there(world: World) -> bool:
    """Return whether there was a Node to be deleted: seen, or announced by an earlier agent.

    An agent that looks for a name no Node has is not told apart from one that is early.
    """
    is_held = any(held.routes for held in (world.rib or {}).values())
    return world.node is not None or is_held


def _of_the_agent(world: World) -> Iterator[model.Cause]:
    # A drain asked for before the stop still stands: the stop's own hold must not undo it.
    if world.is_drain_asked:
        yield model.Cause(model.Reason.OPERATOR, "drain")
    if is_stopping(world):
        yield model.Cause(model.Reason.STOPPING)


def _of_the_checks(world: World) -> Iterator[model.Cause]:
    for name, state in world.checks.items():
        if state.hysteresis.health is hysteresis.Health.DOWN:
            yield model.Cause(model.Reason.UNHEALTHY, name)


def _of_the_node(node: model.NodeFacts, settings: config.Config) -> Iterator[model.Cause]:
    if node.override is model.Override.NEVER:
        yield model.Cause(model.Reason.OPERATOR, "annotation")
    if node.is_unschedulable:
        yield model.Cause(model.Reason.CORDONED)
    if node.is_deleting:
        yield model.Cause(model.Reason.DRAINING, "deletion")
    if node.is_shutting_down:
        yield model.Cause(model.Reason.DRAINING, "shutdown")
    if EXCLUDE_LABEL in node.labels:
        yield model.Cause(model.Reason.EXCLUDED)
    yield from _of_the_taints(node, settings)


def _of_the_taints(node: model.NodeFacts, settings: config.Config) -> Iterator[model.Cause]:
    for taint in node.taints:
        if taint.key in OUT_OF_SERVICE_TAINTS:
            yield model.Cause(model.Reason.OUT_OF_SERVICE, taint.key)
        elif any(_is_meant(taint, wanted) for wanted in settings.drain_taints):
            yield model.Cause(model.Reason.DRAINING, taint.key)


def _is_meant(taint: model.Taint, wanted: model.Taint) -> bool:
    return taint.key == wanted.key and wanted.effect in ("", taint.effect)


def affects(cause: model.Cause, prefix_class: model.PrefixClass, settings: config.Config) -> bool:
    """Return whether a cause concerns a class at all: a check names the classes it affects."""
    if cause.reason is not model.Reason.UNHEALTHY:
        return True
    return any(
        check.name == cause.detail and prefix_class in check.affects for check in settings.checks
    )


def demand(
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


def demands(
    causes: Mapping[model.Cause, float],
    prefix_class: model.PrefixClass,
    settings: config.Config,
    now: float,
) -> tuple[Demand, ...]:
    """Return what every standing cause asks of a class, in a stable order."""
    return tuple(
        demand(cause, since, prefix_class, settings, now)
        for cause, since in sorted(causes.items())
    )


def worst(found: tuple[Demand, ...]) -> model.Action:
    """Return the most severe action that is asked for."""
    return max(
        (each.action for each in found), key=model.SEVERITY.__getitem__, default=model.Action.KEEP
    )


def is_undecided(world: World, prefix_class: model.PrefixClass) -> bool:
    """Return whether a check that affects the class has not come to a verdict yet."""
    if world.config is None:
        return True
    return any(
        prefix_class in check.affects and _health(world, check.name) is hysteresis.Health.UNKNOWN
        for check in world.config.checks
    )


def _health(world: World, name: str) -> hysteresis.Health:
    state = world.checks.get(name)
    return hysteresis.Health.UNKNOWN if state is None else state.hysteresis.health
