"""Which ranges the pods of a node get their addresses from, as those say who give them out.

Kubernetes' own answer is ``spec.podCIDRs`` of the Node. A network plugin with an IPAM of its own
does not look at it and keeps objects of its own; then the Node's ranges lead elsewhere.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import model


class PodSource(enum.StrEnum):
    """Where the node's pod ranges are read."""

    NODE = "node"
    """``spec.podCIDRs`` of the Node."""
    CILIUM = "cilium"
    """``spec.ipam.podCIDRs`` of the CiliumNode of the same name (cilium.io/v2)."""
    CALICO = "calico"
    """The BlockAffinity objects of the node (crd.projectcalico.org/v1)."""


OBJECTS: Mapping[PodSource, str] = {
    PodSource.NODE: "the Node",
    PodSource.CILIUM: "the CiliumNode object",
    PodSource.CALICO: "Calico's block affinities",
}
"""How people call what is read there."""

MOST = 64
"""Ranges of one node. 500 pods need eight of Calico's usual /26; whoever writes thousands of
objects shall not fill the routers' tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangesSeen:
    """What a network plugin's objects say; no ranges: there is no object, or it names none."""

    source: PodSource
    cidrs: tuple[model.Network, ...] = ()
    owner: str = ""
    """The uid of the Node that the object belongs to; empty: it does not say."""
    problems: tuple[str, ...] = ()
    """What the objects hold that is of no use, in words for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangesLost:
    """A network plugin's objects cannot be read; nothing that was known changes."""

    source: PodSource
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodsSeen:
    """The addresses of pods that the host's network shows, by the interfaces' usual name."""

    addresses: Mapping[str, tuple[model.Address, ...]] = field(default_factory=dict)


Event = RangesSeen | RangesLost | PodsSeen
