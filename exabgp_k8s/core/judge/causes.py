"""What speaks against announcing, each cause with the time since when it stands.

Since when is kept, because a cell of the policy table may name a hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.core.facts.checks import Health
from exabgp_k8s.core.facts.world import World

OUT_OF_SERVICE_TAINTS = frozenset(
    {"node.kubernetes.io/out-of-service", "node.cloudprovider.kubernetes.io/shutdown"}
)
EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
"""Its presence counts, whatever the value: Karpenter writes its own name there."""

UNBEATABLE = frozenset({model.Reason.STOPPING, model.Reason.OPERATOR, model.Reason.NODE_DELETED})
"""Causes that the annotation ``announce: always`` does not lift."""


def settle(world: World, now: float) -> World:
    """Bring the causes that stand up to a moment."""
    standing = {cause: world.causes.get(cause, now) for cause in active(world)}
    return world if standing == world.causes else dataclasses.replace(world, causes=standing)


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
    return world.node is not None or bool(world.held)


def _of_the_agent(world: World) -> Iterator[model.Cause]:
    # A drain asked for before the stop still stands: the stop's own hold must not undo it.
    if world.is_drain_asked:
        yield model.Cause(model.Reason.OPERATOR, "drain")
    if world.is_stopping:
        yield model.Cause(model.Reason.STOPPING)


def _of_the_checks(world: World) -> Iterator[model.Cause]:
    for name, state in world.checks.items():
        if state.hysteresis.health is Health.DOWN:
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
