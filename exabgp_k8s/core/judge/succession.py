"""A Node object that takes the place of one that was deleted.

kubelet registers its Node anew within seconds of its deletion, but the labels and addresses that
others put there come later. A session whose peer is selected by such a label must not close for
that. So for a while the new object inherits what it lacks. It inherits no pod range: that may
have been given to another node.
"""

from __future__ import annotations

import dataclasses

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.succession import Succession
from exabgp_k8s.core.facts.world import World


def settle(world: World, now: float) -> World:
    """Bring the Node in force up to a moment, and forget the one before when it is time."""
    if world.node_seen is None or world.succession is None:
        return world
    node = in_force(world.node_seen, world.succession, now)
    is_over = node is world.node_seen
    return dataclasses.replace(world, node=node, succession=None if is_over else world.succession)


def in_force(seen: model.NodeFacts, succession: Succession, now: float) -> model.NodeFacts:
    """Return the Node as it counts at a moment."""
    if now >= succession.until:
        return seen
    families = {model.family_of(address) for address in seen.internal_ips}
    inherited = tuple(
        address
        for address in succession.before.internal_ips
        if model.family_of(address) not in families
    )
    return dataclasses.replace(
        seen,
        labels={**succession.before.labels, **seen.labels},
        internal_ips=(*seen.internal_ips, *inherited),
    )
