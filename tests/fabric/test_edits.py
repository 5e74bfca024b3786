"""Edits of the settings and of the Secret: what changes, and above all what does not."""

from __future__ import annotations

import contextlib
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fabric import addresses, bird, cluster, frr, routers, waiting
from tests.fabric.untouched import untouched
from tests.support import processes

pytestmark = pytest.mark.fabric

NODE = "n1"
PEER = 0
"""The peer of the settings that edits are about: the first router's."""


class Edited:
    """One node, the router whose peer is edited, and two more that have nothing to do with it."""

    def __init__(self, formed: cluster.Cluster) -> None:
        self.cluster = formed
        self.agent = formed.agents[NODE]
        self.node = formed.fabric.node(NODE)
        self.router, *self.others = formed.fabric.routers

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the document that was written last."""
        document = self.cluster.document()
        change(document)
        self.cluster.write(document)

    def row(self) -> dict[str, Any]:
        """Return our own row of the session in question."""
        return next(row for row in self.agent.rows("sessions") if row["peer"] == "r1")

    def is_up(self, *, hold_time: int) -> bool:
        """Whether the session is up with this hold time: one that is down shows the settings'."""
        row = self.row()
        return bool(row["up"]) and row["hold_time"] == hold_time

    def keepalives_ahead(self) -> int:
        """Return how many more KEEPALIVEs than the router we have sent in the present session."""
        messages = self.agent.session("r1")["messages"]
        sent, received = (messages[way].get("keepalive", 0) for way in ("sent", "received"))
        return int(sent) - int(received)

    def await_logged(self, event: str) -> None:
        """Return when a line of the agent is in the log: it goes by way of the supervisor."""
        log = self.node.directory / "agent.log"
        waiting.until(lambda: event in log.read_text(), f"{event} is logged")

    def has_everything(self) -> bool:
        """Whether the router in question has every route."""
        return self.cluster.routes(self.router) == self.cluster.wanted([NODE], [NODE])

    @contextlib.contextmanager
    def expected(self, *, same_session: bool) -> Iterator[None]:
        """Assert that the block leaves the other routers alone, and whether this one's session."""
        before = self.router.connections()
        with untouched(self.cluster, *self.others):
            yield
            if not same_session:
                waiting.until(
                    lambda: self.router.connections() not in ({}, before), "another session"
                )
            waiting.until(self.has_everything, "every route is there")
        assert (self.router.connections() == before) is same_session

    def metric(self, name: str) -> float:
        """Return the value of a metric without labels."""
        text = self.node.namespace.inside(_metrics)
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name))


def _metrics() -> str:
    with urllib.request.urlopen("http://127.0.0.1:9179/metrics", timeout=60) as response:
        text: str = response.read().decode()
    return text


@pytest.fixture
def edited(kind: type[routers.Router], form: cluster.Factory) -> Edited:
    formed = form([kind, bird.Bird, frr.Frr], nodes_wanted=1)
    formed.start()
    return Edited(formed)


@pytest.mark.long
@pytest.mark.fault(
    area="settings",
    what="an edit of one of three peers: description, attributes, timers, or the peer itself",
    sees="the routers of the other peers nothing; new attributes and ranges come as updates, "
    "only a session whose own parameters changed is made anew",
    within="2 s after kubelet brings it",
)
@pytest.mark.fault(
    area="settings",
    what="two edits within a second",
    sees="what the second one says",
    within="a few seconds",
)
def test_an_edit_of_one_peer_is_seen_by_its_router_only(edited: Edited) -> None:
    pods = edited.node.pod_cidr
    with edited.expected(same_session=True):
        edited.edit(lambda it: it["peers"][PEER].update(description="rack a, upper"))
        waiting.until(lambda: edited.row()["description"] == "rack a, upper", "described")

        edited.edit(lambda it: it["peers"][PEER].update(
            attributes={"communities": ["64512:10"], "med": 70}))  # fmt: skip
        waiting.until_equal(
            [(70, {(64512, 10)})],
            lambda: [(path.med or 0, set(path.communities)) for path in edited.router.rib(pods)],
            "the new attributes",
        )

    with edited.expected(same_session=False):
        edited.edit(lambda it: it["peers"][PEER].update(holdTime="6s"))
        waiting.until(lambda: edited.is_up(hold_time=6), "6 s")

    with edited.expected(same_session=False):
        edited.edit(lambda it: it["peers"][PEER].update(keepalive="1s", connectRetry="1s"))
        # The router sends one every three seconds, or every two, as we did in the old session.
        waiting.until(
            lambda: edited.keepalives_ahead() >= 5, "more KEEPALIVEs of ours than of its own"
        )
        assert edited.row()["keepalive"] == 1

    with edited.expected(same_session=False):
        peer = edited.cluster.document()["peers"][PEER]
        edited.edit(lambda it: it["peers"].pop(PEER))
        waiting.until(lambda: not edited.router.connections(), "the session is gone")
        waiting.until(lambda: not edited.router.nexthops(pods), "its routes are gone")
        edited.edit(lambda it: it["peers"].insert(PEER, peer))
        waiting.until(lambda: bool(edited.router.connections()), "and is back")

    with edited.expected(same_session=False):
        edited.edit(lambda it: it["peers"][PEER].update(holdTime="8s"))
        edited.edit(lambda it: it["peers"][PEER].update(holdTime="7s"))
        waiting.until(lambda: edited.is_up(hold_time=7), "7 s")


