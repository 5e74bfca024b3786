"""The cluster at a glance: every node with what is known of it at one moment.

A Node without an object, and an object without a Node, are nodes too: that one of the two is
missing is what somebody has to be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exabgp_k8s.cluster import states
from exabgp_k8s.cluster.member import Member
from exabgp_k8s.cluster.speaker import Speaker

_PARTS = re.compile(r"([0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """All nodes, by their names, in the order in which people count."""

    at: float
    """The moment, in seconds since 1970."""
    nodes: Mapping[str, states.Standing]


def take(
    members: Iterable[Member | None],
    speakers: Iterable[Speaker | None],
    now: float,
    *,
    is_selected: bool = False,
) -> Glance:
    """Return what is known.

    Args:
        members: the Nodes; None is passed over, for an object without a name is none.
        speakers: the BGPSpeakers, likewise.
        now: the time, in seconds since 1970.
        is_selected: the Nodes are a part of the cluster, so an object without one says nothing.
    """
    nodes = {each.name: each for each in members if each is not None}
    said = {each.node: each for each in speakers if each is not None}
    names = nodes.keys() if is_selected else nodes.keys() | said.keys()
    return Glance(
        at=now,
        nodes={
            name: states.find(name, nodes.get(name), said.get(name), now)
            for name in sorted(names, key=place)
        },
    )


def place(name: str) -> tuple[tuple[int, str], ...]:
    """Return what sorts ``n2`` before ``n10``."""
    # Digits are compared by their number, without its zeros: int() refuses thousands of them.
    parts = ((each.lstrip("0") or "0") if each.isdigit() else each for each in _PARTS.split(name))
    return tuple((len(each) if each.isdigit() else -1, each) for each in parts)
