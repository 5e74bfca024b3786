"""What a router reads when ExaBGP, as we run it, ends a session on purpose."""

from __future__ import annotations

import dataclasses
import ipaddress
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from exabgp_k8s import parting
from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import daemon_conf
from tests.functional import exabgp, test_exabgp_launcher
from tests.support import oddrouter

pytestmark = pytest.mark.functional

RESTARTS = oddrouter.capability(64, b"\0\x78\0\1\1\0\0\2\1\0")
OTHER_IP = ipaddress.ip_address("127.0.0.12")
TEXT = "n1: cordoned, stopping"
SHUTDOWN = bytes((6, 2, len(TEXT))) + TEXT.encode()


class Node:
    """ExaBGP with one session, to a router that hears everything."""

    def __init__(self, us: exabgp.ExaBGP, *, graceful_restart: int | None) -> None:
        self.us = us
        self.router = oddrouter.Router(
            str(test_exabgp_launcher.NEIGHBOR.address),
            first=oddrouter.opening(oddrouter.USUAL + RESTARTS),
        )
        self.neighbor = dataclasses.replace(
            test_exabgp_launcher.NEIGHBOR,
            port=self.router.port,
            graceful_restart=graceful_restart,
        )

    def start(self) -> None:
        self.us.start(self._conf(self.neighbor))
        self.us.await_line(b'"state": "up"')
        self.router.wait_up()

    def reload(self, *neighbors: model.Neighbor) -> None:
        self.us.reload(self._conf(*neighbors))
        self.us.await_line(b'"state": "down"')

    def _conf(self, *neighbors: model.Neighbor) -> str:
        return daemon_conf.render(neighbors, self.us.run, show_secrets=True)


@pytest.fixture(params=[None, 60], ids=["plain", "graceful restart"])
def node(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[Node]:
    with exabgp.running(tmp_path / "us") as us:
        made = Node(us, graceful_restart=request.param)
        with made.router:
            made.start()
            yield made


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (None, bytes((6, 3))),
        ({"local_address": OTHER_IP}, bytes((6, 6))),
        ({"peer_asn": 64514}, bytes((6, 6))),
        ({"port": 9}, bytes((6, 6))),
    ],
    ids=["removed", "another address of ours", "another AS", "another port"],
)
def test_the_launcher_says_why_a_session_ends(
    node: Node, changes: dict[str, Any] | None, said: bytes
) -> None:
    """ExaBGP alone says nothing of a peer that is removed, and with graceful restart never."""
    kept = () if changes is None else (dataclasses.replace(node.neighbor, **changes),)

    node.reload(*kept)

    heard = node.router.wait_for(oddrouter.NOTIFICATION)
    assert [body[:2] for body in heard] == [said]


@pytest.mark.parametrize(
    "changes", [{"hold_time": 30}, {"router_id": OTHER_IP}], ids=["hold time", "router id"]
)
def test_a_session_that_comes_back_as_it_was_is_bridged_where_that_is_possible(
    node: Node, changes: dict[str, Any]
) -> None:
    node.reload(dataclasses.replace(node.neighbor, **changes))
    node.router.wait_up(2)

    is_bridged = node.neighbor.graceful_restart is not None
    heard = [body[:2] for body in node.router.heard(oddrouter.NOTIFICATION)]
    assert heard == ([] if is_bridged else [bytes((6, 6))])


def test_a_planned_end_says_which_node_and_why(node: Node) -> None:
    parting.write(node.us.path.parent, TEXT)

    node.us.end()

    assert node.router.wait_for(oddrouter.NOTIFICATION) == [SHUTDOWN]


@pytest.mark.parametrize("is_planned", [True, False], ids=["to be bridged", "not planned"])
def test_an_end_that_is_not_planned_or_to_be_bridged_says_nothing(
    node: Node, *, is_planned: bool
) -> None:
    if is_planned:
        parting.write(node.us.path.parent, TEXT, [str(node.neighbor.address)])

    node.us.end()
    node.router.wait(lambda: not node.router.is_up, "the session is still there")

    assert node.router.heard(oddrouter.NOTIFICATION) == []


def test_after_a_notification_of_ours_the_next_attempt_waits(node: Node) -> None:
    """BIRD refuses connections for a second after one (``error wait time 1``)."""
    node.router.send(b"\0" * 19)
    node.router.wait_for(oddrouter.NOTIFICATION)
    node.router.wait_up(2)

    _, ended, began = node.router.moments
    assert began - ended > 1
