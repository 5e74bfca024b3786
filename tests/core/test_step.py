"""A turn, and a drain from its request to its end."""

from __future__ import annotations

import ipaddress

from exabgp_k8s.core import quiet, step
from exabgp_k8s.core.facts import commands, config, events, lifecycle
from exabgp_k8s.core.facts.world import World
from tests.support import builders
from tests.support.builders import START, TOR_A, after

DRAINING, SETTLING = lifecycle.Phase.DRAINING, lifecycle.Phase.SETTLING
DRAINED, SERVING = lifecycle.Phase.DRAINED, lifecycle.Phase.SERVING
SETTINGS = builders.a_config(settle=3)


def draining(settings: config.Config = SETTINGS) -> World:
    return after(builders.a_serving_world(settings=settings), events.DrainAsked())


def phase(world: World, now: float) -> lifecycle.Phase:
    return step.step(world, (events.Tick(),), now).world.phase


def test_a_turn_is_pure() -> None:
    world = draining()

    once, again = (step.step(world, (events.Tick(),), START) for _ in range(2))

    assert once == again


def test_a_drain_lasts_until_every_withdrawal_is_acknowledged() -> None:
    world = draining()
    for command in builders.single(step.step(world, (events.Tick(),), START).commands):
        assert phase(world, START) is DRAINING
        assert isinstance(command, commands.Withdraw)
        world = after(world, events.CommandDone(command=command))
        assert phase(world, START) is DRAINING
        world = after(world, builders.echo(command))

    assert phase(world, START) is SETTLING


def test_then_the_routers_have_time_to_settle() -> None:
    world = builders.obeyed(draining())

    assert world.phase is SETTLING
    assert step.step(world, (events.Tick(),), START).deadline == START + 3
    assert phase(world, START + 2.9) is SETTLING
    assert phase(world, START + 3) is DRAINED


def test_a_drain_without_a_settle_time_is_over_with_its_acknowledgement() -> None:
    assert builders.obeyed(draining(builders.a_config(settle=0))).phase is DRAINED


def test_a_drain_with_a_graceful_shutdown_waits_for_its_hold() -> None:
    world = builders.obeyed(draining(builders.a_config(graceful_shutdown=10, settle=0)))
    assert world.phase is DRAINING

    world = builders.obeyed(world, START + 9)
    assert world.phase is DRAINING
    assert builders.announced(builders.decided(world, START + 9)) == set(builders.ALL_RANGES)

    assert builders.obeyed(world, START + 10).phase is DRAINED


def test_a_lost_session_holds_up_a_drain_while_its_router_may_have_routes() -> None:
    world = after(builders.a_serving_world(settings=SETTINGS), builders.down())
    world = after(world, events.DrainAsked(), now=START + 10)

    assert builders.obeyed(world, START + 10).phase is SETTLING


def test_a_drain_is_not_over_while_the_table_is_unknown() -> None:
    world = builders.a_world(events.DrainAsked())

    assert phase(world, START + 60) is DRAINING


def test_an_undrained_node_announces_everything_again() -> None:
    drained = builders.obeyed(builders.obeyed(draining()), START + 3)
    assert drained.phase is DRAINED

    world = after(drained, events.UndrainAsked(), now=START + 10)
    world = builders.obeyed(world, START + 11)

    assert world.phase is SERVING
    assert {prefix for held in (world.rib or {}).values() for prefix in held.routes} == set(
        builders.ALL_RANGES
    )


def test_a_stray_route_reopens_a_drain() -> None:
    drained = builders.obeyed(builders.obeyed(draining()), START + 3)
    stray = events.UpdateSent(peer=TOR_A, announced=frozenset({builders.POD_RANGE}))

    turn = step.step(drained, (stray,), START + 4)

    assert turn.world.phase is DRAINING
    assert builders.obeyed(turn.world, START + 4).phase is SETTLING


def test_a_change_without_its_update_sets_a_deadline() -> None:
    changed = commands.Announce(route=builders.a_route())
    world = after(builders.a_serving_world(), events.CommandDone(command=changed))

    assert step.step(world, (events.Tick(),), START).deadline == START + 5


def test_an_update_that_says_nothing_new_asks_for_no_turn() -> None:
    """A router may ask for its routes as often as it likes."""
    world = builders.a_serving_world()
    assert world.rib is not None
    (peer, rib), *_ = world.rib.items()
    again = events.UpdateSent(peer=peer, announced=frozenset(rib.routes))

    assert rib.routes
    assert not quiet.is_turn_due(world, (again, again))
    assert quiet.is_turn_due(world, (again, events.Tick()))


def test_an_update_that_is_waited_for_asks_for_a_turn() -> None:
    world = draining()
    (first, *_) = builders.single(step.step(world, (events.Tick(),), START).commands)
    assert isinstance(first, commands.Withdraw)
    world = after(world, events.CommandDone(command=first))

    assert quiet.is_turn_due(world, (builders.echo(first),))


def test_an_update_of_what_nobody_asked_for_asks_for_a_turn() -> None:
    world = builders.a_serving_world()
    stray = events.UpdateSent(
        peer=TOR_A, announced=frozenset({ipaddress.ip_network("198.51.100.0/24")})
    )

    assert quiet.is_turn_due(world, (stray,))
