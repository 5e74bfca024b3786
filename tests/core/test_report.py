"""What people see: plain rows, one word for one thing, no secret anywhere."""

from __future__ import annotations

import json
import pathlib

import pytest

import exabgp_k8s.core
from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import routes, rows, summary
from tests.support import builders
from tests.support.builders import POD_RANGE, SERVICE_RANGE, START, TOR_A, TOR_B, after

PASSWORD = "correct horse battery staple"
NOW = START + 10


def turn(world: World, now: float = NOW) -> Turn:
    return step.step(world, (events.Tick(),), now)


def everything(world: World) -> dict[str, object]:
    """Return all that people can ask for."""
    latest = turn(world)
    return {
        "status": summary.status(latest, NOW),
        "sessions": rows.sessions(latest, NOW),
        "routes": routes.rows(latest),
        "checks": rows.checks(latest, NOW),
        "why": routes.why(latest, None, NOW),
    }


def states(world: World, prefix: model.Network = SERVICE_RANGE) -> dict[str, str]:
    """Return the state of a prefix for each peer."""
    return {
        row["peer"]: row["state"]
        for row in routes.rows(turn(world))
        if row["prefix"] == str(prefix)
    }


@pytest.mark.parametrize(
    "world",
    [
        World(),
        builders.a_world(),
        builders.a_serving_world(),
        builders.a_serving_world(events.DrainAsked()),
        builders.a_world(node=builders.a_node(pod_cidrs=(), internal_ips=())),
        builders.a_world(
            builders.outcome(is_ok=False),
            settings=builders.a_config(checks=(builders.a_check(), builders.a_check("dns"))),
        ),
    ],
    ids=["empty", "new", "serving", "draining", "held", "unhealthy"],
)
def test_every_row_is_json(world: World) -> None:
    rows = everything(world)

    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_nothing_secret_is_shown() -> None:
    peer = builders.a_peer(password_from="tor-a")
    world = builders.a_world(
        settings=builders.a_config(peers=(peer,)),
        passwords={"tor-a": model.Secret(PASSWORD)},
    )

    assert PASSWORD not in json.dumps(everything(world))
    assert PASSWORD not in repr(turn(world))


@pytest.mark.parametrize("reason", model.Reason)
def test_every_reason_is_given_somewhere(reason: model.Reason) -> None:
    """A word of the enum that no code gives is a promise that status never keeps."""
    folder = pathlib.Path(exabgp_k8s.core.__file__).parent
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.rglob("*.py")
        if path.name not in {"model.py", "config.py"}
    )

    assert f"model.Reason.{reason.name}" in code


def test_the_status_names_the_causes_with_their_age() -> None:
    world = builders.a_world(node=builders.a_node(is_unschedulable=True))

    found = summary.status(turn(world), NOW)

    assert found["causes"] == [{"cause": "cordoned", "seconds": 10}]
    assert found["classes"]["pods"] == {
        "state": "withheld",
        "action": "withdraw",
        "prefixes": [str(POD_RANGE), str(builders.POD_RANGE6)],
        "announced": [],
    }
    assert {tuple(each["reasons"]) for each in found["withheld"]} == {("cordoned",)}


def test_the_status_of_a_serving_node() -> None:
    found = summary.status(turn(builders.a_serving_world()), NOW)

    assert found["node"] == "node-3"
    assert found["phase"] == "serving"
    assert found["sessions"] == {"up": 2, "configured": 2}
    assert found["withheld"] == []
    assert found["kubernetes"]["last_contact_seconds"] == 10
    assert found["uptime_seconds"] == 10


def test_the_status_says_announced_only_of_what_a_peer_was_sent() -> None:
    down = builders.a_world()

    def states(world: World) -> set[str]:
        return {each["state"] for each in summary.status(turn(world), NOW)["classes"].values()}

    assert states(builders.a_serving_world()) == {"announced"}
    assert states(World()) == {"waiting"}
    assert states(down) == {"waiting"}


