"""What a node says of itself to the cluster: rows, and three answers that scripts wait for."""

from __future__ import annotations

import json

import pytest

from exabgp_k8s.core.facts import config, events, model, reload
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import conditions, routes, rows, speaker, summary
from tests.support import builders
from tests.support.builders import START, TOR_B, after

NOW = START + 10
CORDONED = builders.a_node(is_unschedulable=True)


def said(world: World, now: float = NOW) -> speaker.Row:
    return speaker.status(builders.turn(world, now), now)


def condition(world: World, kind: conditions.Type, now: float = NOW) -> conditions.Condition:
    turn = builders.turn(world, now)
    found = conditions.find(turn, routes.standings(turn), now)
    return next(each for each in found if each.type is kind)


def announcing(world: World, now: float = NOW) -> tuple[str, str]:
    found = condition(world, conditions.Type.ANNOUNCING, now)
    return str(found.status), found.reason


@pytest.mark.parametrize(
    "world",
    [World(), builders.a_world(), builders.a_serving_world(), builders.a_world(node=CORDONED)],
    ids=["empty", "new", "serving", "cordoned"],
)
def test_every_row_is_json(world: World) -> None:
    assert json.loads(json.dumps(said(world), allow_nan=False)) == said(world)


def test_a_node_that_serves_says_so_in_three_conditions() -> None:
    world = builders.a_serving_world()

    found = said(world)["conditions"]

    assert [(each["type"], each["status"], each["reason"]) for each in found] == [
        ("Announcing", "True", "Announced"),
        ("SessionsEstablished", "True", "AllEstablished"),
        ("SettingsCurrent", "True", "Current"),
    ]


def test_the_words_are_those_of_status() -> None:
    world = builders.a_serving_world(node=builders.a_node())
    world = after(world, builders.down(TOR_B), events.NodeSeen(node=CORDONED))
    turn = builders.turn(world, NOW)
    found, status = speaker.status(turn, NOW), summary.status(turn, NOW)

    assert found["phase"] == status["phase"]
    assert found["summary"]["sessions"] == "1/2"
    for name, each in status["classes"].items():
        assert found["summary"][name] == each["state"]
    assert [(each["prefix"], each["state"]) for each in found["prefixes"]] == [
        (each["prefix"], each["state"]) for each in status["prefixes"]
    ]
    assert found["summary"]["reason"] == "cordoned"


def test_a_prefix_names_whom_it_was_sent_to_and_why_not_to_the_others() -> None:
    world = after(builders.a_serving_world(), builders.down(TOR_B))

    services = said(world)["prefixes"][0]

    assert services["sent_to"] == ["tor-a"]
    assert (services["sent"], services["meant"]) == (1, 2)
    assert services["reasons"] == [
        {"reason": "waiting for the session", "peers": ["tor-b"], "seconds": None}
    ]


def test_a_reason_that_keeps_a_prefix_from_one_peer_names_it() -> None:
    peers = (builders.a_peer(), builders.a_peer("tor-b", TOR_B, password_from="tor-b"))
    world = builders.a_world(settings=builders.a_config(peers=peers), node=CORDONED)

    found = said(world)["prefixes"][0]["reasons"]

    assert [(each["reason"], each["peers"], each["seconds"]) for each in found] == [
        ("cordoned", None, 10),
        ("password-missing:tor-b", ["tor-b"], None),
    ]


def test_what_a_router_has_not_given_up_yet_has_a_reason_too() -> None:
    world = after(builders.a_serving_world(), events.NodeSeen(node=CORDONED))

    found = said(world)["prefixes"][0]["reasons"]

    assert [(each["reason"], each["peers"]) for each in found] == [
        ("cordoned", None),
        ("withdrawing", ["tor-a", "tor-b"]),
    ]


def test_the_error_of_a_session_stays_when_it_is_up_again() -> None:
    world = after(builders.a_serving_world(), builders.down(problem="lost FIN in ESTABLISHED"))
    down = said(world)["sessions"][0]
    up = said(after(world, *builders.up(), now=START + 5))["sessions"][0]

    assert down["last_error"] == up["last_error"] != ""
    assert (down["last_error_seconds"], up["problem"]) == (10, "")


def test_nobody_knows_since_when_a_peer_is_held() -> None:
    peer = builders.a_peer(password_from="tor-a")
    world = builders.a_world(settings=builders.a_config(peers=(peer,)))

    (found,) = said(world)["sessions"]

    assert (found["state"], found["seconds"]) == ("Held", None)


def test_counters_and_time_alone_are_nothing_new() -> None:
    """Else an idle node would build its rows with every look at the counters."""
    world = builders.a_serving_world()
    counted = builders.after(
        world,
        events.NeighborsRead(
            rows=(builders.a_row(messages_sent=7), builders.a_row(TOR_B, messages_sent=9))
        ),
        events.KubeContact(),
        now=NOW,
    )

    assert counted != world
    assert speaker.is_same(builders.turn(world, NOW), builders.turn(counted, NOW + 60))


@pytest.mark.parametrize(
    "event",
    [
        builders.down(TOR_B),
        events.NodeSeen(node=CORDONED),
        events.ConfigRefused(problems=("x",)),
        events.DrainAsked(),
    ],
    ids=["session", "cordon", "settings", "drain"],
)
def test_what_the_rows_show_is_something_new(event: events.Event) -> None:
    world = builders.a_serving_world()

    assert not speaker.is_same(builders.turn(world, NOW), builders.turn(after(world, event), NOW))


