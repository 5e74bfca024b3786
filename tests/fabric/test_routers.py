"""Faults of a router, next to a healthy one of the other kind whose routes never move."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from exabgp_k8s.launcher import redial
from tests.fabric import addresses, bird, cluster, frr, routers, waiting
from tests.fabric.untouched import untouched

pytestmark = pytest.mark.fabric

NODE = "n1"
Variation = routers.Variation
DEAF = "INPUT -i eth0 -p tcp -j DROP"
REFUSE = "INPUT -i eth0 -p tcp --dport 179 -j REJECT --reject-with tcp-reset"


@dataclasses.dataclass
class Bed:
    """One node, the router that a fault is about, and the other one."""

    cluster: cluster.Cluster
    faulty: routers.Router
    healthy: routers.Router

    def __post_init__(self) -> None:
        self.node = self.cluster.fabric.node(NODE)
        self.agent = self.cluster.agents[NODE]

    def session(self) -> tuple[bool, str]:
        """Return whether our session with the faulty router is up, and if not, why."""
        row = next(row for row in self.agent.rows("sessions") if row["peer"] == "r1")
        return row["up"], row["problem"]

    def await_problem(self, problem: str) -> None:
        """Wait until our own ``sessions`` names it; what attempts met since may follow."""
        waiting.until(lambda: self.session()[1].startswith(problem), f"it is named: {problem}")

    def await_session(self) -> None:
        """Wait until the faulty router has a TCP connection."""
        waiting.until(lambda: bool(self.faulty.connections()), "a session")

    def await_attempt(self) -> None:
        """Wait until an attempt at the faulty router has ended in vain."""
        before = self.failed_attempts()
        waiting.until(lambda: self.failed_attempts() > before, "an attempt in vain")

    def failed_attempts(self) -> int:
        """Return how many attempts at the faulty router came to nothing since it was up."""
        row = next(row for row in self.agent.rows("sessions") if row["peer"] == "r1")
        return int(row["failed_attempts"])

    def pauses(self) -> list[float]:
        """Return the seconds from the end of each session to the next one that ended, too."""
        # Our log would not tell of all: it has an allowance for each peer.
        flaps = reversed(self.agent.session("r1")["flaps"])
        return [
            before["seconds"] - each["seconds"] - each["lasted_seconds"]
            for before, each in itertools.pairwise(flaps)
        ]

    def await_loss(self) -> None:
        """Wait until the faulty router has no way to the services any more."""
        waiting.until(lambda: not self.faulty.nexthops(addresses.SERVICES), "no route")

    def await_return(self) -> None:
        """Wait until both routers have everything."""
        self.cluster.expect(services=[NODE], pods=[NODE])

    def filter(self, change: str, rule: str) -> None:
        """Add (``-A``) or delete (``-D``) a rule of the faulty router's firewall."""
        self.faulty.namespace.run("iptables", change, *rule.split())


@pytest.fixture
def bed(kind: type[routers.Router], form: cluster.Factory) -> Bed:
    """A bed where everything is announced to both routers."""
    (other,) = {bird.Bird, frr.Frr} - {kind}
    formed = form([kind, other], nodes_wanted=1)
    built = Bed(formed, *formed.fabric.routers)
    built.faulty.change(Variation.SHORT_HOLD)
    formed.start()
    return built


@pytest.mark.fault(
    area="routers",
    what="a router's daemon is stopped, or killed, and started again",
    sees="everything again; the other router nothing",
    within="4.5 s and the handshake after it is back",
)
def test_a_router_that_restarts_gets_everything_again(bed: Bed) -> None:
    """A router's own reboot, or the crash of its BGP, needs no hand on the nodes."""
    with untouched(bed.cluster, bed.healthy):
        bed.faulty.stop()
        bed.await_loss()
        bed.await_attempt()
        bed.faulty.start()
        bed.await_return()

        # After a crash the kernel still has the routes, so the session is the proof.
        bed.faulty.kill()
        bed.faulty.start()
        bed.await_session()
        bed.await_return()


@pytest.mark.fault(
    area="routers",
    what="a session is shut by the router's admin, and enabled again",
    sees="no routes while it is shut, then all; `sessions` gives the admin's own words",
    within="4.5 s and the handshake after it is enabled",
)
def test_a_session_shut_by_the_router_s_admin_says_so_and_comes_back(bed: Bed) -> None:
    with untouched(bed.cluster, bed.healthy):
        bed.faulty.shut("planned work")
        bed.await_loss()
        # Attempts in vain do not hide it.
        bed.await_attempt()
        bed.await_problem('notification 6/2 (administrative shutdown) "planned work"')

        bed.faulty.unshut()
        bed.await_return()


