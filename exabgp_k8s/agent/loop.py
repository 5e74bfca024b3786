"""The agent: one inbox, one turn an event, and what a turn asks for carried out.

The loop itself decides nothing and repairs nothing. When the dialogue with ExaBGP breaks, the
process ends: ExaBGP starts another one, which reads the truth from ExaBGP's own table, and the
routers see nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from exabgp_k8s.adapters import (
    daemon,
    heartbeat,
    journal,
    memory,
    metrics,
    speaker,
)
from exabgp_k8s.adapters.checks import runner
from exabgp_k8s.agent import lookout, stop
from exabgp_k8s.agent.drainfile import DrainFile
from exabgp_k8s.agent.last_words import LastWords
from exabgp_k8s.agent.options import Options
from exabgp_k8s.core import step
from exabgp_k8s.core.decide import policy
from exabgp_k8s.core.facts import budget, events, hysteresis, lifecycle, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import slots
from exabgp_k8s.core.report import notices
from exabgp_k8s.errors import DialogueError
from exabgp_k8s.wire.dialogue import Dialogue

TICK = 1.0
"""Seconds between two turns at the least: the sign of life, and the counters' polling."""
RETRY_REFUSED = 30.0
"""Seconds until a configuration that ExaBGP refused is tried again unchanged."""
REPEAT = 2.0
"""Seconds until ExaBGP is told once more to read its configuration."""

log = structlog.get_logger()


