"""The cluster at one moment, as all pages show it until there is the next picture.

The rows are those of ``cluster``; here they are only counted, grouped and found by name. A picture
never changes, so any number of pages can be made of it at once.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from exabgp_k8s.cluster import glance, moments, routers, rows

Row = Mapping[str, Any]

_WORST, _ON_PURPOSE, _WELL = range(3)


class Picture:
    """What is known at one moment.

    Args:
        version: counts the pictures that differ.
        taken: the cluster.
        changes: the latest ones, newest first.
        problem: why the API server is not heard now; empty: it is.
        heard: when it was heard last, as Unix time; 0: never.
    """

    def __init__(
        self,
        *,
        version: int,
        taken: glance.Glance,
        changes: Sequence[Row] = (),
        problem: str = "",
        heard: float = 0,
    ) -> None:
        self.version, self.taken, self.changes = version, taken, changes
        self.problem, self.heard = problem, moment(heard) if heard else "never"
        self.moment = moment(taken.at)
        self.nodes: Sequence[Row] = sorted(rows.nodes(taken), key=_rank)
        self.routers: Mapping[str, Row] = {each["peer"]: each for each in routers.peers(taken)}

    @functools.cached_property
    def states(self) -> Mapping[tuple[str, str], int]:
        """How many nodes are in which state; with the tone of the state, in the table's order."""
        return Counter((row["state"], tone(row)) for row in self.nodes)

    @functools.cached_property
    def reasons(self) -> Mapping[str, int]:
        """How many nodes have which reason, without what it is about."""
        found = Counter(word for row in self.nodes for word in _words(row))
        return dict(sorted(found.items()))

    @functools.cached_property
    def prefixes(self) -> Mapping[str, Sequence[Row]]:
        """The routes by prefix: those of the services first."""
        found: dict[str, list[Row]] = {}
        for row in rows.routes(self.taken):
            if row["prefix"] is not None:
                found.setdefault(row["prefix"], []).append(row)
        order = sorted(
            found, key=lambda each: (found[each][0]["class"] != "services", glance.place(each))
        )
        return {each: found[each] for each in order}

    def peers_of(self, node: str) -> frozenset[str]:
        """Return the routers that a node has sessions with."""
        said = self.taken.nodes[node].speaker
        return frozenset(each.peer for each in said.sessions) if said else frozenset()

    def is_well(self, node: str) -> bool:
        """Say whether a node is as it should be."""
        return self.taken.nodes[node].is_well

    def age(self, since: str | None) -> str:
        """Return how long ago a moment was when the picture was taken."""
        return moments.age(since, self.taken.at)

    @property
    def ill(self) -> int:
        """How many nodes are not as they should be."""
        return sum(not row["is_well"] for row in self.nodes)

    @property
    def away(self) -> int:
        """How many nodes are out on purpose."""
        return sum(_rank(row) == _ON_PURPOSE for row in self.nodes)


def tone(row: Row) -> str:
    """Return how a node looks: the colour never says more than the words beside it."""
    if row["is_well"]:
        return "good" if row["state"] == "announcing" else "calm"
    return "warn" if row["state"] in _HALF else "bad"


def route_tone(route: Row, is_well: bool) -> str:
    """Return how a prefix of a node looks, by what its routers have been sent."""
    if not route["is_current"]:
        return "none"
    if route["sent"] and route["sent"] == route["meant"]:
        return "good"
    return "calm" if is_well else "warn" if route["sent"] else "bad"


_HALF = frozenset({"partly", "waiting", "deprioritised", "stale settings", "gone"})


def moment(at: float) -> str:
    """Return a time as the API writes it."""
    return dt.datetime.fromtimestamp(int(at), tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def has_reason(row: Row, word: str) -> bool:
    """Say whether a node has a reason, whatever it is about."""
    return word in _words(row)


def _words(row: Row) -> set[str]:
    return {each["reason"].partition(":")[0] for each in row["faults"] if each["reason"]}


def _rank(row: Row) -> int:
    if not row["is_well"]:
        return _WORST
    return _WELL if row["state"] == "announcing" and not row["faults"] else _ON_PURPOSE
