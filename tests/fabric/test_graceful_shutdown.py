"""RFC 8326 at two routers of different make: marked, held, and taken back at any moment.

FRR takes GRACEFUL_SHUTDOWN for local preference 0 by itself, BIRD by a line of the documented
filter. The pod range has one path only, so it stays in use while it is marked.
"""

from __future__ import annotations

import contextlib

import pytest

from tests.fabric import bird, cluster, fib, frr, routers, waiting

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2")
GRACEFUL_SHUTDOWN = (65535, 0)
MARKED = {"med": 500, "prepend": 2}
Seen = tuple[int, bool, int, int]
"""Local preference, the mark, MED and the length of the AS path."""
LOWERED: Seen = (0, True, 500, 3)
USUAL: Seen = (100, False, 0, 1)


def cordoned_and_back(formed: cluster.Cluster) -> None:
    """Cordon n1 until every router has its pods as the last choice, and take that back."""
    prefix = formed.fabric.node("n1").pod_cidr

    def seen(router: routers.Router) -> list[Seen]:
        return [
            (
                path.local_pref,
                GRACEFUL_SHUTDOWN in path.communities,
                path.med or 0,
                len(path.as_path),
            )
            for path in router.rib(prefix)
        ]

    with contextlib.ExitStack() as stack:
        watches = [stack.enter_context(fib.Watch(router)) for router in formed.fabric.routers]
        for is_cordoned, wanted in ((True, LOWERED), (False, USUAL)):
            formed.api.cordon("n1", is_cordoned=is_cordoned)
            for router in formed.fabric.routers:
                waiting.until_equal([wanted], lambda: seen(router), router.kind)  # noqa: B023
        formed.expect(services=ALL, pods=ALL)
    lost = [line for watch in watches for line in watch.messages if line.startswith("Deleted")]
    assert not [line for line in lost if prefix in line]


@pytest.mark.fault(
    area="stop and restart",
    what="a node is cordoned and uncordoned within `gracefulShutdown`",
    sees="GRACEFUL_SHUTDOWN, MED and prepend, then the usual attributes; no withdrawal",
    within="the hold-down after the uncordon",
)
def test_a_planned_withdrawal_is_taken_back_during_its_hold(form: cluster.Factory) -> None:
    formed = form((bird.Bird, frr.Frr), nodes_wanted=2)
    document = formed.document()
    document["drain"] = {"gracefulShutdown": "300s", "deprioritise": MARKED}
    formed.write(document)
    formed.start()

    cordoned_and_back(formed)


@pytest.mark.fault(
    area="stop and restart",
    what="a node is cordoned, where the policy says `deprioritise`",
    sees="GRACEFUL_SHUTDOWN, MED and prepend for as long as the cordon stands; no withdrawal",
    within="0 s",
)
def test_a_deprioritised_node_stays_the_last_choice(form: cluster.Factory) -> None:
    formed = form((bird.Bird, frr.Frr), nodes_wanted=2)
    document = formed.document()
    document["drain"] = {"settle": "0s", "deprioritise": MARKED}
    document["withdraw"] = {"cordoned": "deprioritise"}
    formed.write(document)
    formed.start()

    cordoned_and_back(formed)
