"""How many nodes may be withdrawn at once, and who of those that ask is among them.

A wrong health check fails on every node in the same second. Were each to withdraw, the routers'
ECMP set would be empty and everything behind it gone: worse than what the check wanted to prevent.
So a node that wants to leave because of its health claims a *slot* first, and stays announced
where none is free. There is no coordinator; every node has one Lease that only it writes, and
anybody may read them all. The rule:

1. Write the claim into the own Lease. The version which that write got is the claim's *key*; it
   is kept, through renewals, until the claim is given back.
2. Then list the Leases, from the quorum. The claim is granted if fewer than the allowed number of
   others count against it: claims with a smaller key, and whatever is out for a planned reason.
3. Otherwise the claim stays where it is, which is its place in the queue, and the list is asked
   for again later. What was granted stays granted until it is given back.

**No more than allowed are ever granted.** Of all claims that are granted at a moment take the one
with the largest key. Every other was written before it, so before its own list was read, and has
not been given back since: a claim made anew gets a larger key. So that list contained them all,
and all of them counted; there were fewer of them than allowed. A planned node that turns into a
claim keeps its key, and counted before as it does after.

What is outside of that: Leases that ran out because their node could not renew them, see
``Holding.is_live``, and a list of a cluster that grows from one group into shards just then.

Keys are resource versions. Those of one resource are comparable as integers (Kubernetes 1.35:
https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions); with etcd they
always were.
"""

from __future__ import annotations

from collections.abc import Iterable

from exabgp_k8s.core.facts import config
from exabgp_k8s.core.facts.budget import Count, Holding, Standing

GROUP = 256
"""Up to so many nodes a claim looks at every Lease; beyond, at those of its own shard."""
SHARDS = 64
"""The most shards there are; a power of two, so that fewer are made of whole ones."""
SLOTS_PER_SHARD = 8
"""At least; a shard without a slot would mean nodes that may never leave."""


def allowed(settings: config.Budget, nodes: int) -> int:
    """Return how many of so many nodes may be out; a percentage is rounded up.

    As with a PodDisruptionBudget: 50 % of three nodes are two, and 1 % of three is one.
    """
    return -(-nodes * settings.amount // 100) if settings.is_percent else settings.amount


def counts(other: Holding, node: str, key: int) -> bool:
    """Return whether another node's Lease counts against the claim with this key."""
    if other.node == node or not other.is_live:
        return False
    is_before = other.standing is Standing.SLOT and other.key < key
    return is_before or other.standing is Standing.PLANNED


def is_node(each: Holding) -> bool:
    """Return whether a Lease is of a node that the budget is about."""
    return each.is_live and each.standing is not Standing.EXCLUDED


def count(found: Iterable[Holding], node: str, key: int, settings: config.Budget) -> Count:
    """Judge a claim by a list of every Lease."""
    found = tuple(found)
    nodes = sum(is_node(each) for each in found)
    return Count(
        taken=sum(counts(each, node, key) for each in found),
        allowed=allowed(settings, nodes),
        nodes=nodes,
    )


def shards(slots: int) -> int:
    """Return among how many shards the slots of a large cluster are divided: a power of two."""
    return 1 << max(0, min(SHARDS, slots // SLOTS_PER_SHARD).bit_length() - 1)


def share(slots: int, shard: int, among: int) -> int:
    """Return the slots of one shard; those of all shards are exactly the slots there are."""
    return slots * (shard + 1) // among - slots * shard // among
