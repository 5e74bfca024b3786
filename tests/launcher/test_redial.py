"""The moments at which a router is tried, in virtual time."""

from __future__ import annotations

import dataclasses
import random

import pytest

from exabgp_k8s.launcher import redial

TICK = 0.1
"""Seconds between two of ExaBGP's own looks."""


@dataclasses.dataclass
class Peer:
    """ExaBGP's use of the pause, at one peer."""

    seed: int
    now: float = 0.0
    attempts: list[float] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed).uniform
        self.redial = redial.Redial(lambda: self.now, chance)

    def attempt(self) -> None:
        """Ask until an attempt begins."""
        while self.redial.backoff():
            self.now += TICK
        self.attempts.append(self.now)

    def fail(self, *, after: float = 0) -> None:
        """Make an attempt that ends without a session."""
        self.attempt()
        self.now += after
        self.redial.increase()

    def live(self, seconds: float) -> None:
        """Make an attempt, and have a session of so many seconds."""
        self.attempt()
        self.redial.reset()
        # A flush says the same once more.
        self.redial.reset()
        self.now += seconds
        self.redial.increase()

    def gaps(self) -> list[float]:
        """Return the seconds between the attempts."""
        return [
            after - before for before, after in zip(self.attempts, self.attempts[1:], strict=False)
        ]


@pytest.mark.fault(
    area="routers",
    what="a router is away for hours",
    sees="an attempt of each node every few seconds, so all routes soon after it is back",
    within="4.5 s and the handshake",
)
@pytest.mark.parametrize("after", [0, 3], ids=["refused", "not answered"])
def test_a_router_that_is_away_for_hours_is_tried_every_few_seconds(after: float) -> None:
    peer = Peer(1)
    while peer.now < 3 * 3600:
        peer.fail(after=after)

    assert min(peer.gaps()) >= redial.PAUSE[0]
    assert max(peer.gaps()) <= redial.PAUSE[1] + redial.SPREAD + 2 * TICK


@pytest.mark.fault(
    area="routers",
    what="many nodes have lost the same router",
    sees="attempts that are not in step, however long it was away",
    within="each node 2 to 4.5 s after its last attempt",
)
def test_nodes_that_lost_the_same_router_at_once_are_not_in_step() -> None:
    """A thousand of them: no tenth of a second has more than 15 % of a second's attempts."""
    nodes = [Peer(seed) for seed in range(1000)]
    for node in nodes:
        node.live(3600)
        while node.now < 3660:
            node.fail()

    for second in (3601, 3610, 3659):
        attempts = [at for node in nodes for at in node.attempts if second - 1 <= at < second]
        tenths = [sum(round(at * 10) == tenth for at in attempts)
                  for tenth in range(second * 10 - 10, second * 10)]  # fmt: skip
        assert len(attempts) > 100
        assert max(tenths) < 250, (second, tenths)


def test_a_peer_that_is_removed_or_changed_is_not_waited_for() -> None:
    """ExaBGP drops a removed peer, or begins with a changed one, when the pause is over."""
    peer = Peer(1)
    peer.live(0.1)
    peer.redial.reset()

    assert not peer.redial.backoff()


@pytest.mark.parametrize("lived", [0.1, 60])
def test_after_a_notification_of_ours_the_router_is_given_more_than_a_second(lived: float) -> None:
    """BIRD refuses everybody for its ``error wait time``, which is 1 s in our example."""
    for seed in range(20):
        peer = Peer(seed)
        peer.redial.notified()
        peer.live(lived)
        ended = peer.now
        peer.attempt()
        assert peer.now - ended > 1.1


def test_a_session_that_lasted_is_tried_again_within_half_a_second() -> None:
    peer = Peer(1)
    for _ in range(20):
        peer.live(redial.WINDOW + 1)
        ended = peer.now
        peer.attempt()
        assert peer.now - ended <= redial.SPREAD + TICK
        peer.redial.increase()


