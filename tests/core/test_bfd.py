"""BFD beside the sessions: which are wanted, what is shown of them, and what is said once."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

import pytest

from exabgp_k8s.core.decide import bfd as decide
from exabgp_k8s.core.facts import absences, bfd, config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import bfd as report
from exabgp_k8s.core.report import notices, rows, summary
from exabgp_k8s.core.report.notice import Word
from exabgp_k8s.core.report.told import Told
from tests.support import builders
from tests.support.builders import NODE_IP, START, TOR_A, TOR_B

TIMING = bfd.Timing(interval=300, multiplier=3)
PEERS = (builders.a_peer(bfd=TIMING), builders.a_peer("tor-b", TOR_B))
SETTINGS = builders.a_config(peers=PEERS)
OURS = bfd.Wanted(name="tor-a", address=TOR_A, local=NODE_IP, timing=TIMING)
NOW = START + 100


def serving(**changes: Any) -> World:
    """Return a node that serves, whose sessions were read just now."""
    world = builders.a_serving_world(settings=SETTINGS)
    return dataclasses.replace(world, **{"neighbors_read_at": NOW, **changes})


def seen(state: bfd.State = bfd.State.UP, since: float = START, **more: Any) -> bfd.Seen:
    session = bfd.Session(address=TOR_A, state=state, since=since, **more)
    return bfd.Seen(sessions={TOR_A: session})


def wanted(world: World, *standing: bfd.Wanted) -> tuple[bfd.Wanted, ...] | None:
    turn = builders.turn(world, NOW)
    return decide.wanted(turn.world, turn.decision, decide.asked(turn.world), standing)


def shown(world: World) -> Any:
    return rows.sessions(builders.turn(world, NOW), NOW)[0]["bfd"]


class TestWanted:
    def test_a_peer_that_asks_for_it_has_one_and_no_other(self) -> None:
        assert wanted(serving()) == (OURS,)

    def test_before_the_node_was_seen_what_stands_stays(self) -> None:
        world = builders.after(World(started=START), events.ConfigLoaded(config=SETTINGS))

        assert wanted(world, OURS) is None

    def test_before_exabgp_was_read_what_stands_stays(self) -> None:
        """Which sessions are about to end is not known then."""
        assert wanted(serving(neighbors=None), OURS) is None

    def test_a_session_that_still_ends_keeps_what_watches_it(self) -> None:
        """Without it the router would drop the session before the routes are withdrawn."""
        gone = builders.a_config(peers=PEERS[1:])
        world = builders.after(serving(), events.ConfigLoaded(config=gone))

        assert wanted(world, OURS) == (OURS,)
        ended = dataclasses.replace(world, neighbors=(world.running[TOR_B],))
        assert wanted(ended, OURS) == ()

    def test_a_session_that_moves_is_watched_where_it_runs(self) -> None:
        other = ipaddress.ip_address("192.0.2.99")
        moved = dataclasses.replace(serving().running[TOR_A], local_address=other)
        world = serving()

        found = wanted(dataclasses.replace(world, neighbors=(moved, world.running[TOR_B])))

        assert found is not None
        assert [each.local for each in found] == [other]

    def test_a_peer_that_is_held_for_want_of_something_keeps_what_it_had(self) -> None:
        """A new pod may not have found the router yet, and the engine outlives pods."""
        world = serving(neighbors=())
        turn = builders.turn(world, NOW)
        cause = model.Cause(model.Reason.ROUTER_MISSING)
        held = (absences.PeerHeld(name="tor-a", address=None, cause=cause),)
        decision = dataclasses.replace(turn.decision, neighbors=(), peers_held=held)

        assert decide.wanted(world, decision, {"tor-a": TIMING}, (OURS,)) == (OURS,)

    def test_a_peer_that_is_not_for_this_node_has_none(self) -> None:
        elsewhere = builders.a_peer(bfd=TIMING, selector=builders.in_rack("z"))
        world = builders.a_serving_world(settings=builders.a_config(peers=(elsewhere, PEERS[1])))

        assert wanted(world, OURS) == ()


class TestShown:
    def test_of_a_session_without_it_there_is_nothing(self) -> None:
        world = builders.a_serving_world()

        assert [row["bfd"] for row in rows.sessions(builders.turn(world, NOW), NOW)] == [
            None,
            None,
        ]
        assert summary.status(builders.turn(world, NOW), NOW)["bfd"] is None

    def test_what_is_up_has_its_times_and_no_problem(self) -> None:
        found = shown(serving(bfd=seen(interval=300, detect=900, downs=2)))

        assert found == {
            "state": "Up",
            "up": True,
            "seconds": 100.0,
            "problem": "",
            "diagnostic": None,
            "downs": 2,
            "multihop": False,
            "interval_ms": 300,
            "multiplier": 3,
            "agreed_interval_ms": 300,
            "detection_ms": 900,
        }

    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            (None, "bfd-unknown: the BFD engine was not heard yet"),
            (bfd.Seen(problem="it is away"), "bfd-unknown: it is away"),
            (bfd.Seen(), "bfd-unknown: the BFD engine has no session with this router yet"),
            (
                seen(bfd.State.DOWN, diagnostic=1, downs=1),
                "bfd-down: nothing heard in the detection time",
            ),
            (seen(bfd.State.DOWN, downs=1), "bfd-down"),
            (
                seen(bfd.State.DOWN),
                "bfd-down: not up since this agent started; has the router BFD for this node?",
            ),
            (seen(bfd.State.DOWN, diagnostic=30, downs=1), "bfd-down: diagnostic 30"),
            (seen(bfd.State.ADMIN_DOWN, downs=1), "bfd-admindown"),
            (
                seen(bfd.State.DOWN, downs=1, is_listed=False),
                f"bfd-down: {report.UNLISTED}",
            ),
        ],
    )
    def test_why_it_is_not_up_is_said_in_words(self, said: bfd.Seen | None, problem: str) -> None:
        found = shown(serving(bfd=said))

        assert (found["problem"], found["up"]) == (problem, False)

    def test_the_session_itself_is_shown_as_it_is(self) -> None:
        """BFD down beside a session that is up is no fault of the session."""
        world = serving(bfd=seen(bfd.State.DOWN, diagnostic=1, downs=1))
        row = rows.sessions(builders.turn(world, NOW), NOW)[0]

        assert (row["state"], row["problem"]) == ("Established", "")

    def test_status_counts_and_names(self) -> None:
        down = serving(bfd=seen(bfd.State.DOWN, diagnostic=1, downs=1))

        assert summary.status(builders.turn(down, NOW), NOW)["bfd"] == {
            "up": 0,
            "wanted": 1,
            "problem": "",
            "down": {"tor-a": "bfd-down: nothing heard in the detection time"},
        }

    def test_status_says_what_is_wrong_with_the_engine(self) -> None:
        world = serving(bfd=bfd.Seen(problem="it is away"))

        assert summary.status(builders.turn(world, NOW), NOW)["bfd"]["problem"] == "it is away"


@pytest.mark.parametrize("state", bfd.State)
def test_no_state_of_bfd_changes_anything_for_exabgp(state: bfd.State) -> None:
    """The router decides what follows (RFC 5882 section 4); not both ends."""
    before = builders.turn(serving(bfd=seen()), NOW)
    after = builders.turn(
        builders.after(before.world, seen(state, downs=9, diagnostic=1), now=NOW), NOW
    )

    assert after.decision == before.decision
    assert after.commands == ()
    assert after.stage == before.stage


class Teller:
    """What is said as Events while BFD changes."""

    def __init__(self) -> None:
        self.told, _ = notices.tell(Told(), builders.turn(serving(bfd=seen()), NOW))

    def hears(self, found: bfd.Seen | None, **changes: Any) -> list[tuple[Word, str]]:
        world = serving(bfd=found, **changes)
        self.told, new = notices.tell(self.told, builders.turn(world, NOW))
        return [(each.word, each.message) for each in new]


def lost(since: float = NOW) -> bfd.Seen:
    return seen(bfd.State.DOWN, since, diagnostic=1, downs=1)


class TestNotices:
    def test_a_loss_is_said_once(self) -> None:
        node = Teller()

        ((word, message),) = node.hears(lost())

        assert word is Word.BFD_LOST
        assert "tor-a (192.0.2.1) is not up: bfd-down: nothing heard" in message
        assert node.hears(lost()) == []

    def test_a_session_that_the_engine_has_no_more_is_a_loss(self) -> None:
        node = Teller()

        ((word, message),) = node.hears(seen(bfd.State.DOWN, NOW, downs=1, is_listed=False))

        assert word is Word.BFD_LOST
        assert "BIRD has no session" in message

    def test_the_return_is_said_once_it_lasts(self) -> None:
        node = Teller()
        node.hears(lost())

        assert node.hears(seen(since=NOW - 1, downs=1)) == []
        ((word, _),) = node.hears(seen(since=NOW - 60, downs=1))
        assert word is Word.BFD_UP

    def test_what_comes_and_goes_is_one_loss(self) -> None:
        node = Teller()

        found = [
            said
            for number in range(20)
            for said in node.hears(lost() if number % 2 else seen(since=NOW, downs=1))
        ]

        assert [word for word, _ in found] == [Word.BFD_LOST]

    def test_an_engine_that_is_away_ends_nothing_and_begins_nothing(self) -> None:
        node = Teller()

        assert node.hears(bfd.Seen(problem="it is away")) == []
        node.hears(lost())
        assert node.hears(bfd.Seen(problem="it is away")) == []
        assert node.hears(lost()) == []

    def test_what_never_came_up_is_said_after_a_while(self) -> None:
        node = Teller()

        assert node.hears(seen(bfd.State.DOWN, NOW - 1)) == []
        ((word, message),) = node.hears(seen(bfd.State.DOWN, NOW - 60))
        assert word is Word.BFD_LOST
        assert "has the router BFD for this node?" in message


def test_a_peer_keeps_its_bfd_when_the_node_finds_its_address() -> None:
    entry = config.Entry(name="gw", asn=64513, local_asn=64512, bfd=TIMING)

    assert entry.at(TOR_A).bfd == TIMING
