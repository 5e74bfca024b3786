"""What must not happen to the routers that a fault is not about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.fabric import cluster, fib, routers, waiting


@contextlib.contextmanager
def untouched(formed: cluster.Cluster, *others: routers.Router) -> Iterator[None]:
    """Assert of these routers that the block changes no route and ends no session of theirs.

    The routes are the kernel's messages, so that a flap shows; a session is its TCP connection,
    and what our own ``sessions`` counts.
    """
    # A router knows of a session, and has its routes, a moment before the agent.
    waiting.until(lambda: all(_is_known(formed, each) for each in others), "the agents know it")
    before = [(router.connections(), _times_up(formed, router)) for router in others]
    with contextlib.ExitStack() as stack:
        watches = [stack.enter_context(fib.Watch(router)) for router in others]
        yield
    seen = [message for watch in watches for message in watch.messages]
    assert not seen, seen
    after = [(router.connections(), _times_up(formed, router)) for router in others]
    assert after == before, (before, after)


def _is_known(formed: cluster.Cluster, router: routers.Router) -> bool:
    """Whether every agent says that its session is up, and that all has been sent."""
    return all(row["up"] and not row["unacknowledged"] for _, row in _rows(formed, router))


def _times_up(formed: cluster.Cluster, router: routers.Router) -> dict[str, int]:
    return {name: int(row["times_up"]) for name, row in _rows(formed, router)}


def _rows(formed: cluster.Cluster, router: routers.Router) -> list[tuple[str, dict[str, Any]]]:
    """Return our own row of the session with a router, of each node whose agent answers."""
    return [
        (name, row)
        for name, agent in formed.agents.items()
        if agent.answers()
        for row in agent.rows("sessions")
        if row["peer"] == f"r{router.number}"
    ]
