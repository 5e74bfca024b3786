"""What the commands print about one node, in a few situations that the core's own functions make.

The agent's HTTP answers on a unix socket and the commands ask it, as they do in a pod.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from exabgp_k8s.adapters import history, listening, metrics
from exabgp_k8s.adapters import http as serving
from exabgp_k8s.agent import endpoints
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.cli import socket_client
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from tests.architecture import outputs
from tests.support import builders

LATER = 90.0
"""Seconds between what happened and the question."""
BEFORE = 600.0
"""Seconds that the node was well before it happened."""
MOMENT = 1795660000.0
"""2026-11-26 02:26:40 UTC, when it happened."""
Commands = Sequence[Sequence[str]]


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


SITUATIONS: tuple[tuple[str, str, Callable[[], World], Commands], ...] = (
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
            ["history"],
        ),
    ),
    (
        "One router is away",
        (
            "The other one has everything, so `status` and `why` are content; `sessions` is not. "
            "This node decided nothing anew, so `history` has no line of it."
        ),
        _a_router_away,
        (["status"], ["sessions"], ["sessions", "tor-b"], ["why", "10.96.0.0/16"], ["history"]),
    ),
    (
        "The node is cordoned",
        "Somebody ran `kubectl cordon`. The exit code is 1, for it is not announced as usual.",
        _cordoned,
        (["status"], ["routes"], ["why", "10.96.0.0/16"], ["history"]),
    ),
    (
        "kube-proxy has failed",
        "The check `affects: [services]`, so the pods' ranges stay.",
        _unhealthy,
        (["status"], ["checks"], ["why"], ["history", "--since", "5m"]),
    ),
)
FORMS: Commands = (["checks", "-o", "json"], ["why", "10.96.0.10", "-o", "yaml"])
PATHS: Mapping[str, str] = {
    "/": "",
    "/readyz": "",
    "/healthz": "",
    "/v1/why?prefix=10.96.0.0/16": "",
    "/metrics": "^exabgp_k8s_(session_up|withheld|route_announced|build_info)",
}
"""What is asked by HTTP, and which lines of the answer are shown: a pattern for grep."""


def sections() -> Iterator[outputs.Section]:
    """Yield what the commands print, situation by situation."""
    for title, text, make, commands in SITUATIONS:
        with _agent(make()) as state_dir:
            yield outputs.Section(
                title=title, text=text, said=[_said(state_dir, words) for words in commands]
            )
    with _agent(_unhealthy()) as state_dir:
        yield outputs.Section(
            title="For scripts",
            text="Every command of inspection has `-o json` and `-o yaml`; the same node as "
            "before, whose check has failed.",
            said=[_said(state_dir, words) for words in FORMS],
        )
        yield outputs.Section(
            title="By HTTP",
            text="What the node answers on port 9179, without any client of ours. "
            "The answers of `/v1/...` are the JSON of the command of the same name.",
            said=[_fetched(state_dir, path, lines) for path, lines in PATHS.items()],
        )


def _said(state_dir: Path, words: Sequence[str]) -> str:
    return outputs.said(words, hidden=["--state-dir", str(state_dir)])


class _OverSocket(http.client.HTTPConnection):
    """HTTP over the agent's unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("node")
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def _fetched(state_dir: Path, path: str, lines: str) -> str:
    """Return what curl shows of a path."""
    connection = _OverSocket(state_dir / socket_client.SOCKET)
    connection.request("GET", path)
    body = connection.getresponse().read().decode()
    connection.close()
    # The one moment of an answer that is the clock's of whoever runs this.
    body = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "2026-11-26 02:28:10 UTC", body)
    grep = f" | grep -E '{lines}'" if lines else ""
    kept = [line for line in body.splitlines() if re.search(lines, line)]
    return outputs.answered(f"curl -s '192.0.2.11:9179{path}'{grep}", "\n".join(kept))


@contextlib.contextmanager
def _agent(world: World) -> Iterator[Path]:
    """Answer as the agent of this world does, on a socket in the folder that is yielded."""
    now = builders.START + LATER
    latest = Latest("node-3", lambda: now)
    latest.turn = builders.turn(world, now)
    exposition = metrics.Metrics(lambda: latest.turn, latest.clock)
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as folder:
        past = _past(Path(folder), world)
        latest.history = lambda count, since: past.rows(now, count, since)
        server = serving.Server(endpoints.readable(latest, exposition))
        (bound,) = listening.on_unix(Path(folder) / socket_client.SOCKET)
        answering = loop.create_task(server.serve(bound))
        thread = threading.Thread(target=_until_cancelled, args=(loop, answering))
        thread.start()
        try:
            yield Path(folder)
        finally:
            loop.call_soon_threadsafe(answering.cancel)
            thread.join()
            loop.close()
            bound.close()


def _past(folder: Path, world: World) -> history.History:
    """Return the history of a node that was well for a while, and what became of it then."""
    moments = [MOMENT - BEFORE]
    past = history.History(folder, lambda write: write(), lambda: moments[-1])
    well = _everything_up()
    untold = {peer: dataclasses.replace(rib, routes={}) for peer, rib in (well.rib or {}).items()}
    began = builders.turn(dataclasses.replace(well, rib=untold))
    past.note(began, builders.START - BEFORE)
    past.note(builders.turn(well), builders.START - BEFORE)
    moments.append(MOMENT)
    past.note(builders.turn(world), builders.START)
    return past


def _until_cancelled(loop: asyncio.AbstractEventLoop, answering: asyncio.Task[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(answering)