# -- Announcing, which a reboot script waits for --------------------------------------------------


def test_a_node_announces_until_every_withdrawal_is_acknowledged() -> None:
    world = after(builders.a_serving_world(), events.NodeSeen(node=CORDONED))

    assert announcing(world) == ("True", "Withdrawing")
    assert announcing(builders.obeyed(world)) == ("False", "Cordoned")


def test_a_node_that_announces_to_one_of_two_routers_announces() -> None:
    world = after(builders.a_serving_world(), builders.down(TOR_B))

    assert announcing(world) == ("True", "Announced")


def test_a_route_that_is_about_to_be_sent_counts_as_announced() -> None:
    """A router may have it before its UPDATE is seen here."""
    world = builders.a_world(settings=builders.a_config(peers=(builders.a_peer(),)))
    neighbors = builders.decided(world).neighbors or ()
    world = after(world, reload.Taken(neighbors=neighbors), *builders.up())
    world = after(world, events.NeighborsRead(rows=(builders.a_row(),)), events.RibRead(routes=()))

    assert announcing(world) == ("True", "Sending")


def test_a_router_that_may_keep_the_routes_of_a_lost_session_still_has_them() -> None:
    """With graceful restart a router keeps them, and nobody can tell it to drop them."""
    peers = (builders.a_peer(graceful_restart=60),)
    world = builders.a_serving_world(settings=builders.a_config(peers=peers))
    world = after(world, builders.down(), events.NodeSeen(node=CORDONED))

    assert announcing(world) == ("True", "SessionLost")
    found = condition(world, conditions.Type.ANNOUNCING)
    assert found.message.startswith("tor-a may still have routes of a session that was lost")
    assert announcing(world, START + 200) == ("False", "Cordoned")


def test_what_an_earlier_agent_may_have_left_counts_until_its_time_is_over() -> None:
    world = builders.a_world(
        events.NeighborsRead(rows=()), events.RibRead(routes=()), node=CORDONED
    )

    assert announcing(world, START + 5) == ("True", "SessionLost")
    assert announcing(world, START + 500) == ("False", "Cordoned")


def test_before_exabgps_table_is_read_nothing_is_known() -> None:
    assert announcing(World(), START + 10_000) == ("Unknown", "NotKnownYet")


def test_without_a_router_the_reason_is_that_of_the_router() -> None:
    peer = builders.a_peer(password_from="tor-a")
    world = builders.a_world(
        reload.Taken(neighbors=()),
        events.NeighborsRead(rows=()),
        events.RibRead(routes=()),
        settings=builders.a_config(peers=(peer,)),
    )

    assert announcing(world, START + 1000) == ("False", "PasswordMissing")


def read(settings: config.Config) -> World:
    """Return a world in which ExaBGP was asked, and has no session up."""
    return builders.a_world(events.NeighborsRead(rows=()), settings=settings)


# -- the other two --------------------------------------------------------------------------------


def test_a_session_that_is_down_is_named() -> None:
    found = condition(
        after(builders.a_serving_world(), builders.down(TOR_B)), conditions.Type.SESSIONS
    )

    assert (found.status, found.reason) == (conditions.Status.NO, "SomeDown")
    assert found.message == "1 of 2 sessions are not established: tor-b"


def test_a_peer_that_is_held_is_a_session_that_is_not_established() -> None:
    peer = builders.a_peer(password_from="tor-a")
    world = read(builders.a_config(peers=(peer,)))

    found = condition(world, conditions.Type.SESSIONS)

    assert (found.status, found.reason) == (conditions.Status.NO, "NoneEstablished")
    assert found.message.endswith("tor-a (password-missing:tor-a)")


def test_a_node_without_any_peer_says_so() -> None:
    peer = builders.a_peer(selector=builders.in_rack("z"))
    world = read(builders.a_config(peers=(peer,)))

    assert condition(world, conditions.Type.SESSIONS).reason == "NoPeer"


def test_before_exabgp_was_asked_its_sessions_are_not_known() -> None:
    """An agent that was respawned finds sessions that stand."""
    world = builders.a_world(settings=builders.a_config())

    found = condition(world, conditions.Type.SESSIONS)

    assert (found.status, found.reason) == (conditions.Status.UNKNOWN, "NotKnownYet")


def test_refused_settings_are_not_current_and_say_why() -> None:
    world = after(
        builders.a_serving_world(), events.ConfigRefused(problems=("peers: is missing",))
    )

    found = condition(world, conditions.Type.SETTINGS)

    assert (found.status, found.reason) == (conditions.Status.NO, "Refused")
    assert found.message.endswith("peers: is missing")
    assert said(world)["settings"]["stale"] is True


@pytest.mark.parametrize("reason", model.Reason)
def test_every_reason_has_a_word_that_the_api_takes(reason: model.Reason) -> None:
    """A condition's reason is one word in CamelCase."""
    assert conditions.word(f"{reason}:detail").isalnum()
    assert conditions.word(reason)[0].isupper()


def test_the_sessions_of_the_summary_are_those_of_the_condition() -> None:
    peers = (*builders.two_peers(), builders.a_peer("far", selector=config.Selector()))
    world = read(builders.a_config(peers=peers))
    turn = builders.turn(world, NOW)

    of = len(rows.sessions(turn, NOW))

    assert speaker.status(turn, NOW)["summary"]["sessions"] == f"0/{of}"
    assert f"of {of} sessions" in condition(world, conditions.Type.SESSIONS).message
