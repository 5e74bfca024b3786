"""Ready is a pod whose node is back, or is out because somebody decided it."""

from __future__ import annotations

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import readiness
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B, after

NOW = START + 10


def missing(world: World, now: float = NOW) -> tuple[str, ...]:
    return readiness.missing(step.step(world, (events.Tick(),), now))


def test_a_node_that_announces_everything_is_ready() -> None:
    assert missing(builders.a_serving_world()) == ()


def test_before_the_node_is_seen_nothing_is_ready() -> None:
    world = after(
        World(started=START, node_name="n1"), events.ConfigLoaded(config=builders.a_config())
    )

    assert missing(world) == ("the Node object n1 has not been seen",)
    assert missing(after(world, events.NodeGone())) == ("there is no Node object named n1",)


def test_one_held_peer_does_not_stop_a_rollout_while_another_is_established() -> None:
    peers = (builders.a_peer(), builders.a_peer("tor-b", TOR_B, password_from="tor-b"))

    assert missing(builders.a_serving_world(settings=builders.a_config(peers=peers))) == ()


def test_one_router_that_is_away_does_not_either() -> None:
    assert missing(after(builders.a_serving_world(), builders.down())) == ()


def test_without_any_session_the_rollout_waits_and_is_told_why() -> None:
    world = after(builders.a_serving_world(), builders.down(), builders.down(TOR_B))

    assert missing(world)[0] == (
        "10.96.0.0/16 (services) is waiting: "
        "tor-a: waiting for the session; tor-b: waiting for the session"
    )


def test_a_node_that_only_has_peers_held_back_is_not_ready() -> None:
    peers = (builders.a_peer(password_from="tor-a"),)

    found = missing(builders.a_serving_world(settings=builders.a_config(peers=peers)))

    assert found[0].endswith("tor-a: held, password-missing:tor-a")


def test_a_node_that_no_peer_is_meant_for_is_not_ready() -> None:
    rack = config.Requirement(key="room", operator=config.Operator.EXISTS)
    peer = builders.a_peer(selector=config.Selector(requirements=(rack,)))

    found = missing(builders.a_serving_world(settings=builders.a_config(peers=(peer,))))

    assert found[0] == "10.96.0.0/16 (services) is withheld: no-peer"


def test_a_cordoned_node_is_ready() -> None:
    """A rollout would hang on it for as long as the admin works on it."""
    assert missing(builders.a_serving_world(node=builders.a_node(is_unschedulable=True))) == ()


def test_a_node_that_the_operator_drained_is_ready() -> None:
    assert missing(builders.obeyed(builders.a_serving_world(events.DrainAsked()))) == ()


def test_an_unhealthy_node_stops_the_rollout_which_may_be_why() -> None:
    settings = builders.a_config(checks=(builders.a_check(),))
    world = builders.a_serving_world(builders.outcome(is_ok=True), settings=settings)
    world = builders.obeyed(after(world, builders.outcome(is_ok=False)))

    assert "unhealthy:kube-proxy" in missing(world)[0]


def test_a_hold_down_is_waited_for() -> None:
    settings = builders.a_config(hold_down=config.HoldDown(initial=30))
    world = builders.a_serving_world(
        settings=settings, node=builders.a_node(is_unschedulable=True)
    )
    world = after(world, events.NodeSeen(node=builders.a_node()))

    assert missing(world)[0] == "10.96.0.0/16 (services) is withheld: hold-down"


def test_a_class_that_is_still_held_down_is_waited_for_though_the_other_is_back() -> None:
    check = builders.a_check(affects=frozenset({builders.SERVICES}))
    settings = builders.a_config(checks=(check,), hold_down=config.HoldDown(initial=30))
    world = builders.a_serving_world(builders.outcome(is_ok=True), settings=settings)
    world = builders.obeyed(after(world, builders.outcome(is_ok=False)))
    assert missing(world) == ()
    world = after(world, builders.outcome(is_ok=True), now=START + 5)

    assert missing(world)[0] == "10.96.0.0/16 (services) is withheld: hold-down"


def test_a_prefix_on_its_way_to_its_first_router_is_waited_for() -> None:
    peers = (builders.a_peer(),)
    world = builders.a_serving_world(settings=builders.a_config(peers=peers))
    world = after(world, events.CommandDone(command=commands.Announce(route=builders.a_route())))

    assert missing(world)[0] == "10.96.0.0/16 (services) is waiting: tor-a: sending"


def test_a_part_that_cannot_be_announced_keeps_nobody_from_being_ready() -> None:
    """An old pod that is not ready is replaced beside maxUnavailable: on all nodes at once."""
    only = events.Negotiated(peer=TOR_A, families=frozenset({model.Family.IPV4}), hold_time=9)
    peers = (builders.a_peer(),)
    world = after(builders.a_serving_world(settings=builders.a_config(peers=peers)), only)

    turn = step.step(world, (events.Tick(),), NOW)

    assert readiness.missing(turn) == ()
    assert "fd00:96::/112 (services) is waiting: tor-a: family not negotiated" in (
        readiness.lacking(turn)
    )
