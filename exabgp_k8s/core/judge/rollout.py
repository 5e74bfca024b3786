"""Two meanings of stopping: a drain, and a rollout of our own pod.

A pod that ends for good withdraws everything first. A pod that is replaced does not: a router with
which graceful restart was negotiated (RFC 4724) goes on forwarding until the successor has
announced everything and sent End-of-RIB. The other routers get their withdrawal as ever.

That is right only while the node itself stays. So a rollout turns into a drain, for all routers
and for good, as soon as something says that the node is being taken out. What merely withholds a
class, a failing check or the exclude label, stays withheld and changes nothing for the other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from exabgp_k8s.core.facts import config, lifecycle, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import demands

STOPPING = model.Cause(model.Reason.STOPPING)

TAKEN_OUT = frozenset(
    {
        model.Reason.CORDONED,
        model.Reason.DRAINING,
        model.Reason.OUT_OF_SERVICE,
        model.Reason.NODE_DELETED,
        model.Reason.OPERATOR,
    }
)
"""Causes that speak of the node's leaving; one that the policy keeps for every class is none."""


def settle(world: World) -> World:
    """Turn a rollout into a drain where the node does not stay."""
    if world.stop is lifecycle.Stop.ROLLOUT and not _stays(world):
        return dataclasses.replace(world, stop=lifecycle.Stop.DRAIN)
    return world


def _stays(world: World) -> bool:
    settings = world.config
    if settings is None or settings.is_rollout_drained:
        return False
    # Who has not seen the Node cannot know that it is not cordoned.
    if world.node is None or world.is_node_remembered:
        return False
    return not any(_is_leaving(cause, settings) for cause in world.causes)


def _is_leaving(cause: model.Cause, settings: config.Config) -> bool:
    cells = (settings.policy.get((cause.reason, each)) for each in model.PrefixClass)
    return cause.reason in TAKEN_OUT and any(
        cell is not None and cell.action is not model.Action.KEEP for cell in cells
    )


def common(world: World, found: demands.Demands) -> demands.Demands:
    """Return what concerns every peer: the stop of a rollout concerns some of them only."""
    if world.stop is not lifecycle.Stop.ROLLOUT:
        return found
    return {
        prefix_class: tuple(each for each in asked if each.cause != STOPPING)
        for prefix_class, asked in found.items()
    }


def action(
    world: World, neighbor: model.Neighbor, asked: Iterable[demands.Demand]
) -> model.Action:
    """Return what a rollout does to a class at one peer; anything else concerns every peer."""
    if world.stop is not lifecycle.Stop.ROLLOUT or is_bridged(world, neighbor):
        return model.Action.KEEP
    return demands.worst(each for each in asked if each.cause == STOPPING)


def is_bridged(world: World, neighbor: model.Neighbor) -> bool:
    """Return whether the peer keeps the routes of a speaker that is away.

    A session that is down counts as bridged: it can be told nothing, and what its router does was
    settled when it went down. Should it come up now, the routes and End-of-RIB are what it needs.
    """
    if neighbor.graceful_restart is None:
        return False
    session = world.sessions.get(neighbor.address)
    return session is None or not session.is_up or session.is_restartable is not False


def is_bridged_everywhere(world: World, neighbors: Iterable[model.Neighbor] | None) -> bool:
    """Return whether a rollout withdraws nothing from anybody."""
    is_rollout = world.stop is lifecycle.Stop.ROLLOUT
    return is_rollout and all(is_bridged(world, each) for each in neighbors or ())


def is_unread(world: World) -> bool:
    """Return whether a session is up and what its peer can do is still to be asked for."""
    return any(
        neighbor.graceful_restart is not None
        and world.is_up(neighbor.address)
        and world.sessions[neighbor.address].is_restartable is None
        for neighbor in world.neighbors or ()
    )
