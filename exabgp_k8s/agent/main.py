"""The agent's process: standard output claimed, adapters started, the loop run to its end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

import structlog

from exabgp_k8s import chain
from exabgp_k8s.adapters import daemon, files, http, listening, logs, speaker
from exabgp_k8s.adapters.kube import client, events, leases, pod_ranges, publisher, reflector
from exabgp_k8s.agent import endpoints, ends, errands
from exabgp_k8s.agent.errands import Cluster
from exabgp_k8s.agent.inbox import Inbox
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.agent.options import Options
from exabgp_k8s.agent.parts import put_together

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
    inbox = Inbox()
    latest = Latest(options.node, asyncio.get_running_loop().time)
    watched = files.Files(options.settings, options.password_dir, options.state_dir)
    cluster = _ask_the_api(options, inbox, latest, watched)
    exabgp = daemon.Daemon(options.state_dir, os.getppid(), is_there=lambda: pipes.is_heard)
    agent = put_together(options, inbox, latest, cluster=cluster, pipes=pipes, exabgp=exabgp)
    # Side by side with this process started a check of the settings, and ExaBGP.
    chain.wait_until_checked(options.state_dir)
    for event in watched.first():
        inbox.put(event)
    agent.draining.resume()
    pipes.start(inbox.put_from_thread, ends.with_exabgp)
    readable = endpoints.readable(latest, agent.metrics)
    shown = http.Server(readable)
    controlled = http.Server(
        {**readable, **endpoints.controlling(latest, agent.draining)},
        http.Limits(connections_of_one=64),
        reserve=RESERVE,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(ends.on_broken_dialogue(agent, exabgp))
        group.create_task(ends.as_orphan(agent, exabgp))
        group.create_task(watched.follow(inbox.put))
        group.create_task(_listen(controlled, lambda: listening.on_unix(options.socket)))
        group.create_task(
            _listen(shown, lambda: listening.on_tcp(options.http_host, options.http_port))
        )


def _ask_the_api(options: Options, inbox: Inbox, latest: Latest, settings: files.Files) -> Cluster:
    """Begin to watch the Node, and return whom else a turn concerns at the API server."""
    access = client.Access(kubeconfig=options.kubeconfig)
    found = client.whom(access, options.state_dir)
    api = client.Client(access, found)
    node = reflector.Reflector(
        api,
        options.node,
        inbox.put_from_thread,
        wants_service_cidrs=lambda: errands.wants_service_cidrs(latest.turn.world),
    )
    node.start()
    slots = leases.Leases(
        client.Client(leases.patient(access), found),
        options.node,
        options.namespace,
        deliver=inbox.put_from_thread,
    )
    ranges = pod_ranges.PodRanges(
        lambda: client.Client(access, found), options.node, inbox.put_from_thread
    )
    spoken = publisher.Publisher(
        client.Client(access, found),
        lambda: (latest.turn, latest.clock()),
        digest=lambda: settings.digest,
    )
    latest.published = spoken.report
    return Cluster(
        look_again=node.refresh,
        notify=events.Events(api).post,
        watch_pod_ranges=ranges.wanted,
        claim=slots.offer,
        publish=spoken.note,
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
