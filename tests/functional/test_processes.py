"""Crashes and hangs of our own processes, and what the router saw of each."""

from __future__ import annotations

import random
import re
import signal
import time

import psutil
import pytest

from tests.support import asking, processes
from tests.support.faults import fill, is_alive
from tests.support.lab import Lab, until
from tests.support.processes import is_gone

pytestmark = pytest.mark.functional

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"


def exclude(lab: Lab, *, is_excluded: bool) -> None:
    """Have the service range withdrawn or announced; the pod range stands."""
    labels = {EXCLUDE: "" if is_excluded else None}
    lab.api.patch_node(lab.name, {"metadata": {"labels": labels}})


def restarted(lab: Lab) -> set[tuple[str, str]]:
    """Return which processes were started anew, and why, by the metrics."""
    shown = asking.http(lab.http_port, "/metrics")[1]
    found = re.findall(r'restarts_total\{process="(\w+)",reason="(\w+)"\} [1-9]', shown)
    return set(found)


@pytest.mark.fault(
    area="our processes",
    what="the agent is killed at any moment of a withdrawal or an announcement",
    sees="that one change and no other: every other route stands, the session stays",
    within="2 s for the change",
)
@pytest.mark.parametrize("seed", [1, 2])
def test_an_agent_killed_at_any_moment_ends_at_the_right_routes(lab: Lab, seed: int) -> None:
    chance = random.Random(seed)
    lab.up()
    since, announced, withdrawn = lab.router.history()
    pods = lab.router.routes()[lab.pods]

    # ExaBGP starts no more than five in a minute.
    for number in range(4):
        is_excluded = number % 2 == 0
        agent = lab.agent
        exclude(lab, is_excluded=is_excluded)
        # From the event's arrival to the UPDATE's echo it takes a few milliseconds.
        time.sleep(chance.uniform(0, 0.03))
        agent.kill()
        until(lambda agent=agent: is_gone(agent), lab.state)  # type: ignore[misc]

        lab.expect(*([lab.pods] if is_excluded else [lab.services, lab.pods]))

    assert lab.router.history() == (since, announced + 2, withdrawn + 2)
    assert lab.router.routes()[lab.pods] == pods
    until(lambda: restarted(lab) >= {("agent", "ended")}, lab.state)


@pytest.mark.fault(
    area="our processes",
    what="ExaBGP is killed at any moment of a withdrawal or an announcement",
    sees="the session closes; it is back with the right routes",
    within="0.3 s and its start; later and later if it keeps ending, 10 s at most",
)
def test_an_exabgp_killed_at_any_moment_ends_at_the_right_routes(lab: Lab) -> None:
    chance = random.Random(1)
    lab.up()

    for number in range(3):
        is_excluded = number % 2 == 0
        exabgp = lab.exabgp
        sessions = _sessions(lab)
        exclude(lab, is_excluded=is_excluded)
        time.sleep(chance.uniform(0, 0.03))
        exabgp.kill()
        until(lambda exabgp=exabgp: is_gone(exabgp), lab.state)  # type: ignore[misc]
        # The router itself may not have seen yet that the session before is lost.
        until(lambda count=sessions: _sessions(lab) > count, lab.state)  # type: ignore[misc]

        lab.expect(*([lab.pods] if is_excluded else [lab.services, lab.pods]))
        lab.all_processes()
    until(lambda: restarted(lab) >= {("exabgp", "killed")}, lab.state)


@pytest.mark.fault(
    area="our processes",
    what="the agent crashes more than five times in a minute",
    sees="nothing five times; then the session closes and is back with its routes",
    within="0.3 s and ExaBGP's start",
)
def test_an_agent_that_crashes_too_often_is_started_with_a_new_exabgp(lab: Lab) -> None:
    lab.up()
    exabgp = lab.exabgp

    # The limit counts in windows of 64 s; twice the limit is over it wherever they begin.
    for _ in range(11):
        if is_gone(exabgp):
            break
        for agent in processes.children(exabgp):
            processes.kill(agent)
            until(lambda agent=agent: is_gone(agent), lab.state)  # type: ignore[misc]
        until(lambda: is_gone(exabgp) or len(processes.children(exabgp)) == 1, lab.state)

    until(lambda: is_gone(exabgp), lab.state)
    until(lambda: "Too many death" in lab.log(), lab.state)
    lab.expect(lab.services, lab.pods)
    lab.all_processes()


