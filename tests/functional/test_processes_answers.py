"""ExaBGP answers late, wrongly, not at all, or spins; and what the router saw of each."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest

from tests.support.faults import Faults, is_alive
from tests.support.lab import Lab, until
from tests.support.processes import is_gone

pytestmark = pytest.mark.functional


@pytest.fixture
def faults(lab: Lab) -> Faults:
    """The faults of this lab's ExaBGP; there are none yet."""
    found = Faults(lab.directory)
    found.set()
    lab.up(found.environment)
    return found


def all_is_well_after(lab: Lab, agent: psutil.Process) -> Callable[[], bool]:
    """Return whether another agent serves in this one's stead."""
    return lambda: is_gone(agent) and lab.cli("status").returncode == 0


@pytest.mark.fault(
    area="our processes",
    what="an answer of ExaBGP to its agent is late, or an error",
    sees="nothing",
    within="0 s; unwatched for 5 s and the agent's start",
)
@pytest.mark.parametrize("fault", ["late", "error"])
def test_a_broken_dialogue_costs_the_routers_nothing(lab: Lab, faults: Faults, fault: str) -> None:
    """The agent asks for the table every five seconds, and refusing that is out of turn."""
    before = lab.router.history()
    agent = lab.agent

    faults.set(answers=[fault])
    until(faults.are_over, lab.state)
    until(all_is_well_after(lab, agent), lab.state)

    assert "dialogue.broken" in lab.log()
    assert lab.router.history() == before


@pytest.mark.fault(
    area="our processes",
    what="the answer to a withdrawal is lost or a false error",
    sees="the withdrawal",
    within="2 s",
)
@pytest.mark.parametrize("fault", ["drop", "error"])
def test_a_withdrawal_whose_answer_is_broken_is_a_withdrawal(
    lab: Lab, faults: Faults, fault: str
) -> None:
    since, announced, withdrawn = lab.router.history()

    lab.api.cordon(lab.name, True)
    faults.set(answers=[fault])
    lab.expect()
    until(faults.are_over, lab.state)
    until(lambda: lab.json("status")["phase"] == "serving", lab.state)
    lab.api.cordon(lab.name, False)
    lab.expect(lab.services, lab.pods)

    assert lab.router.history() == (since, announced + 2, withdrawn + 2)


@pytest.mark.fault(
    area="our processes",
    what="ExaBGP spins",
    sees="the session is lost when its hold time is over; it is back with its routes",
    within="13 s until ExaBGP is killed, 2 s until all is back",
)
def test_a_spinning_exabgp_is_killed_and_started_anew(lab: Lab, faults: Faults) -> None:
    """BIRD refuses a node whose hold timer expired for a minute, unless told otherwise."""
    spinning = lab.exabgp
    sessions = lab.log().count("session.established")

    faults.set(answers=["spin"])
    until(lambda: not is_alive(lab.state_dir), lab.state)
    until(lambda: is_gone(spinning), lab.state)
    # The router may not have seen yet that the session before is lost.
    until(lambda: lab.log().count("session.established") > sessions, lab.state)

    lab.expect(lab.services, lab.pods)
    lab.all_processes()
    assert "exabgp does not notice the agent's end" in lab.log()


@pytest.mark.long
@pytest.mark.fault(
    area="our processes",
    what="ExaBGP never answers, and does not after a new start either",
    sees="nothing for 16 s; then the session closes, and the routes are gone",
    within="28 s until the container ends",
)
def test_an_exabgp_that_never_answers_ends_the_container(lab: Lab, faults: Faults) -> None:
    first = lab.exabgp
    assert lab.process is not None

    faults.set(answers=["drop", "..."])

    assert lab.process.wait(120) == 1
    assert is_gone(first)
    lab.expect()
    assert "exabgp does not answer the agent" in lab.log()
