"""One node's agent put together, without the adapters that only bring events in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from exabgp_k8s import restarts
from exabgp_k8s.adapters import bird, daemon, heartbeat, history, memory, metrics, speaker
from exabgp_k8s.adapters.checks import runner
from exabgp_k8s.agent.bfd import Beside
from exabgp_k8s.agent.conversation import Conversation
from exabgp_k8s.agent.draining import Draining
from exabgp_k8s.agent.errands import Cluster, Errands
from exabgp_k8s.agent.inbox import Inbox
from exabgp_k8s.agent.last_words import LastWords
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.agent.loop import Follower, Loop
from exabgp_k8s.agent.options import Options
from exabgp_k8s.agent.reconfiguring import Reconfiguring
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.plan.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The parts that others speak to."""

    inbox: Inbox
    latest: Latest
    draining: Draining
    metrics: metrics.Metrics
    supervisor: heartbeat.Heartbeat
    loop: Loop
    reconfiguring: Reconfiguring
    beside: Beside

    async def run(self) -> None:
        """Take turns and carry them out until the dialogue breaks.

        Raises:
            DialogueError: ExaBGP's side of the pipe broke its rules.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self.loop.run())
            group.create_task(self.reconfiguring.run())
            group.create_task(self.beside.run())


def put_together(  # noqa: PLR0913 - by name what it is put together of
    options: Options,
    inbox: Inbox,
    latest: Latest,
    *,
    cluster: Cluster,
    pipes: speaker.Speaker,
    exabgp: daemon.Daemon,
) -> Agent:
    """Return the agent; what is known from the beginning is in its inbox already."""
    kept = memory.Memory(options.state_dir, options.node)
    measured = _measured(options, latest)
    draining = Draining(options, inbox, latest)
    reconfiguring = Reconfiguring(exabgp, latest, inbox.put)
    beside = Beside(bird.Engine(options.bfd), latest, inbox.put)
    errands = Errands(
        options.node,
        cluster,
        kept=kept,
        last_words=LastWords(options),
        measured=measured,
        past=_past(options, latest),
        checks=runner.Runner(inbox.put),
    )
    follow = _following(errands, reconfiguring, draining, beside)

    supervisor = heartbeat.Heartbeat(options.state_dir)
    loop = Loop(
        inbox, latest, Conversation(pipes), kept=kept, supervisor=supervisor, follow=follow
    )
    _begin(inbox, kept, exabgp)
    return Agent(
        inbox=inbox,
        latest=latest,
        draining=draining,
        metrics=measured,
        supervisor=supervisor,
        loop=loop,
        reconfiguring=reconfiguring,
        beside=beside,
    )


def _following(
    errands: Errands, reconfiguring: Reconfiguring, draining: Draining, beside: Beside
) -> Follower:
    """Return what is done after each turn, in this order."""

    def follow(before: Turn, after: Turn, arrived: float, now: float) -> None:
        errands.run(before, after, arrived, now)
        reconfiguring.note(after)
        draining.note(after)
        beside.note(after)

    return follow


def _measured(options: Options, latest: Latest) -> metrics.Metrics:
    return metrics.Metrics(
        lambda: latest.turn, latest.clock, lambda: restarts.read(options.state_dir)
    )


def _past(options: Options, latest: Latest) -> history.History:
    """Return the history, and let whoever reads the latest turn read it."""
    loop = asyncio.get_running_loop()
    past = history.History(
        options.state_dir, lambda write: loop.call_later(history.WRITTEN_AFTER, write)
    )
    latest.history = lambda count, since: past.rows(latest.clock(), count, since)
    return past


def _begin(inbox: Inbox, kept: memory.Memory, exabgp: daemon.Daemon) -> None:
    """Put in what is known from the beginning."""
    if (used := kept.recall_use()) is not None:
        inbox.put(used)
    if exabgp.is_blank():
        # Known without asking, and before ExaBGP can be asked: so its first configuration is
        # decided upon while it starts.
        inbox.put(events.NeighborsRead(rows=()))
        inbox.put(events.RibRead(routes=()))
