"""What network plugins say of the node's pod ranges, and what the host shows of its pods."""

from __future__ import annotations

import dataclasses
from typing import assert_never

from exabgp_k8s.core.facts import pod_ranges
from exabgp_k8s.core.facts.world import World


def observe(world: World, event: pod_ranges.Event) -> World:
    """Return the world after an event about pods' addresses."""
    if not isinstance(event, pod_ranges.PodsSeen) and _is_of_before(world, event.source):
        return world
    match event:
        case pod_ranges.RangesSeen():
            return dataclasses.replace(world, plugin_ranges=event, plugin_ranges_lost=None)
        case pod_ranges.RangesLost():
            return dataclasses.replace(world, plugin_ranges_lost=event)
        case pod_ranges.PodsSeen():
            return dataclasses.replace(world, local_pods=event.addresses)
        case _:
            assert_never(event)


def _is_of_before(world: World, source: pod_ranges.PodSource) -> bool:
    """Return whether the settings have another source by now; its last word comes late."""
    return world.config is not None and source is not world.config.pods_from
