"""What must not happen to the routers that a fault is not about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.fabric import cluster, fib, routers


@contextlib.contextmanager
def untouched(formed: cluster.Cluster, *others: routers.Router) -> Iterator[None]:
    """Assert of these routers that the block changes no route and ends no session of theirs.

    The routes are the kernel's messages, so that a flap shows; a session is its TCP connection,
    and what our own ``sessions`` counts.
    """
    before = [(router.connections(), _times_up(formed, router)) for router in others]
    with contextlib.ExitStack() as stack:
        watches = [stack.enter_context(fib.Watch(router)) for router in others]
        yield
    seen = [message for watch in watches for message in watch.messages]
    assert not seen, seen
    after = [(router.connections(), _times_up(formed, router)) for router in others]
    assert after == before, (before, after)


def _times_up(formed: cluster.Cluster, router: routers.Router) -> dict[str, int]:
    return {
        name: int(row["times_up"])
        for name, agent in formed.agents.items()
        if agent.answers()
        for row in agent.rows("sessions")
        if row["peer"] == f"r{router.number}"
    }
