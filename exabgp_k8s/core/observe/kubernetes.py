"""What the API server says: of the Node, of the service ranges, and whether it answers at all."""

from __future__ import annotations

import dataclasses
from typing import assert_never

from exabgp_k8s.core.facts import events, model
from exabgp_k8s.core.facts.succession import Succession
from exabgp_k8s.core.facts.world import World

INHERITED_FOR = 30.0
"""Seconds; as long as a deleted Node keeps its service ranges by default."""

Said = (
    events.NodeSeen
    | events.NodeGone
    | events.KubeContact
    | events.KubeLost
    | events.ServiceCidrsSeen
    | events.Remembered
)


def observe(world: World, event: Said, now: float) -> World:
    """Return the world after an event from the API server, or from an earlier process's memory."""
    if isinstance(event, events.KubeLost):
        since = now if world.kube_lost is None and not event.is_ours else world.kube_lost
        return dataclasses.replace(world, kube_problem=event.problem, kube_lost=since)
    if isinstance(event, events.Remembered):
        return _remembered(world, event)
    world = dataclasses.replace(world, kube_contact=now, kube_problem="", kube_lost=None)
    match event:
        case events.NodeSeen():
            return _seen(world, event.node, now)
        case events.NodeGone():
            return dataclasses.replace(world, is_node_gone=True)
        case events.ServiceCidrsSeen():
            # Every cluster has one. An empty list is of an API server that is new, or wrong.
            cidrs = event.cidrs or world.service_cidrs or ()
            return dataclasses.replace(
                world, service_cidrs=cidrs, is_service_cidr_missing=cidrs != event.cidrs
            )
        case events.KubeContact():
            return (
                dataclasses.replace(world, api_servers=event.servers) if event.servers else world
            )
        case _:
            assert_never(event)


def _seen(world: World, node: model.NodeFacts, now: float) -> World:
    return dataclasses.replace(
        world,
        node=node,
        node_seen=node,
        succession=_begin(world.node, node, now) or world.succession,
        is_node_remembered=False,
        is_node_gone=False,
    )


def _remembered(world: World, event: events.Remembered) -> World:
    """Take an earlier process's word for what this one has not heard."""
    if world.node is not None or world.is_node_gone:
        return world
    return dataclasses.replace(
        world,
        node=event.node,
        node_seen=event.node,
        is_node_remembered=True,
        service_cidrs=event.service_cidrs if world.service_cidrs is None else world.service_cidrs,
    )


def _begin(known: model.NodeFacts | None, seen: model.NodeFacts, now: float) -> Succession | None:
    """Return the succession that a Node begins; None: it is the one that was known."""
    if known is None or known.uid in ("", seen.uid):
        return None
    return Succession(before=known, until=now + INHERITED_FOR)
