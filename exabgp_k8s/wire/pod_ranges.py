"""What network plugins write about the pod ranges of a node, as ranges.

These objects may hold anything, as a Node may: what cannot be understood is left out and named,
and whether a range may be announced is decided elsewhere.

Sources: https://docs.cilium.io/en/stable/network/concepts/ipam/cluster-pool/ (CiliumNode,
``spec.ipam.podCIDRs``); libcalico-go/lib/apis/v3/blockaffinity.go and
libcalico-go/lib/backend/k8s/resources/affinity_block.go of projectcalico/calico.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.pod_ranges import MOST, PodSource, RangesSeen
from exabgp_k8s.wire import fields

CILIUM_NODES = "/apis/cilium.io/v2/ciliumnodes"
BLOCK_AFFINITIES = "/apis/crd.projectcalico.org/v1/blockaffinities"

_CONFIRMED = "confirmed"
"""The state of a block that is the node's; pending: it asks for it; pendingDeletion: it goes."""
_OF_A_HOST = ("", "host")
"""The type of an affinity to a node; others are for addresses of load balancers. Older ones have
none."""
_TRUE = (True, "1", "t", "T", "true", "TRUE", "True")
"""What Calico reads as true (Go's ``strconv.ParseBool``)."""
_PROBLEMS_KEPT = 20

Block = tuple[model.Network | None, str]
"""The range of a block that is its node's, and what is wrong with the object."""


def name_of(document: object) -> str:
    """Return the name of an object, empty where it has none."""
    match document:
        case {"metadata": {"name": str() as name}}:
            return name
        case _:
            return ""


def of_cilium(document: object) -> RangesSeen:
    """Return what a CiliumNode says."""
    read = fields.Reader()
    node = read.mapping(document, "the CiliumNode")
    spec = read.mapping(node.get("spec"), "spec")
    ipam = read.mapping(spec.get("ipam"), "spec.ipam")
    metadata = read.mapping(node.get("metadata"), "metadata")
    return _bounded(
        PodSource.CILIUM,
        read.networks(ipam.get("podCIDRs"), "spec.ipam.podCIDRs"),
        read.problems,
        owner=_owner(read, metadata.get("ownerReferences")),
    )


def _owner(read: fields.Reader, references: object) -> str:
    for path, item in read.items(references, "metadata.ownerReferences"):
        found = read.mapping(item, path)
        if found.get("kind") == "Node":
            return read.text(found.get("uid"), f"{path}.uid")
    return ""


def is_block_of(document: object, node: str) -> bool:
    """Return whether a BlockAffinity is about a node of this name."""
    match document:
        case {"spec": {"node": str() as name}}:
            return name == node
        case _:
            return False


def block(document: Any) -> Block:
    """Return the range of a block that is its node's; none, and what is wrong, where it is not.

    ``deleted`` is text in Calico's definition, for compatibility with releases that had it so.
    """
    read = fields.Reader()
    spec = read.mapping(document.get("spec"), "spec")
    metadata = read.mapping(document.get("metadata"), "metadata")
    is_going = spec.get("deleted") in _TRUE or "deletionTimestamp" in metadata
    if spec.get("state") != _CONFIRMED or is_going or spec.get("type", "") not in _OF_A_HOST:
        return None, ""
    found = read.networks([spec.get("cidr")], f"{name_of(document)}: spec.cidr")
    return next(iter(found), None), "; ".join(read.problems)


def of_calico(blocks: Iterable[Block]) -> RangesSeen:
    """Return what the blocks of a node say together."""
    every = list(blocks)
    ranges = sorted(
        {cidr for cidr, _ in every if cidr is not None},
        key=lambda each: (each.version, int(each.network_address), each.prefixlen),
    )
    return _bounded(PodSource.CALICO, tuple(ranges), [problem for _, problem in every if problem])


def _bounded(
    source: PodSource, cidrs: tuple[model.Network, ...], problems: list[str], *, owner: str = ""
) -> RangesSeen:
    found = problems[:_PROBLEMS_KEPT]
    if len(cidrs) > MOST:
        found.append(f"{len(cidrs)} ranges: the first {MOST} count")
    return RangesSeen(source=source, cidrs=cidrs[:MOST], owner=owner, problems=tuple(found))
