"""What is logged of a life, in virtual time: how a thing ends is told, and no disk is filled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog

from exabgp_k8s.adapters import journal
from exabgp_k8s.core import step
from exabgp_k8s.core.facts import bfd, events, reload
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B

HOUR = 3600.0
REFUSED = builders.down(problem="lost ECONNREFUSED in IDLE")
SILENT = builders.down(problem="lost ETIMEDOUT in IDLE")
ABOUT_A_PEER = {"session.established", "session.lost", "session.failed", "session.still_down"}


class Log:
    """A life with its log: each line is [moment, line]."""

    def __init__(self, lines: list[Any]) -> None:
        self._lines = lines
        self._at: list[float] = []
        self._journal = journal.Journal()
        self.now = START
        self.turn = Turn(world=builders.a_world())
        # What is there at the start is not what these tests are about.
        self.happen(events.Tick())

    def happen(self, *found: events.Event, wait: float = 0) -> None:
        """Let something happen, and time pass before it."""
        self.now += wait
        before, self.turn = self.turn, step.step(self.turn.world, found, self.now)
        self._journal.note(before, self.turn, self.now)
        self._at += [self.now] * (len(self._lines) - len(self._at))

    def about(self, names: Sequence[str] | set[str]) -> list[tuple[float, Any]]:
        """Return the moments and lines of these events."""
        pairs = zip(self._at, self._lines, strict=True)
        return [(at, line) for at, line in pairs if line["event"] in names]

    def in_any_hour(self, names: set[str]) -> int:
        """Return how many lines there are at most within an hour."""
        moments = [at for at, _ in self.about(names)]
        return max((sum(at <= x < at + HOUR for x in moments) for at in moments), default=0)

    @property
    def world(self) -> World:
        """The latest world."""
        return self.turn.world


@pytest.fixture
def log() -> Iterator[Log]:
    """A serving node."""
    with structlog.testing.capture_logs() as lines:
        yield Log(lines)


@pytest.mark.fault(
    area="routers",
    what="a router is away for hours: refused, then silent, then refused, and so on",
    sees="nothing; the log has 12 lines an hour at most, and one an hour where nothing changes",
    within="0 s",
)
@pytest.mark.parametrize("causes", [[REFUSED], [REFUSED, SILENT]], ids=["same", "changing"])
def test_a_router_that_is_away_costs_twelve_lines_an_hour(
    log: Log, causes: list[events.Event]
) -> None:
    log.happen(*builders.up(), wait=1)
    log.happen(builders.down(), wait=1)
    for cause in itertools.islice(itertools.cycle(causes), 4 * 1200):
        log.happen(cause, wait=3)

    assert log.in_any_hour(ABOUT_A_PEER) <= 12
    if len(causes) == 1:
        told = [line["event"] for _, line in log.about(ABOUT_A_PEER)]
        assert told == [
            "session.established",
            "session.lost",
            "session.failed",
            *["session.still_down"] * 3,
        ]


@pytest.mark.long
@pytest.mark.parametrize(("pause", "hours"), [(0.5, 1.25), (30, 3), (400, 3)])
def test_a_peer_that_flaps_costs_twelve_lines_an_hour_and_its_last_state_is_told(
    log: Log, pause: float, hours: float
) -> None:
    """More than an hour: the first lines are a burst, and the rest what comes back with time."""
    while log.now < START + hours * HOUR:
        log.happen(*builders.up(), wait=pause)
        log.happen(builders.down(), wait=pause)
    log.happen(*builders.up(), wait=pause)
    for _ in range(601):
        log.happen(events.Tick(), wait=1)

    assert log.in_any_hour(ABOUT_A_PEER) <= 12
    _, last = log.about(ABOUT_A_PEER)[-1]
    assert last["event"] == "session.established"


def test_what_was_left_out_is_counted(log: Log) -> None:
    flaps = 20
    for _ in range(flaps):
        log.happen(*builders.up(), wait=1)
        log.happen(builders.down(), wait=1)
    log.happen(*builders.up(), wait=HOUR)

    lines = [line for _, line in log.about(ABOUT_A_PEER)]
    assert sum(1 + line.get("untold", 0) for line in lines) == 2 * flaps + 1


def test_one_peer_does_not_silence_another(log: Log) -> None:
    for _ in range(50):
        log.happen(*builders.up(), wait=1)
        log.happen(builders.down(), wait=1)
    log.happen(*builders.up(TOR_B), wait=1)

    _, last = log.about(ABOUT_A_PEER)[-1]
    assert (last["event"], last["address"]) == ("session.established", str(TOR_B))


def test_a_peer_has_the_name_of_the_metrics_in_its_lines(log: Log) -> None:
    log.happen(*builders.up(), wait=1)
    log.happen(builders.down(), wait=1)

    for _, line in log.about(ABOUT_A_PEER):
        assert (line["peer"], line["address"]) == ("tor-a", str(TOR_A))


def test_of_several_peers_with_its_address_a_session_has_the_name_of_the_one_that_is_meant(
    log: Log,
) -> None:
    racks = tuple(
        builders.a_peer(f"gw-{rack}", selector=builders.in_rack(rack)) for rack in ("b", "a")
    )
    log.happen(events.ConfigLoaded(config=builders.a_config(peers=racks)), wait=1)
    log.happen(*builders.up(), wait=1)
    log.happen(events.NodeSeen(node=builders.a_node(labels={"rack": "b"})), wait=1)
    log.happen(builders.down(), wait=1)

    told = [(line["event"], line["peer"]) for _, line in log.about(ABOUT_A_PEER)]
    assert told == [("session.established", "gw-a"), ("session.lost", "gw-b")]


@pytest.mark.fault(
    area="health and flapping",
    what="a check flaps for hours",
    sees="as its hold-down allows; the log has 40 lines an hour at most, and the last state",
    within="0 s",
)
def test_decisions_that_flap_are_told_at_a_bounded_rate_and_the_last_one_always(log: Log) -> None:
    for number in range(2000):
        node = builders.a_node(is_unschedulable=number % 2 == 0)
        log.happen(events.NodeSeen(node=node), wait=5)
    log.happen(events.NodeSeen(node=builders.a_node(is_unschedulable=True)), wait=5)
    for _ in range(200):
        log.happen(events.Tick(), wait=1)

    assert log.in_any_hour({"decision.changed"}) <= 40
    _, last = log.about({"decision.changed"})[-1]
    assert any("cordoned" in why for why in last["withheld"].values())


def test_a_peer_that_edits_take_away_and_bring_back_is_told_as_it_is_in_the_end(log: Log) -> None:
    both, one = (builders.a_row(), builders.a_row(TOR_B)), (builders.a_row(),)
    for _ in range(50):
        log.happen(events.ConfigLoaded(config=builders.a_config()), wait=10)
        log.happen(events.NeighborsRead(rows=both), *builders.up(TOR_B), wait=10)
        only = builders.a_config(peers=(builders.a_peer(),))
        log.happen(events.ConfigLoaded(config=only), wait=10)
        log.happen(events.NeighborsRead(rows=one), wait=10)
    log.happen(events.Tick(), wait=601)

    found = log.about(ABOUT_A_PEER | {"session.removed"})
    moments = [at for at, line in found if line["address"] == str(TOR_B)]
    last = [line for _, line in found if line["address"] == str(TOR_B)][-1]
    assert (last["event"], last["peer"]) == ("session.removed", "tor-b")
    assert max(sum(at <= each < at + HOUR for each in moments) for at in moments) <= 12


BESIDE = builders.a_config(
    peers=(builders.a_peer(bfd=bfd.Timing()), builders.a_peer("tor-b", TOR_B))
)


def beside(state: bfd.State, since: float, **more: Any) -> bfd.Seen:
    session = bfd.Session(address=TOR_A, state=state, since=since, downs=1, **more)
    return bfd.Seen(sessions={TOR_A: session})


def test_a_bfd_that_flaps_costs_twelve_lines_an_hour_and_its_last_state_is_told(log: Log) -> None:
    log.happen(events.ConfigLoaded(config=BESIDE))
    log.happen(reload.Taken(neighbors=log.turn.decision.neighbors or ()))
    while log.now < START + 1.25 * HOUR:
        log.happen(beside(bfd.State.DOWN, log.now, diagnostic=1), wait=2)
        log.happen(beside(bfd.State.UP, log.now), wait=2)
    for _ in range(601):
        log.happen(events.Tick(), wait=1)

    names = {"bfd.lost", "bfd.up"}
    told = log.about(names)
    assert log.in_any_hour(names) <= 12
    assert told[0][1]["why"] == "bfd-down: nothing heard in the detection time"
    assert told[-1][1]["event"] == "bfd.up"


def test_an_engine_that_is_away_and_comes_back_is_told_once_each(log: Log) -> None:
    log.happen(events.ConfigLoaded(config=BESIDE))
    log.happen(reload.Taken(neighbors=log.turn.decision.neighbors or ()))
    for found in (bfd.Seen(problem="it is away"), bfd.Seen(problem="it is away"), bfd.Seen()):
        log.happen(found, wait=1)

    told = [line["event"] for _, line in log.about({"bfd.unknown", "bfd.known"})]
    assert told == ["bfd.unknown", "bfd.known"]
