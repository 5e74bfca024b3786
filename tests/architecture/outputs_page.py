"""``docs/reference/outputs.md``: what the commands of inspection print, by these commands.

A sample that somebody typed is wrong after the next change of a word. So a node is put into a few
situations with the core's own functions, the agent's HTTP answers on a unix socket, and the
commands ask it as they do in a pod. ``python -m tests.architecture.outputs_page`` writes the page.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from click import testing

from exabgp_k8s.adapters import http, listening, metrics
from exabgp_k8s.agent import endpoints
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.cli import root, socket_client
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from tests.architecture import repository
from tests.support import builders

NAME = "docs/reference/outputs.md"
COLUMNS = "100"
INTRODUCTION = (
    "What the commands of inspection print, in four situations of one node. "
    "This page is made by the commands themselves (`python -m tests.architecture.outputs_page`), "
    "so it is what this version says. "
    "The words are explained in [Inspect the sessions](../how-to/inspect.md)."
)
LATER = 90.0
"""Seconds between what happened and the question."""


def _everything_up() -> World:
    check = dataclasses.replace(builders.a_check(), affects=frozenset({builders.SERVICES}))
    settings = builders.a_config(checks=(check,))
    return builders.a_serving_world(builders.outcome(is_ok=True), settings=settings)


def _then(*happened: events.Event) -> World:
    """Return what becomes of a node that was well, once ExaBGP has done all it was told."""
    return builders.obeyed(builders.after(_everything_up(), *happened))


def _a_router_away() -> World:
    return _then(builders.down(builders.TOR_B, "no answer"))


def _cordoned() -> World:
    return _then(events.NodeSeen(node=builders.a_node(is_unschedulable=True)))


def _unhealthy() -> World:
    return _then(builders.outcome(is_ok=False))


SITUATIONS = (
    (
        "All is well",
        "Two routers, both have everything. Exit code 0 everywhere.",
        _everything_up,
        (
            ["status"],
            ["sessions"],
            ["sessions", "tor-a"],
            ["routes"],
            ["checks"],
            ["why"],
            ["why", "10.96.0.10"],
        ),
    ),
    (
        "One router is away",
        "The other one has everything, so `status` and `why` are content; `sessions` is not.",
        _a_router_away,
        (["status"], ["sessions"], ["why", "10.96.0.0/16"]),
    ),
    (
        "The node is cordoned",
        "Somebody ran `kubectl cordon`. The exit code is 1, for it is not announced as usual.",
        _cordoned,
        (["status"], ["routes"], ["why", "10.96.0.0/16"]),
    ),
    (
        "kube-proxy has failed",
        "The check `affects: [services]`, so the pods' ranges stay.",
        _unhealthy,
        (["status"], ["checks"], ["why"]),
    ),
)


@contextlib.contextmanager
def _agent(world: World) -> Iterator[Path]:
    """Answer as the agent of this world does, on a socket in the folder that is yielded."""
    latest = Latest("node-3", lambda: builders.START + LATER)
    latest.turn = builders.turn(world, builders.START + LATER)
    server = http.Server(endpoints.readable(latest, cast("metrics.Metrics", None)))
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as folder:
        (bound,) = listening.on_unix(Path(folder) / socket_client.SOCKET)
        serving = loop.create_task(server.serve(bound))
        thread = threading.Thread(target=_until_cancelled, args=(loop, serving))
        thread.start()
        try:
            yield Path(folder)
        finally:
            loop.call_soon_threadsafe(serving.cancel)
            thread.join()
            loop.close()
            bound.close()


def _until_cancelled(loop: asyncio.AbstractEventLoop, serving: asyncio.Task[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(serving)


def _said(state_dir: Path, words: Sequence[str]) -> str:
    """Return a command with what it prints and how it ends."""
    arguments = [*words, "--state-dir", str(state_dir)]
    done = testing.CliRunner().invoke(root.main, arguments, env={"COLUMNS": COLUMNS})
    ending = f"$ echo $?\n{done.exit_code}\n" if done.exit_code else ""
    return f"$ exabgp-k8s {' '.join(words)}\n{done.output.rstrip()}\n{ending}"


def render() -> str:
    """Return the whole page."""
    parts = ["# Sample outputs", "", INTRODUCTION]
    for title, text, make, commands in SITUATIONS:
        parts += ["", f"## {title}", "", text]
        with _agent(make()) as state_dir:
            for words in commands:
                parts += ["", "```text", _said(state_dir, words).rstrip(), "```"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    (repository.ROOT / NAME).write_text(render(), encoding="utf-8")
