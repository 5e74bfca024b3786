"""Which pod ranges this node has now, where they are named, and which pods are elsewhere.

What is in use goes on while the source of the ranges is silent, cannot be read, or names none: a
definition that is deleted would take the ranges of all nodes in the same minute. It ends by other
ranges in their place, as a block that Calico takes back while the node has another one; or by a
Node that is another object, for its range may have been given to another node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from exabgp_k8s.core.facts import model, pod_ranges
from exabgp_k8s.core.facts.pod_ranges import PodSource
from exabgp_k8s.core.facts.world import World


def source(world: World) -> PodSource:
    """Return where the ranges are read."""
    return PodSource.NODE if world.config is None else world.config.pods_from


def named(world: World) -> tuple[model.Network, ...] | None:
    """Return the ranges that the source names now; None: it has not said anything yet."""
    node = world.node_seen or world.node
    if source(world) is PodSource.NODE:
        return None if node is None else node.pod_cidrs
    said = world.plugin_ranges
    if said is None or said.source is not source(world):
        return None
    is_of_former_node = node is not None and said.owner not in ("", node.uid)
    return () if is_of_former_node else said.cidrs


def in_force(world: World, node: model.NodeFacts) -> tuple[model.Network, ...]:
    """Return the ranges that count, what goes on without being named included."""
    found, used = named(world), world.in_use
    is_same = node.uid != "" and node.uid == used.uid
    if not is_same:
        return found or ()
    if not found:
        return used.pod_cidrs
    # Kubernetes lets the Node's be set once: the same object cannot lose one.
    is_nodes = source(world) is used.pods_from is PodSource.NODE
    is_cut = is_nodes and set(found) < set(used.pod_cidrs)
    return used.pod_cidrs if is_cut else found


def named_by(world: World) -> PodSource:
    """Return who named the ranges that count."""
    return source(world) if named(world) else world.in_use.pods_from


def problem(world: World) -> str:
    """Return why the source cannot be read now; empty: it can, or nobody knows yet."""
    lost = world.plugin_ranges_lost
    return lost.problem if lost is not None and lost.source is source(world) else ""


def misunderstood(world: World) -> tuple[str, ...]:
    """Return what the Node and the source's objects hold that is of no use, in words."""
    said, node = world.plugin_ranges, world.node
    of_plugin = said.problems if said is not None and said.source is source(world) else ()
    return (*(node.problems if node else ()), *of_plugin)


def are_known(world: World) -> bool:
    """Return whether there is an answer, or one from before that goes on."""
    if world.config is None or not world.config.pods_within:
        return True
    return named(world) is not None or bool(world.in_use.pod_cidrs)


def settle(world: World, before: World) -> World:
    """Find the pods elsewhere, where anything that they depend on has changed."""
    is_same = (
        world.local_pods is before.local_pods
        and world.config is before.config
        and world.in_use.pod_cidrs == before.in_use.pod_cidrs
    )
    found = world.pods_elsewhere if is_same else _elsewhere(world)
    return world if found == world.pods_elsewhere else replace(world, pods_elsewhere=found)


def _elsewhere(world: World) -> Mapping[str, tuple[model.Address, ...]]:
    """Return the local pods whose addresses no announced range covers.

    Only with the Node's own ranges: where a plugin is asked, its pods and its objects come one
    after the other. And only of a family that the Node has a range of: nothing leads astray else.
    """
    ranges = world.in_use.pod_cidrs
    if world.config is None or not world.config.pods_within or source(world) is not PodSource.NODE:
        return {}
    families = {each.version for each in ranges}
    found = {
        name: tuple(
            each
            for each in addresses
            if each.version in families and not any(each in outer for outer in ranges)
        )
        for name, addresses in world.local_pods.items()
    }
    return {name: addresses for name, addresses in found.items() if addresses}


def unread(world: World) -> model.Cause:
    """Return why there is no range at all."""
    what = pod_ranges.OBJECTS[source(world)]
    if words := problem(world):
        return model.Cause(model.Reason.POD_RANGES_UNSEEN, words)
    if named(world) is None:
        return model.Cause(model.Reason.STARTING, f"{what} not seen yet")
    is_plugin = source(world) is not PodSource.NODE
    return model.Cause(model.Reason.NO_POD_CIDR, f"none named by {what}" if is_plugin else "")
