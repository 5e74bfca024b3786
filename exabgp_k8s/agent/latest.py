"""The latest turn, for everybody who reads what was decided and takes no part in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn


class Latest:
    """Replaced by the loop with every turn; nobody else changes it.

    Args:
        node: the name of the Node that is looked for.
        clock: the present time in seconds; only differences mean anything.
    """

    def __init__(self, node: str, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.turned_at = clock()
        """When the turn was taken."""
        self.turn = Turn(world=World(started=self.turned_at, node_name=node))
        self.published: Callable[[], Mapping[str, Any]] = dict
        """What became of the node's own object; whoever publishes it says so."""
        self.history: Callable[[int, float | None], list[Any]] = lambda *_: []
        """The last decisions: so many at most, and no older than so many seconds."""
