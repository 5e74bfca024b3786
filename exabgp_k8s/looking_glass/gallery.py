"""Always has the newest picture, and tells the open pages when there is another one.

Making a picture of thousands of nodes takes a good part of a second of computing. So it is made
beside the loop that answers, what changes together is told together, and the pause after each
picture is twice as long as it took: whatever happens in the cluster, we use a third of a core.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import structlog

from exabgp_k8s.adapters.kube import client, cluster
from exabgp_k8s.cluster import changes, glance, heard
from exabgp_k8s.looking_glass import live, picture

TOGETHER = 0.1
"""Seconds: a cordon changes a Node twice and then the BGPSpeaker."""
SHARE = 2.0
"""So many times as long as a picture took is the pause after it."""
AGEING = 15.0
"""Seconds after which there is another picture, though nothing was heard: silence is news."""
CHANGES = 500
"""So many of the latest changes are kept."""
SAID = 3
"""So many changes are said to somebody who listens to a page; of more, the number."""

log = structlog.get_logger()


class Gallery:
    """The newest picture.

    Args:
        access: how to reach the API server.
    """

    def __init__(self, access: client.Access) -> None:
        self.live = live.Live()
        self.newest: picture.Picture | None = None
        """None: the objects have not been read yet."""
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._changes: deque[Mapping[str, Any]] = deque(maxlen=CHANGES)
        self._problem = ""
        self._taken = time.monotonic()
        self._judged = heard.Judged()
        self.sources = cluster.Sources(access, self._wake)

    async def keep_up(self) -> None:
        """Take a picture whenever there is something new; until cancelled."""
        self.sources.start()
        try:
            while True:
                await self._something_new()
                began = time.monotonic()
                if self.sources.are_read:
                    said = await asyncio.to_thread(self._take)
                    if said is not None and self.newest is not None:
                        self.live.tell(self.newest.version, said)
                self._taken = time.monotonic()
                await asyncio.sleep(SHARE * (self._taken - began))
        finally:
            self.sources.stop()

    @property
    def is_alive(self) -> bool:
        """Whether pictures are still taken, and objects still read."""
        return self.sources.are_alive and time.monotonic() - self._taken < 10 * AGEING

    def _wake(self) -> None:
        # Called in the threads that read; the loop may be closed when the process ends.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _something_new(self) -> None:
        try:
            async with asyncio.timeout(AGEING):
                await self._changed.wait()
                await asyncio.sleep(TOGETHER)
        except TimeoutError:
            pass
        self._changed.clear()
        self._tell_problem()

    def _tell_problem(self) -> None:
        problem = self.sources.problem
        if problem and not self._problem:
            log.warning("kubernetes.lost", problem=problem, effect="the pages show what was known")
        elif self._problem and not problem:
            log.info("kubernetes.regained")
        self._problem = problem

    def _take(self) -> tuple[str, ...] | None:
        """Make a picture; return what to say of it, None: it shows nothing new."""
        members, speakers = self.sources.members.values(), self.sources.speakers.values()
        at = self._judged.at(time.time(), self.sources.heard)
        taken = glance.take(members.values(), speakers.values(), at)
        before = self.newest
        found = changes.between(before.taken, taken) if before else []
        self._changes.extendleft(found)
        is_new = (
            before is None
            or bool(found)
            or before.problem != self._problem
            or before.taken.nodes != taken.nodes
        )
        self.newest = picture.Picture(
            version=(before.version if before else 0) + is_new,
            taken=taken,
            changes=tuple(self._changes),
            problem=self._problem,
            heard=self.sources.heard,
        )
        if not is_new:
            return None
        texts = tuple(each["text"] for each in found[:SAID])
        return texts if len(found) <= SAID else (f"{len(found)} nodes have changed", *texts)
