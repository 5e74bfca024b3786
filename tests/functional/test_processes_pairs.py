"""Two faults at once, the one of them in our own processes."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable

import pytest

from tests.support.lab import Lab, until
from tests.support.processes import is_gone

pytestmark = pytest.mark.functional

Fault = Callable[[Lab], None]


def kill_agent(lab: Lab) -> None:
    """Crash the agent."""
    lab.agent.kill()


def hang_agent(lab: Lab) -> None:
    """Stop the agent for good."""
    lab.agent.suspend()


def stop_exabgp(lab: Lab) -> None:
    """Stop ExaBGP until somebody continues it."""
    lab.exabgp.suspend()


def kill_exabgp(lab: Lab) -> None:
    """Crash ExaBGP."""
    lab.exabgp.kill()


def take_api_away(lab: Lab) -> None:
    """End the API server."""
    lab.api.stop()


def spoil_settings(lab: Lab) -> None:
    """Put settings in place that cannot be read."""
    lab.write("bgp: nonsense")


def fill_state_directory(lab: Lab) -> None:
    """Have the kernel refuse every byte that our processes write into a file."""
    for process in lab.all_processes():
        _, hard = process.rlimit(resource.RLIMIT_FSIZE)
        process.rlimit(resource.RLIMIT_FSIZE, (0, hard))


@pytest.mark.fault(
    area="two at once",
    what="the agent is killed, and one of these: ExaBGP is stopped, the API server is away, the "
    "state directory is full",
    sees="nothing",
    within="0 s",
)
@pytest.mark.parametrize(
    "both",
    [
        (stop_exabgp, kill_agent),
        (take_api_away, kill_agent),
        (fill_state_directory, kill_agent),
    ],
    ids=lambda both: "-and-".join(each.__name__ for each in both),
)
def test_with_the_agent_the_routers_see_nothing(lab: Lab, both: tuple[Fault, ...]) -> None:
    lab.up()
    before = lab.router.history(), lab.router.routes()
    agent = lab.agent

    for fault in both:
        fault(lab)
    until(lambda: is_gone(agent), lab.state)
    until(lambda: lab.cli("status").returncode == 0, lab.state)

    assert (lab.router.history(), lab.router.routes()) == before


@pytest.mark.fault(
    area="two at once",
    what="ExaBGP is killed, and one of these: the agent is killed, it hangs, the settings are bad",
    sees="the session closes; it is back with its routes",
    within="0.3 s and ExaBGP's start",
)
@pytest.mark.parametrize(
    "both",
    [
        (kill_agent, kill_exabgp),
        (hang_agent, kill_exabgp),
        (spoil_settings, kill_exabgp),
    ],
    ids=lambda both: "-and-".join(each.__name__ for each in both),
)
def test_with_exabgp_the_routes_come_back(lab: Lab, both: tuple[Fault, ...]) -> None:
    lab.up()
    _, exabgp, agent = lab.all_processes()
    sessions = lab.log().count("session.established")

    for fault in both:
        fault(lab)
    until(lambda: is_gone(exabgp) and is_gone(agent), lab.state)
    # The router may not have seen yet that the session before is lost.
    until(lambda: lab.log().count("session.established") > sessions, lab.state)

    lab.expect(lab.services, lab.pods)
    lab.all_processes()


@pytest.mark.fault(
    area="two at once",
    what="the router restarts while the agent is killed",
    sees="the session is back with its routes",
    within="5 s",
)
def test_a_router_that_restarts_meets_the_next_agent(lab: Lab) -> None:
    lab.up()
    agent = lab.agent

    lab.router.stop(signal.SIGKILL)
    agent.kill()
    lab.router.start()
    until(lambda: is_gone(agent), lab.state)

    lab.expect(lab.services, lab.pods)