def test_a_peer_that_is_held_back_counts_and_is_named() -> None:
    settings = builders.a_config(
        peers=(builders.a_peer(), builders.a_peer("tor-b", TOR_B, password_from="tor-b"))
    )
    found = summary.status(turn(builders.a_world(settings=settings)), NOW)

    assert found["held"] == [{"peer": "tor-b", "cause": "password-missing:tor-b"}]
    assert found["sessions"]["configured"] > found["sessions"]["up"]


def held(world: World, peer: model.Address = TOR_A) -> list[commands.Announce]:
    """Return what ExaBGP holds for a router, as commands."""
    assert world.rib is not None
    return [commands.Announce(route=route) for route in world.rib[peer].routes.values()]


class TestSessions:
    def row(self, world: World, peer: str = "tor-a") -> rows.Row:
        return next(row for row in rows.sessions(turn(world), NOW) if row["peer"] == peer)

    def test_established(self) -> None:
        world = after(
            builders.a_serving_world(), events.NeighborsRead(rows=(builders.a_row(duration=0),))
        )

        row = self.row(world)

        assert (row["state"], row["up"], row["seconds"]) == ("Established", True, 10)
        assert (row["prefixes_sent"], row["unacknowledged"]) == (4, 0)
        assert row["router_id"] == str(TOR_A)

    def test_what_a_new_session_was_not_sent_yet_is_not_acknowledged(self) -> None:
        flushed = events.CommandDone(command=commands.Flush(peer=TOR_A))
        back = after(builders.a_serving_world(), builders.down(), *builders.up())
        asked = after(back, flushed)
        sent = after(asked, *(builders.echo(each) for each in held(asked)))

        found = [self.row(world)["unacknowledged"] for world in (back, asked, sent)]

        assert found == [4, 4, 0]

    @pytest.mark.parametrize(
        ("fsm", "word"),
        [
            ("IDLE", "Idle"),
            ("ACTIVE", "Active"),
            ("CONNECT", "Connect"),
            ("OPENSENT", "OpenSent"),
            ("OPENCONFIRM", "OpenConfirm"),
            ("ESTABLISHED", "Active"),
        ],
    )
    def test_down_in_the_words_of_the_rfc(self, fsm: str, word: str) -> None:
        """A session that went down since the counters were read is not Established any more."""
        down = builders.a_row(is_up=False, fsm=fsm)

        world = after(builders.a_serving_world(), events.NeighborsRead(rows=(down,)))

        assert self.row(world)["state"] == word

    def test_held_with_its_reason(self) -> None:
        settings = builders.a_config(peers=(builders.a_peer(password_from="tor-a"),))

        row = self.row(builders.a_world(settings=settings))

        assert (row["state"], row["problem"]) == ("Held", "password-missing:tor-a")

    @pytest.mark.parametrize(
        ("asked", "agreed", "sent"), [(None, 9, 3), (1, 9, 1), (3, 3, 1), (3, 0, 0)]
    )
    def test_keepalives_go_by_what_was_agreed_and_what_is_asked(
        self, asked: int | None, agreed: int, sent: int
    ) -> None:
        settings = builders.a_config(peers=(builders.a_peer(keepalive=asked),))
        agreement = events.Negotiated(
            peer=TOR_A, families=frozenset(builders.BOTH), hold_time=agreed
        )
        world = after(builders.a_serving_world(settings=settings), agreement)

        (row,) = rows.sessions(turn(world), NOW)

        assert (row["hold_time"], row["keepalive"]) == (agreed, sent)

    def test_of_other_racks_are_not_listed(self) -> None:
        rack = config.Requirement(key="rack", operator=config.Operator.IN, values=frozenset({"z"}))
        peer = builders.a_peer(selector=config.Selector(requirements=(rack,)))
        settings = builders.a_config(peers=(peer, builders.a_peer("tor-b", builders.TOR_B)))

        found = rows.sessions(turn(builders.a_world(settings=settings)), NOW)

        assert [row["peer"] for row in found] == ["tor-b"]


