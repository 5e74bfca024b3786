"""What is shown follows the objects, and says when nothing is heard of them."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from exabgp_k8s.wire import bgpspeaker
from tests.cluster import samples
from tests.looking_glass import bed
from tests.support import kubeapi

pytestmark = pytest.mark.functional


def events(shown: bed.Glass) -> Iterator[dict[str, Any]]:
    """Yield what open pages are told."""
    connection = http.client.HTTPConnection("127.0.0.1", shown.port, timeout=bed.LIMIT)
    connection.request("GET", "/live")
    answer = connection.getresponse()
    try:
        while line := answer.readline():
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))
    finally:
        answer.close()
        connection.close()


def test_open_pages_are_told_of_a_change_and_its_cause(alone: bed.Glass) -> None:
    told = events(alone)
    first = next(told)
    alone.publish(bed.heard([samples.cordoned(1)])[0])

    news = next(each for each in told if each["said"])

    assert news["version"] > first["version"]
    assert news["said"] == ["n1: announcing → withheld; cordoned"]
    assert alone.ask("/nodes/n1.json").rows["state"] == "withheld"


def test_changes_are_kept_with_their_causes(alone: bed.Glass) -> None:
    alone.publish(bed.heard([samples.refused(1)])[0])
    kubeapi.until(lambda: bool(alone.ask("/changes.json").rows), bed.LIMIT)

    (row,) = alone.ask("/changes.json").rows

    assert (row["node"], row["before"], row["after"]) == ("n1", "announcing", "sessions down")
    assert row["at"] == samples.HAPPENED
    assert "session tor-a: Established → Active; notification 2/2 (bad peer AS)" in row["details"]
    assert "10.96.0.0/16: announced → waiting" in row["details"]
    assert "→ Active; notification 2/2" in alone.ask("/changes").text


def test_a_heartbeat_is_no_news(alone: bed.Glass) -> None:
    told = events(alone)
    before = next(told)["version"]
    alone.update("n2", lastContact=bgpspeaker.moment(time.time()))
    alone.update("n1", version="0.2.0")

    assert next(told)["version"] == before + 1
    assert not alone.ask("/changes.json").rows


def test_nodes_come_and_go(alone: bed.Glass) -> None:
    alone.node_is("n6")
    kubeapi.until(lambda: alone.ask("/nodes/n6").status == 200, bed.LIMIT)
    assert alone.ask("/nodes/n6.json").rows["state"] == "no speaker"

    alone.server.delete_node("n6")
    kubeapi.until(lambda: alone.ask("/nodes/n6").status == 404, bed.LIMIT)
    assert [row["after"] for row in alone.ask("/changes.json").rows] == ["absent", "no speaker"]


def test_a_dead_node_looks_dead_as_soon_as_kubelet_does(alone: bed.Glass) -> None:
    alone.node_is("n1", ready="Unknown")
    kubeapi.until(lambda: alone.ask("/nodes/n1.json").rows["state"] == "not ready", bed.LIMIT)

    assert not alone.ask("/nodes/n1.json").rows["is_current"]


def test_an_api_server_that_is_away_changes_nothing_and_is_said(alone: bed.Glass) -> None:
    with alone.server.away():
        kubeapi.until(lambda: "The API server is not heard" in alone.ask("/").text, bed.LIMIT)

        assert alone.ask("/nodes/n2.json").rows["reason"] == "cordoned"
        assert alone.ask("/healthz").status == 200
        assert alone.ask("/readyz").status == 200
    kubeapi.until(lambda: "The API server is not heard" not in alone.ask("/").text, bed.LIMIT)


def test_head_is_answered_as_get_without_a_body(alone: bed.Glass) -> None:
    for path in ("/", "/nodes/n1", "/nodes/n1.json", "/live", "/metrics"):
        answer = alone.ask(path, "HEAD")

        assert (answer.status, answer.body) == (200, b""), path
