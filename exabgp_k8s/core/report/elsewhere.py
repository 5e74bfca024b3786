"""Pods whose addresses lie outside of the announced ranges, in words.

The node announces ``spec.podCIDRs``, and its pods have other addresses: the network plugin does
not use them. What is announced leads nowhere then, or to another node's pods, and the pods that
are here cannot be reached. Nothing is withdrawn for it: some pods may still be covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World

ADVICE = "announce.pods.from says who else may name the node's ranges"


def interfaces(world: World) -> frozenset[str]:
    """Return the names of the interfaces that such pods are behind; no pod changes them."""
    return frozenset(world.pods_elsewhere)


def rows(world: World) -> list[Mapping[str, Any]]:
    """Return the warning as a plain row; none where all is well."""
    found = [(name, each) for name, there in world.pods_elsewhere.items() for each in there]
    if not found:
        return []
    name, address = found[0]
    ranges = ", ".join(str(each) for each in world.in_use.pod_cidrs)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    text = f"{address} behind {name}{more} outside of the announced {ranges}; {ADVICE}"
    return [{"cause": str(model.Reason.PODS_ELSEWHERE), "pods": len(found), "text": text}]


def sentence(world: World) -> str:
    """Return what is the same for as long as it is so, however pods come and go."""
    ranges = ", ".join(str(each) for each in world.in_use.pod_cidrs)
    names = ", ".join(sorted(interfaces(world)))
    return f"Pods behind {names} have addresses outside of the announced {ranges}; {ADVICE}"
