"""A node's BGPSpeaker at an API server over HTTP: when it is written, and what a failure costs."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from exabgp_k8s.adapters.kube import attempts, client, publisher
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.tryout.kubeapi import api as answers
from exabgp_k8s.tryout.kubeapi import apiserver, exchange, store
from exabgp_k8s.wire import bgpspeaker
from tests.support import builders, kubeapi
from tests.support.builders import START, TOR_B, after
from tests.support.kubeapi import until

NODE = "node-3"
QUICK = publisher.Timings(
    gather=0.01, spread=0.05, minor=0.1, pauses=attempts.Pauses(first=0.05, longest_refused=0.1)
)
SERVING = builders.a_serving_world()
CORDONED = after(SERVING, events.NodeSeen(node=builders.a_node(is_unschedulable=True)))
DOWN = after(SERVING, builders.down(TOR_B))


class Node:
    """One node's publisher, fed with worlds by hand."""

    def __init__(self, api: client.Client, timings: publisher.Timings) -> None:
        self._turn, self._began = Turn(world=World()), time.monotonic()
        self.publisher = publisher.Publisher(
            api, lambda: (self._turn, self._now), digest=lambda: "d1", timings=timings
        )

    @property
    def _now(self) -> float:
        return START + time.monotonic() - self._began

    def is_in(self, world: World) -> None:
        """Take a turn over a world."""
        self._turn = builders.turn(world, self._now)
        self.publisher.note(self._turn)

    @property
    def problem(self) -> str:
        return str(self.publisher.report()["problem"])


@pytest.fixture
def server() -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi(nodes=[apiserver.node_object(NODE)], tls=False) as running:
        yield running


