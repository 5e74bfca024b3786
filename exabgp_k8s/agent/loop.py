"""The loop: one thing out of the inbox, one turn over it, and the routers told first.

It decides nothing and repairs nothing. When the dialogue with ExaBGP breaks, the process ends:
ExaBGP starts another one, which reads the truth from ExaBGP's own table, and the routers see
nothing of it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from exabgp_k8s.adapters import heartbeat, memory
from exabgp_k8s.agent.conversation import Conversation
from exabgp_k8s.agent.inbox import Inbox, Item
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.agent.lookout import Lookout
from exabgp_k8s.core import quiet, step
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.plan.turn import Turn

TICK = 1.0
"""Seconds between two turns at the least: the sign of life, and the counters' polling."""

Follower = Callable[[Turn, Turn, float, float], None]
"""Is given the turn before, the latest one, when what led to it came in, and the time."""


class Loop:
    """Takes turns.

    Args:
        inbox: what there is to take a turn over.
        latest: where the turn is put.
        exabgp: whom it is told to.
        kept: what an earlier process knew.
        supervisor: whom the sign of life goes to.
        follow: does what else a turn asks for.
    """

    def __init__(  # noqa: PLR0913 - by name what it works on
        self,
        inbox: Inbox,
        latest: Latest,
        exabgp: Conversation,
        *,
        kept: memory.Memory,
        supervisor: heartbeat.Heartbeat,
        follow: Follower,
    ) -> None:
        self._inbox, self._latest, self._exabgp = inbox, latest, exabgp
        self._kept, self._supervisor, self._follow = kept, supervisor, follow
        self._lookout = Lookout()
        self._timer: asyncio.TimerHandle | None = None
        self._ticked_at = latest.clock()

    async def run(self) -> None:
        """Take turns until the dialogue breaks.

        Raises:
            DialogueError: ExaBGP's side of the pipe broke its rules.
        """
        self._inbox.put(events.Tick())
        while True:
            item, arrived = await self._inbox.next()
            now = self._latest.clock()
            if isinstance(item, events.Tick):
                self._ticked_at = now
            found = self._exabgp.heard(item) if isinstance(item, bytes) else (item,)
            self._take(found, _began(item, arrived), now)
            await self._exabgp.check_answer(now, self._inbox.is_empty)
            if self._exabgp.is_begun:
                # The supervisor's limit for the start is ExaBGP's as well.
                self._supervisor.beat(now)
            self._wake_at(self._next())
            self._inbox.done()

    def _take(self, found: tuple[events.Event, ...], arrived: float, now: float) -> None:
        """Observe what came in, decide once, and tell ExaBGP."""
        world = self._latest.turn.world
        seen = (each for event in found for each in self._lookout.before(event, world, now))
        found = (*seen, *found)
        found = (*found, *self._recall(found))
        before = self._latest.turn
        if (noted := quiet.noted(before, found, now)) is not None:
            self._latest.turn, self._latest.turned_at = noted, now
            return
        if not quiet.is_turn_due(world, found):
            return
        after = step.step(world, found, now)
        self._latest.turn, self._latest.turned_at = after, now
        # The routers first: everything else can wait for a millisecond.
        self._exabgp.tell(after, now)
        self._follow(before, after, arrived, now)

    def _recall(self, found: tuple[events.Event, ...]) -> tuple[events.Remembered, ...]:
        """Remember the Node when the API server does not answer and this process has not seen it.

        Only then: while it answers, a cordon of the meantime comes before the first announcement.
        """
        is_lost = any(isinstance(event, events.KubeLost) for event in found)
        if not is_lost or self._latest.turn.world.node is not None:
            return ()
        recalled = self._kept.recall()
        return () if recalled is None else (recalled,)

    def _next(self) -> float:
        # Counted from the last one: where something happens more often there would be none. At
        # whole seconds, as others who look once a second: a wake-up costs more than a look.
        tick = math.floor(self._ticked_at / TICK) * TICK + TICK
        moments = (tick, self._latest.turn.deadline, self._exabgp.deadline)
        return min(moment for moment in moments if moment is not None)

    def _wake_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment, self._inbox.put, events.Tick())


def _began(item: Item, arrived: float) -> float:
    """Return when what came in began: to check an edit of the settings takes a while."""
    if isinstance(item, events.ConfigLoaded) and item.found_at is not None:
        return item.found_at
    return arrived