@pytest.mark.fault(
    area="settings",
    what="a range is removed, then added",
    sees="its withdrawal, then its announcement, in the same session; nothing of other prefixes",
    within="2 s after kubelet brings it",
)
@pytest.mark.fault(
    area="settings",
    what="an edit that is not valid",
    sees="nothing; `status`, the log and `exabgp_k8s_settings_stale` name it until it is mended",
    within="0 s",
)
@pytest.mark.fault(
    area="two at once",
    what="an edit while the agent is killed",
    sees="what was edited, by the next agent; the routers of the other peers nothing",
    within="a few seconds",
)
def test_an_edit_of_ranges_resets_no_session_and_a_bad_one_changes_nothing(
    edited: Edited,
) -> None:
    every = (edited.router, *edited.others)
    sessions = [router.connections() for router in every]
    edited.edit(lambda it: it["announce"]["services"]["cidrs"].remove(addresses.SERVICES6))
    for router in every:
        waiting.until(lambda: not router.nexthops(addresses.SERVICES6), "withdrawn")  # noqa: B023
        assert router.nexthops(addresses.SERVICES) == {edited.node.address}
    edited.edit(lambda it: it["announce"]["services"]["cidrs"].append(addresses.SERVICES6))
    edited.cluster.expect(services=[NODE], pods=[NODE])

    good = edited.cluster.document()
    with untouched(edited.cluster, *every):
        edited.cluster.write({**good, "peers": [], "bgp": {"asn": "many"}})
        waiting.until(lambda: bool(edited.agent.status()["settings"]["stale"]), "refused")
        assert edited.metric("exabgp_k8s_settings_stale") == 1
        edited.await_logged("settings.refused")
        edited.cluster.write(good)
        waiting.until(lambda: not edited.agent.status()["settings"]["stale"], "mended")
        assert edited.metric("exabgp_k8s_settings_stale") == 0
    assert [router.connections() for router in every] == sessions

    with edited.expected(same_session=False):
        killed = edited.agent.agent()
        edited.edit(lambda it: it["peers"][PEER].update(holdTime="6s"))
        killed.kill()
        waiting.until(lambda: processes.is_gone(killed), "it is dead")
        waiting.until(edited.agent.answers, "another agent answers")
        waiting.until(lambda: edited.is_up(hold_time=6), "6 s")


@pytest.mark.fault(
    area="settings",
    what="a password is wrong, corrected, and changed at both ends",
    sees="no session without the right one; the routers of the other peers nothing. "
    "A wrong one looks like a router that does not answer: TCP drops it without a word",
    within="6 s after both ends agree",
)
def test_a_password_concerns_its_own_peer_only(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind, bird.Bird, frr.Frr], nodes_wanted=1)
    edited = Edited(formed)
    edited.router.change(password="first")
    secret, key = edited.agent.passwords, cluster.PASSWORD_KEY
    edited.edit(lambda it: it["peers"][PEER].update(passwordFrom=key))
    secret.write({key: "wrong"})
    edited.agent.start()
    for router in edited.others:
        waiting.until_equal(
            formed.wanted([NODE], [NODE]),
            lambda: formed.routes(router),  # noqa: B023 - called before the next router
            "the others have everything",
        )
    waiting.until(lambda: str(edited.row()["problem"]).startswith("no answer"), "it is not up")
    edited.await_logged("session.failed")

    with untouched(formed, *edited.others):
        secret.write({key: "first"})
        waiting.until(edited.has_everything, "it is up")

        edited.router.change(password="second")
        secret.write({key: "second"})
        waiting.until(lambda: edited.row()["times_up"] == 2, "it is up again")
        waiting.until(edited.has_everything, "with everything")


@pytest.mark.fault(
    area="routers",
    what="the route to a peer with `localAddress: route` is lost for a moment",
    sees="nothing: the session keeps the address that it has",
    within="0 s",
)
def test_a_session_whose_address_comes_from_a_route_outlives_its_loss(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    # After six seconds without a way TCP tries again up to six seconds later: that and the time
    # between two KEEPALIVEs are more than the usual hold time of nine.
    options = {"localAddress": "route", "holdTime": "30s"}
    formed = form([kind], nodes_wanted=1, peer=options)
    (router,) = formed.fabric.routers
    router.change(routers.Variation.LONG_HOLD)
    formed.start()
    node = formed.fabric.node(NODE)
    configuration = formed.agents[NODE].state_dir / "exabgp.conf"
    written = configuration.stat()

    with untouched(formed, router):
        # 6 s: longer than between two looks at the routes, shorter than the hold time.
        node.namespace.ip(f"route add unreachable {router.address}/32")
        time.sleep(6)
        node.namespace.ip(f"route del unreachable {router.address}/32")
        time.sleep(3)
    now = configuration.stat()
    assert (now.st_ino, now.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