@pytest.fixture
def api(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> Iterator[client.Client]:
    (tmp_path / "kubeconfig").write_text(apiserver.kubeconfig(server))
    access = client.Access(kubeconfig=tmp_path / "kubeconfig", answer_timeout=2)
    with contextlib.closing(client.Client(access)) as opened:
        yield opened


@pytest.fixture
def nodes(api: client.Client) -> Iterator[Any]:
    """Makes a node with given timings; all end with the test."""
    made: list[Node] = []

    def make(timings: publisher.Timings = QUICK) -> Node:
        made.append(Node(api, timings))
        return made[-1]

    yield make
    for each in made:
        each.publisher.stop()


def status(server: kubeapi.KubeApi) -> dict[str, Any]:
    """Return what is published."""
    found: dict[str, Any] = server.speaker(NODE).get("status", {})
    return found


def announcing(server: kubeapi.KubeApi) -> str:
    """Return the condition that scripts wait for."""
    found = status(server).get("phase") and status(server)["conditions"][0]
    return str(found["status"]) if found else ""


def writes(server: kubeapi.KubeApi) -> list[exchange.Request]:
    """Return the writes of a status so far."""
    return [each for each in list(server.requests) if each.path.endswith("/status")]


def test_a_node_that_was_not_seen_costs_neither_a_request_nor_a_thread(
    server: kubeapi.KubeApi, nodes: Any
) -> None:
    before = set(threading.enumerate())

    nodes().is_in(World())

    # Of those before, some may end at any moment.
    assert set(threading.enumerate()) <= before
    assert not server.requests


def test_the_object_is_made_and_belongs_to_its_node(server: kubeapi.KubeApi, nodes: Any) -> None:
    nodes().is_in(SERVING)

    until(lambda: announcing(server) == "True")
    made = server.speaker(NODE)
    assert (made["apiVersion"], made["kind"]) == ("exabgp-k8s.io/v1alpha1", "BGPSpeaker")
    assert [each["uid"] for each in made["metadata"]["ownerReferences"]] == ["5b0f"]
    assert made["status"]["settings"]["digest"] == "d1"
    assert [each.method for each in server.requests] == ["GET", "POST", "PATCH"]


def test_what_says_nothing_new_is_not_written(server: kubeapi.KubeApi, nodes: Any) -> None:
    node = nodes()
    node.is_in(SERVING)
    until(lambda: len(writes(server)) == 1)

    for _ in range(30):
        node.is_in(SERVING)
        time.sleep(0.01)
    node.is_in(DOWN)

    until(lambda: status(server)["summary"]["sessions"] == "1/2")
    assert len(writes(server)) == 2


def test_a_planned_change_waits_for_nothing(server: kubeapi.KubeApi, nodes: Any) -> None:
    """What nobody planned may wait for an hour here; a cordon, and what follows, does not."""
    node = nodes(dataclasses.replace(QUICK, spread=0))
    node.is_in(SERVING)
    until(lambda: announcing(server) == "True")
    node.publisher._timings = dataclasses.replace(QUICK, spread=3600)

    node.is_in(CORDONED)
    until(lambda: status(server)["summary"].get("reason") == "cordoned")
    node.is_in(builders.obeyed(CORDONED))

    until(lambda: announcing(server) == "False")


def test_what_may_have_hit_all_nodes_is_spread(server: kubeapi.KubeApi, nodes: Any) -> None:
    """Drawn when it happens: a node that was quiet for long is not free of it."""
    node = nodes(dataclasses.replace(QUICK, spread=0))
    node.is_in(SERVING)
    until(lambda: len(writes(server)) == 1)
    node.publisher._timings = dataclasses.replace(QUICK, spread=3600)

    node.is_in(DOWN)
    node.is_in(DOWN)
    time.sleep(0.3)
    assert len(writes(server)) == 1

    node.is_in(after(DOWN, events.NodeSeen(node=builders.a_node(is_unschedulable=True))))
    until(lambda: status(server)["summary"]["sessions"] == "1/2")


def test_a_node_that_is_quiet_says_that_it_is_there(server: kubeapi.KubeApi, nodes: Any) -> None:
    nodes(dataclasses.replace(QUICK, heartbeat=0.1)).is_in(SERVING)

    until(lambda: len(writes(server)) >= 3)
    assert status(server)["lastContact"]


def test_more_changes_than_a_burst_wait_for_their_turn(
    server: kubeapi.KubeApi, nodes: Any
) -> None:
    """It can take longer than this, never less."""
    node = nodes(dataclasses.replace(QUICK, burst=2, interval=0.5))
    started = time.monotonic()

    for number in range(200):
        node.is_in((SERVING, DOWN)[number % 2])
        if len(writes(server)) >= 5:
            break
        time.sleep(0.02)

    until(lambda: len(writes(server)) >= 4)
    assert time.monotonic() - started >= 0.5 * (len(writes(server)) - 3)


def test_an_earlier_agents_moments_are_taken_over(server: kubeapi.KubeApi, nodes: Any) -> None:
    server.store.create(answers.BGP_SPEAKERS, dict(bgpspeaker.new(builders.a_node())))
    since = "2020-01-01T00:00:00Z"
    before = {"conditions": [{"type": "SettingsCurrent", "status": "True",
                              "lastTransitionTime": since}]}  # fmt: skip
    found = server.speaker(NODE)
    server.store.replace(answers.BGP_SPEAKERS, store.Scope(name=NODE), {**found, "status": before})

    nodes().is_in(SERVING)

    until(lambda: announcing(server) == "True")
    assert status(server)["conditions"][2]["lastTransitionTime"] == since


@pytest.mark.parametrize(
    "odd", [{"conditions": 7}, {"sessions": [1, 2]}, {"summary": "x"}, [], "x"], ids=str
)
def test_whatever_stands_in_the_object_it_is_written(
    odd: Any, server: kubeapi.KubeApi, nodes: Any
) -> None:
    made = dict(bgpspeaker.new(builders.a_node()))
    server.store.create(answers.BGP_SPEAKERS, {**made, "status": odd})

    nodes().is_in(SERVING)

    until(lambda: isinstance(status(server), dict) and announcing(server) == "True")


def test_an_object_that_somebody_deleted_is_made_anew(server: kubeapi.KubeApi, nodes: Any) -> None:
    node = nodes()
    node.is_in(SERVING)
    until(lambda: announcing(server) == "True")
    first = server.speaker(NODE)["metadata"]["uid"]
    server.store.delete(answers.BGP_SPEAKERS, store.Scope(name=NODE))

    node.is_in(DOWN)

    until(
        lambda: server.speaker(NODE).get("status", {}).get("summary", {}).get("sessions") == "1/2"
    )
    assert server.speaker(NODE)["metadata"]["uid"] != first


def test_a_node_that_was_registered_anew_is_the_owner(server: kubeapi.KubeApi, nodes: Any) -> None:
    node = nodes()
    node.is_in(SERVING)
    until(lambda: announcing(server) == "True")

    node.is_in(after(SERVING, events.NodeSeen(node=builders.a_node(uid="new"))))

    def owners() -> list[str]:
        return [each["uid"] for each in server.speaker(NODE)["metadata"]["ownerReferences"]]

    until(lambda: owners() == ["new"])


def test_an_owner_that_may_not_be_changed_costs_nothing_but_a_moment(
    server: kubeapi.KubeApi, nodes: Any
) -> None:
    """OpenShift asks for the right to delete. The object goes by itself, with its old owner."""
    node = nodes()
    node.is_in(SERVING)
    until(lambda: announcing(server) == "True")

    def is_strict(asked: exchange.Exchange) -> None:
        if asked.request_read.method == "PATCH" and not asked.path.endswith("/status"):
            raise store.StatusError(403, "Forbidden", "cannot set an ownerRef")
        apiserver.ApiServer.answer(server, asked)

    server.inject_always(is_strict, kubeapi.BGP_SPEAKERS)
    with structlog.testing.capture_logs() as lines:
        node.is_in(after(SERVING, events.NodeSeen(node=builders.a_node(uid="new"))))
        until(lambda: "the Node before this one" in node.problem)
        server.store.delete(answers.BGP_SPEAKERS, store.Scope(name=NODE))

        until(lambda: announcing(server) == "True")

    (owner,) = server.speaker(NODE)["metadata"]["ownerReferences"]
    assert owner["uid"] == "new"
    assert not lines


def test_the_object_of_a_node_that_is_gone_is_left_alone(
    server: kubeapi.KubeApi, nodes: Any
) -> None:
    """It goes with its Node; whoever made it anew would make it again and again."""
    node = nodes()
    node.is_in(SERVING)
    until(lambda: announcing(server) == "True")
    server.store.delete(answers.BGP_SPEAKERS, store.Scope(name=NODE))

    node.is_in(after(DOWN, events.NodeGone()))
    time.sleep(0.5)

    assert not server.speaker(NODE)


@pytest.mark.parametrize(("fault", "says"), [(403, "403"), (404, "404"), (422, "422")], ids=str)
def test_what_is_refused_costs_one_line_and_is_tried_again(
    fault: int, says: str, server: kubeapi.KubeApi, nodes: Any
) -> None:
    server.inject_always(kubeapi.status(fault), kubeapi.BGP_SPEAKERS)
    node = nodes(dataclasses.replace(QUICK, heartbeat=0.05))
    with structlog.testing.capture_logs() as lines:
        node.is_in(SERVING)
        until(lambda: server.count(kubeapi.BGP_SPEAKERS) > 5)
        assert says in node.problem
        server.heal()
        until(lambda: announcing(server) == "True")
        until(lambda: not node.problem)

    assert [(each["event"], each["log_level"]) for each in lines] == [
        ("bgpspeaker.refused", "warning"),
        ("bgpspeaker.written", "info"),
    ]


def test_a_status_that_is_never_found_is_a_refusal_and_not_asked_for_without_a_pause(
    server: kubeapi.KubeApi, nodes: Any
) -> None:
    """The object is there, and a definition without the status beside it answers 404 for ever."""
    server.inject_always(kubeapi.status(404), kubeapi.STATUS)
    node = nodes()

    node.is_in(SERVING)

    until(lambda: "404" in node.problem)
    time.sleep(0.3)
    assert len(writes(server)) == 2


def test_before_exabgp_was_asked_nothing_is_published_of_its_sessions(
    server: kubeapi.KubeApi, nodes: Any
) -> None:
    """A respawned agent would call sessions that stand lost, and their moments would go."""
    node = nodes()

    node.is_in(dataclasses.replace(CORDONED, neighbors_read_at=0))
    time.sleep(0.3)
    assert server.count(kubeapi.BGP_SPEAKERS) == 0
    node.is_in(CORDONED)

    until(lambda: bool(status(server)))


def test_a_refusal_is_not_asked_about_with_every_turn(server: kubeapi.KubeApi, nodes: Any) -> None:
    server.inject_always(kubeapi.status(403), kubeapi.BGP_SPEAKERS)
    node = nodes()
    node.is_in(SERVING)
    until(lambda: bool(node.problem))

    for number in range(20):
        node.is_in((SERVING, CORDONED)[number % 2])
        time.sleep(0.02)

    assert server.count(kubeapi.BGP_SPEAKERS) == 1


def test_a_server_that_asks_for_a_pause_gets_it(server: kubeapi.KubeApi, nodes: Any) -> None:
    """It can take longer than this, never less."""
    server.inject(kubeapi.status(429, "1"), kubeapi.BGP_SPEAKERS)
    node = nodes()
    asked = time.monotonic()
    node.is_in(SERVING)
    until(lambda: server.count(kubeapi.BGP_SPEAKERS) >= 1)
    node.is_in(CORDONED)

    until(lambda: announcing(server) == "True")

    assert time.monotonic() - asked >= 0.9


def test_a_server_that_is_away_is_no_line_in_the_log(server: kubeapi.KubeApi, nodes: Any) -> None:
    node = nodes()
    server.kill()
    with structlog.testing.capture_logs() as lines:
        node.is_in(SERVING)
        until(lambda: bool(node.problem))
        server.restart()
        until(lambda: announcing(server) == "True")

    assert not lines