@pytest.mark.fault(
    area="routers",
    what="the router ends each session at once, for minutes",
    sees="no storm: 6 sessions in the first minute, later 1 in 64 s at most",
    within="128 s after it is mended",
)
def test_sessions_that_do_not_last_become_rare() -> None:
    """A router that ends each at once, by a limit of prefixes, changes its next hops each time."""
    peer = Peer(1)
    while peer.now < 1200:
        peer.live(0.1)

    assert sum(at < 60 for at in peer.attempts) <= 6
    assert sum(at >= 300 for at in peer.attempts) <= 900 / 64 + 1
    assert max(peer.gaps()) <= redial.PAUSE[1] * 2**redial.DOUBLINGS + 3 * TICK


@pytest.mark.fault(
    area="routers",
    what="each session dies by its hold timer after half a minute, for an hour (a one-way fault)",
    sees="10 sessions in the first ten minutes at most, later 1 in two minutes",
    within="128 s after it is mended",
)
@pytest.mark.parametrize("lived", [10.1, 30.0, 90.0])
def test_sessions_that_fall_again_and_again_become_rare_however_long_they_lived(
    lived: float,
) -> None:
    peer = Peer(1)
    while peer.now < 3600:
        peer.live(lived)

    later = [at for at in peer.attempts if at >= 1800]
    assert len(later) <= 1800 / (lived + redial.PAUSE[0] * 2**redial.DOUBLINGS) + 1
    assert max(peer.gaps()) <= lived + redial.PAUSE[1] * 2**redial.DOUBLINGS + 3 * TICK


def test_a_session_that_falls_twice_is_back_in_seconds() -> None:
    """A router that is restarted, and once more because that went wrong."""
    peer = Peer(1)
    peer.live(3600)
    peer.live(60)
    ended = peer.now

    peer.attempt()

    assert peer.now - ended <= redial.PAUSE[1] + TICK


def test_attempts_in_vain_are_as_frequent_as_ever_after_many_falls() -> None:
    """What is rare is what moves traffic: a session that comes up and falls."""
    peer = Peer(1)
    for _ in range(10):
        peer.live(30)
    peer.attempt()
    peer.redial.increase()
    started = peer.now

    for _ in range(10):
        peer.fail()

    assert peer.now - started <= 10 * (redial.PAUSE[1] + redial.SPREAD + TICK)


@pytest.mark.parametrize("forget", ["time", "edit"])
def test_what_fell_often_is_forgotten_in_time_and_by_an_edit(forget: str) -> None:
    peer = Peer(1)
    for _ in range(10):
        peer.live(30)
    if forget == "time":
        peer.live(redial.WINDOW + 1)
    else:
        # An edit ends the session, and the next one is another's.
        peer.attempt()
        peer.redial.reset()
        peer.redial.forgive()
        peer.redial.increase()
        peer.live(60)
    ended = peer.now

    peer.attempt()

    assert peer.now - ended <= redial.SPREAD + TICK


@pytest.mark.parametrize("retry", [1, 30, 300])
def test_another_pause_that_is_asked_for_is_spread_as_the_usual_one_is(retry: int) -> None:
    peer = Peer(1)
    peer.redial.retry = lambda: retry
    while len(peer.attempts) < 200:
        peer.fail()

    gaps = peer.gaps()

    assert min(gaps) >= retry * (1 - redial.SHARE)
    assert max(gaps) <= retry * (1 + redial.SHARE) + redial.SPREAD + 2 * TICK
    assert max(gaps) > retry * 1.1 > retry * 0.9 > min(gaps) - redial.SPREAD - 2 * TICK


def test_a_session_that_ends_again_and_again_waits_for_whichever_pause_is_longer() -> None:
    quick, patient = Peer(1), Peer(1)
    quick.redial.retry, patient.redial.retry = lambda: 1, lambda: 300
    for peer in (quick, patient):
        for _ in range(6):
            peer.live(1)

    assert min(quick.gaps()[1:]) >= redial.PAUSE[0]
    assert min(patient.gaps()[1:]) >= 300 * (1 - redial.SHARE)
    assert max(patient.gaps()) <= 300 * (1 + redial.SHARE) + 2


def test_the_usual_pause_is_that_of_three_seconds() -> None:
    """So that ``connectRetry: 3s`` says what happens without it."""
    assert pytest.approx((3 * (1 - redial.SHARE), 3 * (1 + redial.SHARE))) == redial.PAUSE