class TestRoutes:
    def test_with_the_router(self) -> None:
        assert states(builders.a_serving_world()) == {"tor-a": "announced", "tor-b": "announced"}

    def test_on_the_way(self) -> None:
        changed = commands.Announce(route=builders.a_route())

        world = after(builders.a_serving_world(), events.CommandDone(command=changed))

        assert states(world)["tor-a"] == "sending"

    def test_of_a_session_that_is_down(self) -> None:
        world = after(builders.a_serving_world(), builders.down())

        assert states(world)["tor-a"] == "waiting for the session"

    def test_of_a_family_that_the_router_does_not_speak(self) -> None:
        only = events.Negotiated(peer=TOR_A, families=frozenset({model.Family.IPV6}), hold_time=9)

        assert states(after(builders.a_serving_world(), only))["tor-a"] == "family not negotiated"

    def test_as_a_last_resort(self) -> None:
        settings = builders.a_config(graceful_shutdown=60)
        world = builders.a_serving_world(events.DrainAsked(), settings=settings)

        assert states(world)["tor-a"] == "deprioritised"

    def test_withheld_with_every_reason(self) -> None:
        world = builders.a_world(events.DrainAsked(), node=builders.a_node(is_unschedulable=True))

        rows = [row for row in routes.rows(turn(world)) if row["prefix"] == str(POD_RANGE)]

        assert [(row["state"], row["reasons"]) for row in rows] == [
            ("withheld", ["cordoned", "operator:drain"])
        ]


class TestWhy:
    def test_announced(self) -> None:
        (row,) = routes.why(turn(builders.a_serving_world()), SERVICE_RANGE, NOW)

        assert row["announced_to"] == ["tor-a", "tor-b"]
        assert (row["waiting"], row["withheld"]) == ({}, [])

    def test_waiting(self) -> None:
        world = after(builders.a_serving_world(), builders.down())

        (row,) = routes.why(turn(world), SERVICE_RANGE, NOW)

        assert row["announced_to"] == ["tor-b"]
        assert row["waiting"] == {"tor-a": "waiting for the session"}

    def test_withheld(self) -> None:
        world = builders.a_world(node=builders.a_node(is_unschedulable=True))

        (row,) = routes.why(turn(world), POD_RANGE, NOW)

        assert row["withheld"] == [
            {
                "reason": "cordoned",
                "action": "withdraw",
                "peer": None,
                "seconds": 10,
                "remaining_seconds": None,
            }
        ]

    def test_of_an_address_is_of_the_prefix_that_has_it(self) -> None:
        address = builders.networks(f"{SERVICE_RANGE[17]}/32")[0]
        (row,) = routes.why(turn(builders.a_serving_world()), address, NOW)

        assert row["prefix"] == str(SERVICE_RANGE)

    def test_of_a_prefix_that_nobody_speaks_of_is_empty(self) -> None:
        prefix = builders.networks("198.51.100.0/24")[0]

        assert routes.why(turn(builders.a_world()), prefix, NOW) == []


class TestChecks:
    def test_without_an_outcome(self) -> None:
        settings = builders.a_config(checks=(builders.a_check(),))

        (row,) = rows.checks(turn(builders.a_world(settings=settings)), NOW)

        assert (row["health"], row["last"], row["seconds"]) == ("unknown", None, None)

    def test_with_one(self) -> None:
        settings = builders.a_config(checks=(builders.a_check(),))
        world = builders.a_world(builders.outcome(is_ok=False), settings=settings)

        (row,) = rows.checks(turn(world), NOW)

        assert (row["health"], row["last"], row["message"]) == ("down", "failed", "refused")
        assert (row["failures"], row["seconds"], row["last_seconds"]) == (1, 10, 10)