class Agent:
    """One node's agent, without the adapters that only bring events in."""

    def __init__(  # noqa: PLR0913 - what it works on, and by name whom it tells
        self,
        options: Options,
        pipes: speaker.Speaker,
        exabgp: daemon.Daemon,
        *,
        look_again: Callable[[], None],
        notify: Callable[[tuple[notices.Notice, ...], model.NodeFacts], None],
        claim: Callable[[budget.Wish], None],
    ) -> None:
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[events.Event | bytes] = asyncio.Queue()
        self._pipes = pipes
        self._look_again = look_again
        self._notify = notify
        self._claim = claim
        self._told = notices.Told()
        self._journal = journal.Journal()
        self._dialogue = Dialogue()
        self._daemon = exabgp
        self.supervisor = heartbeat.Heartbeat(options.state_dir)
        self._drain_file = DrainFile(options.state_dir)
        self._last_words = LastWords(options)
        self._memory = memory.Memory(options.state_dir, options.node)
        self._checks = runner.Runner(self.deliver)
        self._timer: asyncio.TimerHandle | None = None
        self._drained = asyncio.Event()
        self._reconfigure = asyncio.Event()
        self._configuring = asyncio.Lock()
        self._ticked_at = float("-inf")
        self._lookout = lookout.Lookout()
        self.metrics = metrics.Metrics(lambda: self.turn, self.clock)
        started = World(started=self.clock(), node_name=options.node)
        self.turn = step.Turn(
            world=started,
            decision=policy.Decision(routes=None),
            commands=(),
            stage=None,
            deadline=None,
        )
        self.turned_at = self.clock()

    def clock(self) -> float:
        """Return the present time in seconds; only differences mean anything."""
        return self._loop.time()

    def deliver(self, event: events.Event) -> None:
        """Put an event into the inbox; to be called from the loop's own thread."""
        self._inbox.put_nowait(event)

    def deliver_from_thread(self, event: events.Event) -> None:
        """Put an event into the inbox from any thread."""
        self._enqueue_from_thread(event)

    def received(self, data: bytes) -> None:
        """Put bytes from ExaBGP into the inbox; called from the reader's thread."""
        self._enqueue_from_thread(data)

    def _enqueue_from_thread(self, item: events.Event | bytes) -> None:
        # The loop may be closing while a thread still has something to say.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, item)

    async def run(self) -> None:
        """Take turns until the dialogue breaks.

        Raises:
            DialogueError: ExaBGP's side of the pipe broke its rules.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._turns())
            group.create_task(self._configure())
            group.create_task(self._repeat_reloads())

    async def _turns(self) -> None:
        self.deliver(events.Tick())
        while True:
            item = await self._inbox.get()
            now = self.clock()
            if isinstance(item, events.Tick):
                self._ticked_at = now
            found = self._dialogue.receive(item) if isinstance(item, bytes) else (item,)
            self._take(found, now)
            await self._check_answer(now)
            self._act(now)
            self._inbox.task_done()

    async def _check_answer(self, now: float) -> None:
        """Give an answer up once all that ExaBGP has written was looked at, and not before.

        Where we were late ourselves, or ExaBGP had much to say, it may be there unread.
        """
        if not self._dialogue.is_late(now) or not self._pipes.is_read():
            return
        # What the reader has passed on comes into the inbox when the loop gets its turn.
        await asyncio.sleep(0)
        if self._inbox.empty():
            self._dialogue.give_up()

    def _take(self, found: tuple[events.Event, ...], now: float) -> None:
        """Observe what came in, decide once, and tell ExaBGP."""
        world = self.turn.world
        seen = (each for event in found for each in self._lookout.before(event, world, now))
        found = (*seen, *found)
        found = (*found, *self._recall(found))
        if not step.is_turn_due(self.turn.world, found):
            return
        before, self.turn = self.turn, step.step(self.turn.world, found, now)
        # The routers first: everything else can wait for a millisecond.
        self._tell(now)
        self._claim(slots.wish(self.turn.world))
        self._memory.note(self.turn.world)
        self._journal.note(before, self.turn, now)
        self.metrics.note(before, self.turn, now)
        self._told, news = notices.tell(self._told, self.turn)
        if news:
            node = self.turn.world.node or model.NodeFacts(name=self._options.node)
            self._notify(news, node)
        is_edited = before.world.config is not self.turn.world.config
        if is_edited and self.wants_service_cidrs():
            self._look_again()
        self.turned_at = now

    def _tell(self, now: float) -> None:
        """Tell ExaBGP the most urgent thing, unless an answer is under way."""
        if self.turn.commands and self._dialogue.is_idle:
            self._pipes.write(self._dialogue.send(self.turn.commands[0], now))

    def _recall(self, found: tuple[events.Event, ...]) -> tuple[events.Remembered, ...]:
        """Remember the Node when the API server does not answer and this process has not seen it.

        Only then: while it answers, a cordon of the meantime comes before the first announcement.
        """
        is_lost = any(isinstance(event, events.KubeLost) for event in found)
        if not is_lost or self.turn.world.node is not None:
            return ()
        recalled = self._memory.recall()
        return () if recalled is None else (recalled,)

    def _act(self, now: float) -> None:
        """Carry out what else the latest turn asks for."""
        world = self.turn.world
        if world.is_reload_lost:
            self._daemon.end()
            raise DialogueError("ExaBGP did not take its new configuration and is restarted")
        if self.turn.stage not in (None, world.neighbors):
            self._reconfigure.set()
        self._last_words.note(world)
        if world.phase is lifecycle.Phase.DRAINED:
            self._drained.set()
        else:
            self._drained.clear()
        self._checks.apply(world.config.checks if world.config else ())
        self.supervisor.beat(now)
        self._wake_at(self._next())

    def _next(self) -> float:
        # Counted from the last one: where something happens more often there would be none.
        moments = (self._ticked_at + TICK, self.turn.deadline, self._dialogue.deadline)
        return min(moment for moment in moments if moment is not None)

    def _wake_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(moment, self._inbox.put_nowait, events.Tick())

    async def _configure(self) -> None:
        """Bring ExaBGP's configuration to the latest stage, one change at a time."""
        taken: tuple[float, ...] = ()
        while True:
            await self._reconfigure.wait()
            await asyncio.sleep(hysteresis.pause(taken, self.clock()))
            self._reconfigure.clear()
            wanted = self.turn.stage
            if wanted is None or wanted == self.turn.world.neighbors:
                continue
            taken = hysteresis.noted(taken, self.clock())
            async with self._configuring:
                outcome = await self._daemon.configure(wanted)
            self.deliver(outcome)
            if isinstance(outcome, events.DaemonRefused):
                await self._until_changed(wanted)

    async def _until_changed(self, refused: tuple[model.Neighbor, ...]) -> None:
        """Wait: what ExaBGP refuses now it refuses in a second too, unless it changes."""
        for _ in range(round(RETRY_REFUSED / TICK)):
            if self.turn.stage != refused:
                return
            await asyncio.sleep(TICK)

    async def _repeat_reloads(self) -> None:
        """Tell ExaBGP again to read what it has not taken: it forgets that easily."""
        while True:
            await asyncio.sleep(REPEAT)
            async with self._configuring:
                world = self.turn.world
                if world.neighbors is not None and not world.is_rib_current:
                    self._daemon.reload()

    def wants_service_cidrs(self) -> bool:
        """Return whether the service ranges come from the API; asked by the reflector's thread."""
        settings = self.turn.world.config
        return settings is not None and settings.service_cidrs is None

    async def stop(self) -> None:
        """Ask for the drain of a pod that ends, or for less if it is only replaced."""
        is_rollout = await stop.is_rollout(self._options, self.turn)
        self._drained.clear()
        self.deliver(events.DrainAsked(is_stopping=True, is_rollout=is_rollout))

    def drain(self) -> None:
        """Ask for a drain, which outlives this process and the container."""
        self._drain_file.put()
        self._drained.clear()
        self.deliver(events.DrainAsked())

    def undrain(self) -> None:
        """Take the drain back."""
        self._drain_file.remove()
        self.deliver(events.UndrainAsked())

    def recall_use(self) -> None:
        """Go on with what an earlier agent used, before anything is decided."""
        recalled = self._memory.recall_use()
        if recalled is not None:
            self.deliver(recalled)

    def resume_drain(self) -> None:
        """Go on with a drain that an earlier agent was asked for."""
        if self._drain_file.is_there:
            self.deliver(events.DrainAsked())

    async def caught_up(self) -> None:
        """Return once everything in the inbox has been decided upon."""
        await self._inbox.join()

    async def wait_drained(self) -> None:
        """Return once every withdrawal is acknowledged and the settle time is over."""
        await self._drained.wait()
