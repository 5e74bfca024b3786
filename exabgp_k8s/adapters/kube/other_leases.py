"""Asks what the other nodes' Leases say to a claim.

Up to ``budget.GROUP`` nodes that is one list of them all, and the count is exact. In a larger
cluster a mass failure would make that quadratic: five thousand nodes that each list five thousand.
So there the slots are divided among shards of nodes, a claim lists the claims of its own shard
only, and leaves off as soon as the verdict is clear.

Whoever may write a Lease may make it a thousand times as large as ours are. What is read at once
has a limit; a page that exceeds it is asked for again in parts, so that a large one costs requests
and not the budget.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client
from exabgp_k8s.core.facts import config
from exabgp_k8s.core.facts.budget import Count, Holding
from exabgp_k8s.core.judge import budget
from exabgp_k8s.wire import leases

PAGE = 512
"""Leases in one answer."""
PART = 8
"""By how much less is asked for when a page is too large; a single Lease never is."""
MOST_PAGES = 1000
"""Answers to one question: a list without an end is none."""


class Others:
    """The Leases of one namespace.

    Args:
        api: where to ask.
        path: of the collection.
        skew: by how many seconds the nodes' clocks may differ.
    """

    def __init__(self, api: client.Client, path: str, skew: float) -> None:
        self._api, self._path, self._skew = api, path, skew
        self._nodes: int | None = None
        """As of the last answer; None: not asked yet."""

    def count(self, mine: leases.Lease, settings: config.Budget) -> Count:
        """Return what stands against our claim.

        Raises:
            errors.KubeError: the API server could not be asked.
        """
        if self._nodes is None or self._nodes > budget.GROUP:
            # One object, and how many more there are: the same price at any size.
            self._nodes = self._page({"limit": "1"}).size
        if self._nodes > budget.GROUP:
            return self._of_my_shard(mine, settings, self._nodes)
        found = [each for page in self._pages(leases.of_everybody()) for each in page.leases]
        self._nodes = len(found)
        return budget.count(self._holdings(found), mine.node, mine.key, settings)

    def _of_my_shard(self, mine: leases.Lease, settings: config.Budget, nodes: int) -> Count:
        slots = budget.allowed(settings, nodes)
        among = budget.shards(slots)
        shard = leases.shard_of(mine.node) % among
        allowed, taken = budget.share(slots, shard, among), 0
        for page in self._pages(leases.of_claims(shard, among)):
            holdings = self._holdings(page.leases)
            taken += sum(budget.counts(each, mine.node, mine.key) for each in holdings)
            if taken >= allowed:
                break
        return Count(taken=taken, allowed=allowed, nodes=nodes)

    def _holdings(self, found: Iterable[leases.Lease]) -> list[Holding]:
        now = time.time()
        return [each.holding(now, self._skew) for each in found]

    def _pages(self, selector: str) -> Iterator[leases.Page]:
        query, size = {"labelSelector": selector}, PAGE
        for _ in range(MOST_PAGES):
            try:
                page = self._page({**query, "limit": str(size)})
            except errors.TooLarge:
                if size == 1:
                    raise
                size //= PART
                continue
            yield page
            if not page.rest:
                return
            query["continue"], size = page.rest, min(PAGE, size * PART)
        raise errors.KubeError("the list of Leases has no end")

    def _page(self, query: Mapping[str, str]) -> leases.Page:
        # Without a version: the answer is at least as new as what we have just written.
        return leases.parse_page(self._api.request("GET", self._path, query=query))
