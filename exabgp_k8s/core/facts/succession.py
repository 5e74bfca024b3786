"""A Node object that takes the place of one that was deleted.

kubelet registers its Node anew within seconds of its deletion, but the labels and addresses that
others put there come later. A session whose peer is selected by such a label must not close for
that. So for a while the new object inherits what it lacks. It inherits no pod range: that may
have been given to another node.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from exabgp_k8s.core.facts import model

INHERITED_FOR = 30.0
"""Seconds; as long as a deleted Node keeps its service ranges by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """The Node that was there before the present one, and until when it still counts."""

    before: model.NodeFacts
    until: float


def begin(known: model.NodeFacts | None, seen: model.NodeFacts, now: float) -> Succession | None:
    """Return the succession that a Node begins; None: it is the one that was known."""
    if known is None or known.uid in ("", seen.uid):
        return None
    return Succession(before=known, until=now + INHERITED_FOR)


def in_force(seen: model.NodeFacts, succession: Succession | None, now: float) -> model.NodeFacts:
    """Return the Node as it counts at a moment."""
    if succession is None or now >= succession.until:
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