@pytest.mark.fault(
    area="our processes",
    what="ExaBGP is stopped (SIGSTOP)",
    sees="nothing: it is continued at once",
    within="0 s",
)
def test_a_stopped_exabgp_is_continued(lab: Lab) -> None:
    lab.up()
    before = lab.router.history()
    exabgp = lab.exabgp

    for count in (1, 2, 3):
        exabgp.suspend()
        until(lambda count=count: lab.log().count("exabgp.stopped") == count, lab.state)  # type: ignore[misc]
        until(lambda: processes.status(exabgp) != psutil.STATUS_STOPPED, lab.state)

    lab.api.cordon(lab.name, True)
    lab.expect()
    assert lab.router.history()[0] == before[0]


@pytest.mark.fault(
    area="our processes",
    what="the agent hangs (SIGSTOP)",
    sees="nothing",
    within="0 s; unwatched for 10 s and the agent's start",
)
@pytest.mark.fault(
    area="our processes",
    what="it hangs again within a minute, while ExaBGP has more to tell it than its pipe takes",
    sees="the session closes; it is back with the right routes",
    within="10 s until both are killed, 2 s until all is back",
)
def test_an_agent_that_hangs_twice_costs_a_session_and_no_more(lab: Lab) -> None:
    lab.up()
    before = lab.router.history()
    exabgp, hung = lab.exabgp, lab.agent

    hung.suspend()
    assert not is_alive(lab.state_dir)
    until(lambda: is_gone(hung), lab.state)
    until(lambda: is_alive(lab.state_dir), lab.state)
    assert lab.router.history() == before

    hung = lab.agent
    hung.suspend()
    with open(f"/proc/{hung.pid}/fd/0", "wb", buffering=0) as pipe:  # noqa: PTH123
        fill(pipe.fileno())
    # ExaBGP has to tell of a session that ends, and stands still itself from then on.
    lab.router.stop(signal.SIGKILL)
    lab.router.start()
    exclude(lab, is_excluded=True)

    until(lambda: is_gone(exabgp) and is_gone(hung), lab.state)
    lab.expect(lab.pods)
    assert '"action": "both killed"' in lab.log()
    until(lambda: restarted(lab) >= {("agent", "silent"), ("exabgp", "watchdog")}, lab.state)


@pytest.mark.fault(
    area="our processes",
    what="the supervisor is killed (outside of a container, where nothing else ends with it)",
    sees="everything withdrawn, then the end of the session; no process stays behind",
    within="5 s and the settle time",
)
def test_nothing_outlives_a_killed_supervisor(lab: Lab) -> None:
    """With graceful restart a router would keep the routes of a session that merely closes."""
    document = lab.document()
    document["peers"][0]["gracefulRestart"] = "120s"
    lab.write(document)
    lab.up()
    others = lab.all_processes()[1:]
    assert lab.process is not None

    lab.process.kill()
    lab.process.wait()
    until(lambda: all(is_gone(each) for each in others), lab.state)

    assert lab.router.routes() == {}


@pytest.mark.fault(
    area="our processes",
    what="the supervisor and the agent are killed at once",
    sees="everything withdrawn, then the end of the session; no process stays behind",
    within="7 s and the settle time",
)
def test_an_agent_that_never_had_a_supervisor_ends_as_well(lab: Lab) -> None:
    document = lab.document()
    document["peers"][0]["gracefulRestart"] = "120s"
    lab.write(document)
    lab.up()
    supervisor, exabgp, agent = lab.all_processes()

    supervisor.kill()
    agent.kill()
    assert lab.process is not None
    lab.process.wait()
    until(lambda: is_gone(exabgp), lab.state)

    assert lab.router.routes() == {}
    until(lambda: not any(_is_of(each, lab) for each in psutil.process_iter()), lab.state)


@pytest.mark.fault(
    area="our processes",
    what="ExaBGP and the agent are stopped by somebody while the pod is told to stop",
    sees="the withdrawal, then the end of the session",
    within="12 s and the settle time",
)
def test_a_stop_while_the_agent_hangs_still_withdraws_first(lab: Lab) -> None:
    document = lab.document()
    document["peers"][0]["gracefulRestart"] = "120s"
    lab.write(document)
    lab.up()
    _, exabgp, agent = lab.all_processes()
    assert lab.process is not None

    agent.suspend()
    exabgp.suspend()
    lab.process.send_signal(signal.SIGTERM)

    assert lab.process.wait(120) == 0
    assert lab.router.routes() == {}
    assert "withdrawn and settled" in lab.log()


def _sessions(lab: Lab) -> int:
    return lab.log().count("session.established")


def _is_of(process: psutil.Process, lab: Lab) -> bool:
    return processes.is_of(process, "EXABGP_K8S_STATE_DIR", lab.state_dir)
