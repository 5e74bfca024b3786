"""The API server is away and something of ours starts again: what it said last still counts."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from exabgp_k8s.adapters import memory
from tests.support import processes
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path) as lab:
        lab.up()
        yield lab


@pytest.mark.fault(
    area="two at once",
    what="ExaBGP is killed while the API server is away",
    sees="the session closes, then comes back with every route",
    within="about 5 s",
)
def test_a_killed_exabgp_announces_again_without_the_api_server(lab: Lab) -> None:
    lab.api.stop()
    killed = lab.exabgp
    sessions = lab.log().count("session.established")

    killed.send_signal(signal.SIGKILL)
    until(lambda: processes.is_gone(killed))
    # The router may not have seen yet that the session before is lost.
    until(lambda: lab.log().count("session.established") > sessions, lab.state)

    lab.expect(lab.services, lab.pods)
    until(lambda: lab.json("status")["kubernetes"]["problem"], lab.state)


@pytest.mark.fault(
    area="two at once",
    what="the container ends and starts again while the API server is away",
    sees="the session closes, then comes back with every route",
    within="about 5 s after the start",
)
def test_a_container_that_starts_again_announces_without_the_api_server(lab: Lab) -> None:
    lab.api.stop()
    _end_the_container(lab)

    lab.up()


@pytest.mark.fault(
    area="two at once",
    what="a cordon while the container starts again and the API server is away",
    sees="the routes as they were, then the withdrawal when the API server is back",
    within="until the next attempt, 4 s at most",
)
def test_a_cordon_that_memory_does_not_know_is_seen_when_the_api_server_is_back(lab: Lab) -> None:
    lab.api.stop()
    lab.api.cordon(lab.name)
    _end_the_container(lab)
    lab.up()

    lab.api.start()

    lab.expect()


def test_memory_is_not_used_while_the_api_server_answers(lab: Lab) -> None:
    """A cordon made meanwhile comes first: the old state is never decided upon again."""
    _end_the_container(lab)
    lab.api.cordon(lab.name)
    before = len(lab.log())

    lab.start()
    until(lambda: lab.router.is_up, lab.state)
    until(
        lambda: [each["cause"] for each in lab.json("status")["causes"]] == ["cordoned"], lab.log
    )
    until(lambda: lab.services in lab.log()[before:], lab.log)

    assert '"routes": ["' not in lab.log()[before:]


def test_a_deleted_node_is_forgotten(lab: Lab) -> None:
    path = lab.state_dir / memory.FILE_NAME
    until(lambda: json.loads(path.read_text())["node"]["metadata"]["name"] == lab.name)

    lab.api.delete_node(lab.name)

    until(lambda: not path.exists())


def _end_the_container(lab: Lab) -> None:
    """End every process of it at once, as the kernel does when process 1 of it is killed."""
    assert lab.process is not None
    processes.kill_with_all_below(lab.process.pid)
    lab.process.wait(120)
    lab.expect()
