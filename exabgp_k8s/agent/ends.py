"""How this process ends: at once, and never before the right one knows of it.

An orderly end would wait for whoever still reads from us. There is nothing to put in order: the
routes are ExaBGP's, and the next agent reads them there.
"""

from __future__ import annotations

import asyncio
import os

import structlog

from exabgp_k8s.adapters import daemon
from exabgp_k8s.agent.parts import Agent
from exabgp_k8s.errors import DialogueError, Unanswered

ORPHAN_LIMIT = 20.0
"""Seconds that an agent without a supervisor gives the withdrawal before it ends ExaBGP."""

log = structlog.get_logger()


def with_exabgp() -> None:
    """ExaBGP is gone, and with it everything this process is for."""
    log.info("exabgp.gone", effect="the agent ends")
    os._exit(0)


async def on_broken_dialogue(agent: Agent, exabgp: daemon.Daemon) -> None:
    """Run the agent until ExaBGP and it do not understand each other any more.

    An ExaBGP that does not answer may not start the next agent either, and only the supervisor
    can find that out; where there is none, nobody can, and it ends with us.
    """
    try:
        await agent.run()
    except* DialogueError as group:
        error = group.exceptions[0]
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        log.error("dialogue.broken", why=str(error), effect="the agent starts anew")  # noqa: TRY400
        if isinstance(error, Unanswered) and not agent.supervisor.tell_unanswered():
            exabgp.kill()
        os._exit(1)


async def as_orphan(agent: Agent, exabgp: daemon.Daemon) -> None:
    """Withdraw everything and end ExaBGP when the supervisor is gone.

    Nobody would restart either of us, and nobody would ask us to withdraw.
    """
    await agent.supervisor.gone.wait()
    log.critical("supervisor.gone", effect="everything is withdrawn, and exabgp is ended")
    agent.draining.stop_for_good()
    await agent.inbox.caught_up()
    try:
        await asyncio.wait_for(agent.draining.wait(), ORPHAN_LIMIT)
    except TimeoutError:
        log.error("drain.late", effect="exabgp is ended all the same")  # noqa: TRY400
    exabgp.end()
