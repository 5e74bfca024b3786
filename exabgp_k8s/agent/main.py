"""The agent's process: standard output claimed, adapters started, the loop run to its end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

import structlog

from exabgp_k8s.adapters import daemon, files, http, listening, logs, speaker
from exabgp_k8s.adapters.kube import client, events, leases, reflector
from exabgp_k8s.agent import endpoints, ends
from exabgp_k8s.agent.loop import Agent
from exabgp_k8s.agent.options import Options

RETRY_LISTEN = 2.0
"""Seconds until a taken address is tried again: a predecessor may not have let go of it yet."""

RESERVE = 8
"""Descriptors kept for the unix socket: a drain must be possible where all others are in use."""

log = structlog.get_logger()


def run(options: Options) -> int:
    """Run as ExaBGP's process-API helper until ExaBGP ends; return the exit code."""
    sink = speaker.claim_stdout()
    logs.set_up(options.log_format)
    structlog.contextvars.bind_contextvars(node=options.node)
    asyncio.run(_run(options, speaker.Speaker(0, sink)))
    return 1


async def _run(options: Options, pipes: speaker.Speaker) -> None:
    exabgp = daemon.Daemon(options.state_dir, os.getppid())
    access = client.Access(kubeconfig=options.kubeconfig)
    found = client.whom(access, options.state_dir)
    api = client.Client(access, found)
    agent = Agent(
        options,
        pipes,
        exabgp,
        look_again=lambda: node.refresh(),  # noqa: PLW0108 - each of the two needs the other
        notify=events.Events(api).post,
        claim=lambda wish: slots.offer(wish),  # noqa: PLW0108 - as above
    )
    slots = leases.Leases(
        client.Client(leases.patient(access), found),
        options.node,
        options.namespace,
        deliver=agent.deliver_from_thread,
    )
    watched = files.Files(
        options.settings, options.password_dir, options.state_dir / files.LAST_GOOD
    )
    agent.recall_use()
    for event in watched.first():
        agent.deliver(event)
    agent.resume_drain()
    pipes.start(agent.received, ends.with_exabgp)
    node = reflector.Reflector(
        api,
        options.node,
        agent.deliver_from_thread,
        wants_service_cidrs=agent.wants_service_cidrs,
    )
    node.start()
    shown = http.Server(endpoints.readable(agent, agent.metrics))
    controlled = http.Server(
        {**endpoints.readable(agent, agent.metrics), **endpoints.controlling(agent)},
        http.Limits(connections_of_one=64),
        reserve=RESERVE,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(ends.on_broken_dialogue(agent, exabgp))
        group.create_task(ends.as_orphan(agent, exabgp))
        group.create_task(watched.follow(agent.deliver))
        group.create_task(_listen(controlled, lambda: listening.on_unix(options.socket)))
        group.create_task(
            _listen(shown, lambda: listening.on_tcp(options.http_host, options.http_port))
        )


async def _listen(server: http.Server, bind: Callable[[], tuple[socket.socket, ...]]) -> None:
    """Serve where we can listen; an address that is taken must not cost the routes."""
    while True:
        try:
            found = bind()
        except OSError as error:
            log.error("http.refused", why=str(error))  # noqa: TRY400
            await asyncio.sleep(RETRY_LISTEN)
            continue
        async with asyncio.TaskGroup() as group:
            for each in found:
                group.create_task(server.serve(each))
