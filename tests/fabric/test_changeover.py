"""Sessions that end or are made anew because of an edit: nothing stays behind, nobody is out."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.fabric import addresses, bird, cluster, fib, frr, routers, traffic, waiting

pytestmark = pytest.mark.fabric

NODE = "n1"
OTHER_IP = "192.0.2.77"
RESTARTS = {"gracefulRestart": "60s"}


def edit(formed: cluster.Cluster, number: int, **changes: Any) -> None:
    """Change one peer of the settings."""
    document = formed.document()
    document["peers"][number].update(changes)
    formed.write(document)


def is_back(row: dict[str, Any], *, hold_time: int) -> bool:
    """Whether a session is up with this hold time and has been sent everything.

    All of one look: a session that is down shows the settings' hold time and misses nothing.
    """
    is_up = bool(row["up"]) and row["hold_time"] == hold_time
    return is_up and row["prefixes_sent"] == 4 and not row["unacknowledged"]


@pytest.fixture
def moved(kind: type[routers.Router], form: cluster.Factory) -> cluster.Cluster:
    """A node whose session with graceful restart comes from another address of it by now.

    The node is the only one, for the address is written for all nodes.
    """
    formed = form([kind], nodes_wanted=1, peer=RESTARTS)
    formed.fabric.node(NODE).namespace.ip(f"addr add {OTHER_IP}/24 dev eth0")
    formed.start()
    edit(formed, 0, localAddress=OTHER_IP)
    (router,) = formed.fabric.routers
    waiting.until(lambda: OTHER_IP in router.connections(), "the new session")
    return formed


@pytest.mark.fault(
    area="settings",
    what="our address of a session is edited, with graceful restart, then the node is drained",
    sees="the withdrawal in the old session before it closes; nothing stale is left of it",
    within="before `drain --wait` returns",
)
def test_a_drain_leaves_nothing_of_a_session_that_moved(moved: cluster.Cluster) -> None:
    (router,) = moved.fabric.routers
    pods = moved.fabric.node(NODE).pod_cidr

    moved.agents[NODE].drain()

    # A moment for the router's own way from the table to the kernel.
    waiting.until(lambda: not router.nexthops(pods), "the drained node's pods are gone", limit=40)
    assert router.rib(pods) == []
    waiting.until(lambda: not router.nexthops(addresses.SERVICES), "so are the services", limit=40)


@pytest.mark.fault(
    area="settings",
    what="a peer is removed, with graceful restart",
    sees="the withdrawal, then the session closes; nothing stale is left",
    within="2 s after kubelet brings it",
)
def test_a_peer_that_is_removed_keeps_no_route(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind, bird.Bird], nodes_wanted=1, peer=RESTARTS)
    formed.start()
    router = formed.fabric.routers[0]
    pods = formed.fabric.node(NODE).pod_cidr
    document = formed.document()
    document["peers"].pop(0)

    formed.write(document)
    waiting.until(lambda: not router.connections(), "the session is gone")

    # With the routes kept by graceful restart it would be a minute.
    waiting.until(lambda: not router.nexthops(pods), "its routes are gone", limit=40)
    assert router.rib(pods) == []


@pytest.mark.fault(
    area="settings",
    what="parameters of the sessions with both routers are edited at once",
    sees="one session at a time: the node is a next hop of one router or the other throughout",
    within="0 s; the second session a few seconds after the first",
)
@pytest.mark.parametrize(
    "kinds",
    [(bird.Bird, frr.Frr), (frr.Frr, bird.Bird)],
    # FRR takes longer than BIRD to bring a route into its kernel.
    ids=["bird-first", "frr-first"],
)
def test_an_edit_of_both_peers_takes_one_session_after_the_other(
    form: cluster.Factory, kinds: tuple[type[routers.Router], ...]
) -> None:
    formed = form(kinds, nodes_wanted=1)
    formed.start()
    node, document = formed.fabric.node(NODE), formed.document()
    for peer in document["peers"]:
        peer["holdTime"] = "6s"
    before = [router.connections() for router in formed.fabric.routers]
    gone: set[int] = set()

    def are_edited() -> bool:
        # Nothing slower between two looks: a session is away for a second or two.
        has = [bool(router.nexthops(node.pod_cidr)) for router in formed.fabric.routers]
        # The first one may have got its way back since it was looked at.
        is_out = not any(has) and not formed.fabric.routers[0].nexthops(node.pod_cidr)
        assert not is_out, "no router has a way to the node"
        gone.update(number for number, it in enumerate(has) if not it)
        after = [router.connections() for router in formed.fabric.routers]
        return (
            all(has)
            and all(after)
            and not any(was == now for was, now in zip(before, after, strict=True))
        )

    formed.write(document)
    waiting.until(are_edited, "both sessions are new ones", interval=0)
    assert gone == {0, 1}
    assert [row["hold_time"] for row in formed.agents[NODE].rows("sessions")] == [6, 6]


@pytest.mark.fault(
    area="settings",
    what="the hold time of a session is edited, with graceful restart",
    sees="a new session; its routes stand meanwhile",
    within="0 s",
)
def test_an_edit_with_graceful_restart_is_bridged(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=2, peer=RESTARTS)
    formed.start()
    (router,) = formed.fabric.routers
    before = router.connections()
    with (
        fib.Watch(router) as watch,
        traffic.Traffic(formed.fabric.client, addresses.WEB, 80) as flow,
    ):
        edit(formed, 0, holdTime="6s")
        for agent in formed.agents.values():
            waiting.until(
                lambda: is_back(agent.rows("sessions")[0], hold_time=6),  # noqa: B023
                "the new session, and all is sent",
            )
        # What End-of-RIB takes out a router takes out only then.
        time.sleep(1)
    assert not set(before.items()) & set(router.connections().items())

    assert watch.messages == ()
    assert flow.report.failed == (), flow.report