@pytest.mark.fault(
    area="routers",
    what="the router expects another AS",
    sees="no session there, with both ends naming the reason; the other router nothing",
    within="4.5 s and the handshake after it is mended",
)
@pytest.mark.fault(
    area="routers",
    what="the router's import filter refuses a prefix",
    sees="all other prefixes as before; BGP tells a speaker nothing about it, so only it can say",
    within="0 s",
)
@pytest.mark.fault(
    area="routers",
    what="the router tears sessions down by its limit of prefixes",
    sees="the next session after a pause; everything again once it is mended",
    within="128 s after it is mended, 4 s if it happened once",
)
def test_a_router_configured_wrongly_is_heard_and_back_when_it_is_mended(bed: Bed) -> None:
    with untouched(bed.cluster, bed.healthy):
        bed.faulty.change(Variation.SHORT_HOLD, Variation.OTHER_ASN)
        bed.await_problem("notification 2/2 (bad peer AS)")
        bed.faulty.change(Variation.SHORT_HOLD)
        bed.await_return()

        session = bed.faulty.connections()
        bed.faulty.change(Variation.SHORT_HOLD, Variation.NO_SERVICES)
        bed.await_loss()
        assert bed.faulty.nexthops(bed.node.pod_cidr) == {bed.node.address}
        assert bed.faulty.nexthops(addresses.SERVICES6) == {bed.node.address6}
        bed.faulty.change(Variation.SHORT_HOLD)
        bed.await_return()
        assert bed.faulty.connections() == session

        before = len(bed.pauses())
        bed.faulty.change(Variation.SHORT_HOLD, Variation.ONE_PREFIX)
        bed.await_problem("notification 6/1 (maximum number of prefixes reached)")
        # The first new one lies between the ends by the other AS and by the limit.
        waiting.until(lambda: len(bed.pauses()) >= before + 2, "the next session, and its end")
        assert bed.pauses()[before + 1] > redial.PAUSE[0] - 0.5
        bed.faulty.change(Variation.SHORT_HOLD)
        bed.await_return()


@pytest.mark.fault(
    area="routers",
    what="the link to a router is down, then up",
    sees="the node's routes gone when its hold timer expires, then back",
    within="the hold time (9 s, here 3 s); 4.5 s and the handshake after it is up",
)
@pytest.mark.fault(
    area="routers",
    what="packets are lost in one direction until a hold timer expires",
    sees="the same",
    within="the hold time; 4.5 s and the handshake afterwards",
)
def test_a_link_that_was_down_or_deaf_is_used_again(bed: Bed) -> None:
    switch = bed.cluster.fabric.switch
    with untouched(bed.cluster, bed.healthy):
        switch.ip("link set r1 down")
        bed.await_loss()
        bed.await_problem("notification sent 4/0 (hold timer expired)")
        switch.ip("link set r1 up")
        bed.await_return()

        bed.filter("-A", DEAF)
        bed.await_loss()
        waiting.until(lambda: bed.session()[1].endswith("4/0 (hold timer expired)"), "it is named")
        bed.filter("-D", DEAF)
        bed.await_return()

    switch.ip("link set n1 down")
    bed.await_loss()
    switch.ip("link set n1 up")
    bed.await_return()


@pytest.mark.fault(
    area="routers",
    what="a firewall drops what goes to a router, while routes and settings change",
    sees="the other router every change at once; it the state of the end",
    within="4.5 s and the handshake after packets pass again",
)
@pytest.mark.fault(
    area="routers",
    what="a firewall refuses connections to a router, then not",
    sees="everything again",
    within="4.5 s and the handshake",
)
@pytest.mark.fault(
    area="settings",
    what="an edit while a peer is down and changes wait for it",
    sees="what was edited, in sessions that stand",
    within="about 10 s",
)
@pytest.mark.parametrize("kind", [bird.Bird], ids=["bird"])
def test_a_router_behind_a_firewall_holds_up_nothing(bed: Bed) -> None:
    """ExaBGP reads no configuration while anything waits for a peer that it tries to reach."""
    exabgp = bed.agent.exabgp()
    session = bed.healthy.connections()
    bed.filter("-A", DEAF)
    bed.await_loss()
    bed.await_attempt()

    bed.cluster.api.cordon(NODE)
    waiting.until(lambda: not bed.healthy.nexthops(addresses.SERVICES), "withdrawn")
    document = bed.cluster.document()
    document["peers"].append({"name": "new", "address": "192.0.2.77", "asn": 64515})
    bed.cluster.write(document)
    waiting.until(lambda: len(bed.agent.rows("sessions")) == len(document["peers"]), "edited")
    waiting.until(lambda: bool(bed.agent.status()["exabgp"]["table_known"]), "it is taken")
    bed.cluster.api.cordon(NODE, is_cordoned=False)
    waiting.until_equal(
        bed.cluster.wanted([NODE], [NODE]),
        lambda: bed.cluster.routes(bed.healthy),
        "all is announced",
    )
    assert (bed.agent.exabgp(), bed.healthy.connections()) == (exabgp, session)

    with untouched(bed.cluster, bed.healthy):
        bed.filter("-A", REFUSE)
        bed.filter("-D", DEAF)
        bed.await_attempt()
        bed.filter("-D", REFUSE)
        bed.await_return()


@pytest.mark.fault(
    area="two at once",
    what="one router is killed, another shuts its sessions, and peers exist that never answer",
    sees="each its own routes again, as soon as it is back; a third one nothing at all",
    within="4.5 s and the handshake after each",
)
def test_two_routers_that_fail_differently_recover_on_their_own(form: cluster.Factory) -> None:
    formed = form([bird.Bird, frr.Frr, bird.Bird], nodes_wanted=1)
    killed, shut, healthy = formed.fabric.routers
    document = formed.document()
    # Nobody has the first address; the way to the second one leads nowhere.
    for address in ("192.0.2.77", "203.0.113.7"):
        document["peers"].append({"name": f"never-{len(document['peers'])}", "address": address,
                                  "asn": 64515})  # fmt: skip
    formed.write(document)
    formed.start()

    with untouched(formed, healthy):
        killed.kill()
        shut.shut("and at once")
        waiting.until(lambda: not shut.nexthops(addresses.SERVICES), "the routes are gone")
        killed.start()
        waiting.until(lambda: bool(killed.connections()), "the killed one is back")
        shut.unshut()
        formed.expect(services=[NODE], pods=[NODE])

    # A drain does not wait for those that never answer.
    formed.agents[NODE].drain()
    for router in formed.fabric.routers:
        assert formed.routes(router) == formed.wanted([], [])
