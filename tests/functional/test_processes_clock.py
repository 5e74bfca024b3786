"""The node's clock is set while a session is up: ExaBGP must not see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults import Faults
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

HOUR = 3600.0


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Lab]:
    """A router that gives a session up after six seconds."""
    with Lab(tmp_path, router_options="hold time 6; keepalive time 1;") as lab:
        yield lab


@pytest.fixture
def faults(quick: Lab) -> Faults:
    """The faults of its ExaBGP; there are none yet."""
    found = Faults(quick.directory)
    found.set()
    quick.up(found.environment)
    return found


@pytest.mark.fault(
    area="control plane",
    what="the node's clock is set, an hour forwards or back",
    sees="nothing",
    within="0 s",
)
def test_a_clock_that_is_set_costs_no_session(quick: Lab, faults: Faults) -> None:
    """It costs one where ExaBGP runs by it, either way; otherwise a module of ours could go."""
    before = quick.router.history()

    for step in (HOUR, -HOUR):
        received = quick.json("sessions")[0]["messages_received"]
        faults.set(clock=step)
        # The router's keepalives count the seconds: the hold time is over.
        until(
            lambda received=received: (  # type: ignore[misc]
                quick.json("sessions")[0]["messages_received"] > received + 7
            ),
            quick.state,
        )
    assert quick.router.history() == before

    faults.set(is_bare=True)
    for step in (HOUR, -HOUR):
        # The router may not have seen yet that the session before this one is lost.
        until(
            lambda: _count(quick, "session.established") > _count(quick, "session.lost"), quick.log
        )
        lost = _count(quick, "session.lost")
        faults.set(clock=step, is_bare=True)
        # The log keeps it; the router itself may be up again before a look at it.
        until(lambda lost=lost: _count(quick, "session.lost") > lost, quick.state)  # type: ignore[misc]


def _count(lab: Lab, event: str) -> int:
    return lab.log().count(event)
