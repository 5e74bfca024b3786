"""What routers may still have of lost sessions, and what a drain makes of it."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, events, lifecycle, reload
from exabgp_k8s.core.facts.world import PeerRib, World
from exabgp_k8s.core.judge import remnants
from exabgp_k8s.core.report import waits
from tests.support import builders
from tests.support.builders import START, TOR_A, after

RESTARTING = builders.a_config(settle=0, peers=(builders.a_peer(graceful_restart=60),))
OTHER_IP = ipaddress.ip_address("192.0.2.77")


def serving() -> World:
    return builders.a_serving_world(settings=RESTARTING)


def awaited(world: World, now: float = START) -> set[float]:
    world = step.step(world, (events.Tick(),), now).world
    return set(remnants.awaited(world, now).values())


def test_with_graceful_restart_the_restart_time_comes_after_the_hold_time() -> None:
    assert awaited(after(serving(), builders.down())) == {START + 9 + 60}


def test_a_router_without_graceful_restart_has_the_hold_time_only() -> None:
    row = builders.a_row(local_hold_time=9, graceful_restart=False)
    world = after(serving(), events.NeighborsRead(rows=(row,)), builders.down())

    assert awaited(world) == {START + 9}


@pytest.mark.parametrize("is_drained", [True, False])
def test_nothing_is_left_where_the_router_said_so_or_everything_was_withdrawn(
    *, is_drained: bool
) -> None:
    world = serving()
    if is_drained:
        world = builders.obeyed(after(world, events.DrainAsked()))

    reason = "closing connection" if is_drained else "notification received (6,4)"
    assert awaited(after(world, builders.down(problem=reason))) == set()


def test_a_drain_says_for_whom_it_waits_and_how_long() -> None:
    world = after(serving(), builders.down(), events.DrainAsked())

    (waited,) = waits.find(step.step(world, (events.Tick(),), START), START + 1)

    assert waited.what is waits.What.LOST_SESSION
    assert waited.until == START + 69
    assert str(TOR_A) in waited.then


def test_a_session_that_is_back_clears_it_with_its_end_of_rib() -> None:
    world = after(serving(), builders.down(), events.DrainAsked(), *builders.up())
    assert awaited(world)

    turn = step.step(world, (events.Tick(),), START)
    while turn.commands and not isinstance(turn.commands[0], commands.EndOfRib):
        turn = step.step(turn.world, builders.answers(turn.world, turn.commands[0]), START)
    assert turn.world.phase is lifecycle.Phase.DRAINING, "before its End-of-RIB"

    world = builders.obeyed(turn.world)
    assert awaited(world) == set()
    assert world.phase is lifecycle.Phase.DRAINED


def test_a_session_from_another_address_clears_nothing() -> None:
    """To the router it is another neighbor."""
    negotiated, changed = builders.up()
    assert isinstance(changed, events.SessionChanged)
    other = dataclasses.replace(changed, local=OTHER_IP)

    world = builders.obeyed(after(serving(), builders.down(), negotiated, other))

    assert awaited(world) == {START + 69}


def test_a_peer_that_was_not_spoken_to_yet_may_have_routes_of_an_earlier_process() -> None:
    world = builders.a_world(settings=RESTARTING)
    neighbors = builders.decided(world).neighbors or ()
    world = after(world, reload.Taken(neighbors=neighbors))

    assert awaited(world, START + 1) == {START + 69}
    assert awaited(world, START + 69) == set()


def test_without_graceful_restart_an_earlier_process_left_its_routes_for_the_hold_time() -> None:
    world = builders.a_world(settings=builders.a_config(peers=(builders.a_peer(),)))
    neighbors = builders.decided(world).neighbors or ()
    world = after(world, reload.Taken(neighbors=neighbors))

    assert awaited(world) == {START + 9}
    assert awaited(world, START + 9) == set()


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_drain_before_the_first_configuration_waits_for_every_peer(*, is_seen: bool) -> None:
    world = builders.a_world(settings=RESTARTING)
    if not is_seen:
        world = dataclasses.replace(world, node=None, node_seen=None)
    world = dataclasses.replace(world, rib={}, is_rib_current=True)

    world = after(world, events.DrainAsked(), now=START + 1)

    assert awaited(world, START + 2) == {START + 69}
    assert world.phase is lifecycle.Phase.DRAINING


def test_a_peer_that_is_held_back_may_have_routes_of_an_earlier_process() -> None:
    """It had an address then; that the Node lists none now takes nothing from its router."""
    world = builders.a_world(settings=RESTARTING, node=builders.a_node(internal_ips=()))
    world = after(world, reload.Taken(neighbors=()), events.DrainAsked())

    assert awaited(world) == {START + 9 + 60}
    (waited,) = waits.find(step.step(world, (events.Tick(),), START), START + 1)
    assert "an earlier process" in waited.then


def test_a_peer_that_is_gone_from_the_settings_keeps_its_restart_time() -> None:
    world = after(serving(), builders.down(), *builders.up(), now=START + 1)
    world = after(world, events.ConfigLoaded(config=builders.a_config(peers=())))
    world = after(world, reload.Taken(neighbors=()), builders.down(), now=START + 2)

    assert awaited(world, START + 3) == {START + 2 + 69}


def test_a_pod_that_is_replaced_waits_for_none_of_it() -> None:
    world = after(serving(), builders.down(), events.DrainAsked(is_stopping=True, is_rollout=True))

    assert awaited(world) == set()


def test_a_session_that_falls_before_its_end_of_rib_clears_nothing_of_an_earlier_process() -> None:
    world = builders.a_world(settings=RESTARTING)
    neighbors = builders.decided(world).neighbors or ()
    world = after(world, reload.Taken(neighbors=neighbors))
    world = dataclasses.replace(world, rib={TOR_A: PeerRib()}, is_rib_current=True)

    world = after(world, *builders.up(), events.DrainAsked(), builders.down(), now=START + 1)

    assert awaited(world, START + 2) == {START + 1 + 69}


def test_the_gateway_of_a_former_rack_may_still_have_routes_of_an_earlier_agent() -> None:
    """Both racks call their gateway alike; the former one's session had graceful restart."""
    former = builders.a_peer(graceful_restart=60, selector=builders.in_rack("b"))
    present = builders.a_peer("tor-of-a", selector=builders.in_rack("a"))
    settings = builders.a_config(settle=0, peers=(former, present))
    world = builders.a_world(settings=settings)
    neighbors = builders.decided(world).neighbors or ()
    world = after(world, reload.Taken(neighbors=neighbors))

    assert awaited(world) == {START + 9 + 60}
