"""The difference between what is wanted and what is held, in the order in which it is told."""

from __future__ import annotations

import dataclasses

import pytest

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, model, reload
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.observe import sessions
from exabgp_k8s.core.plan import changes
from tests.support import builders
from tests.support.builders import SERVICE_RANGE, START, TOR_A, TOR_B, after

NEW_PODS = builders.networks("10.244.9.0/24")[0]
CORDON = events.NodeSeen(node=builders.a_node(is_unschedulable=True))
RESTARTING = builders.a_config(
    peers=(builders.a_peer(graceful_restart=120), builders.a_peer("tor-b", TOR_B))
)


def told(world: World, now: float = START) -> tuple[commands.Command, ...]:
    return tuple(builders.single(step.step(world, (events.Tick(),), now).commands))


def kinds(found: tuple[commands.Command, ...]) -> list[str]:
    """Return the kinds of some commands, each once, in their order."""
    return list(dict.fromkeys(type(command).__name__ for command in found))


def a_new_world(settings: config.Config | None = None) -> World:
    """Return a world that is about to read what ExaBGP holds."""
    world = builders.a_world(settings=settings)
    neighbors = builders.decided(world).neighbors or ()
    return after(world, reload.Taken(neighbors=neighbors))


def an_empty_world() -> World:
    """Return a world whose ExaBGP is up with both peers and holds nothing."""
    world = after(a_new_world(), *builders.up(TOR_A), *builders.up(TOR_B))
    rows = (builders.a_row(TOR_A), builders.a_row(TOR_B))
    return after(world, events.NeighborsRead(rows=rows), events.RibRead(routes=()))


def test_what_is_wanted_and_held_needs_nothing() -> None:
    assert told(builders.a_serving_world()) == ()


def test_an_unknown_table_is_read_before_anything_is_told() -> None:
    world = a_new_world()
    assert told(world) == (commands.ShowNeighbors(),)

    rows = (builders.a_row(TOR_A), builders.a_row(TOR_B))
    world = after(world, events.NeighborsRead(rows=rows))
    assert told(world) == (commands.ShowRib(),)

    world = after(world, events.RibRead(routes=()))
    assert "Announce" in kinds(told(world))


def test_an_answer_from_before_a_reload_is_not_the_table() -> None:
    world = after(World(), events.NeighborsRead(rows=()))
    world = after(world, reload.Taken(neighbors=()), events.RibRead(routes=()))

    assert not world.is_rib_current


def test_a_table_that_lacks_a_new_peer_is_read_again_a_moment_later() -> None:
    world = after(a_new_world(), events.NeighborsRead(rows=(builders.a_row(TOR_A),)))

    assert told(world, START + changes.REREAD / 2) == ()
    assert told(world, START + changes.REREAD) == (commands.ShowNeighbors(),)
    deadline = step.step(world, (events.Tick(),), START).deadline
    assert deadline == START + changes.REREAD


@pytest.mark.parametrize(
    "change",
    [
        {"local": builders.TOR_B},
        {"local_asn": 65001},
        {"peer_asn": 65002},
        {"local_router_id": "10.0.0.3"},
    ],
)
def test_a_table_with_other_parameters_is_not_the_new_one(change: dict[str, object]) -> None:
    rows = (builders.a_row(TOR_A, **change), builders.a_row(TOR_B))

    world = after(a_new_world(), events.NeighborsRead(rows=rows))

    assert world.peers_read is None


def test_a_reload_that_never_takes_effect_asks_for_a_restart() -> None:
    rows = (builders.a_row(TOR_A),)
    late = START + sessions.RELOAD_LIMIT + 0.1

    assert after(a_new_world(), events.NeighborsRead(rows=rows), now=late).is_reload_lost


def test_a_peer_that_exabgp_lost_is_to_be_configured_again_and_not_by_a_restart() -> None:
    """One that is removed and added again at once may be seen once more, and then be gone."""
    rows = (builders.a_row(TOR_A),)
    serving = builders.a_serving_world()
    much_later = serving.reloaded_at + 2 * sessions.RELOAD_LIMIT

    world = after(serving, events.NeighborsRead(rows=rows), now=much_later)
    assert not world.is_rib_current
    assert not world.is_reload_lost

    both = (*rows, builders.a_row(TOR_B))
    world = after(world, events.NeighborsRead(rows=both), now=much_later + 1)
    assert set(world.peers_read or ()) == {TOR_A, TOR_B}


def a_reloading_world() -> World:
    """Return a serving world that has been told to run with another hold time."""
    world = builders.a_serving_world()
    neighbors = tuple(dataclasses.replace(each, hold_time=30) for each in world.neighbors or ())
    return after(world, reload.Taken(neighbors=neighbors))


def test_a_withdrawal_does_not_wait_for_a_reload() -> None:
    world = after(a_reloading_world(), CORDON)

    assert not world.is_rib_current
    assert kinds(told(world)) == ["Withdraw"]


def test_a_reload_that_takes_effect_late_does_not() -> None:
    rows = (builders.a_row(TOR_A), builders.a_row(TOR_B))

    assert not after(a_new_world(), events.NeighborsRead(rows=rows), now=START + 9).is_reload_lost


def test_withdrawals_come_first_then_flushes_then_announcements() -> None:
    world = after(builders.a_serving_world(), builders.down(), *builders.up())
    world = after(world, events.NodeSeen(node=builders.a_node(pod_cidrs=(NEW_PODS,))))

    assert kinds(told(world)) == ["Withdraw", "Flush", "Announce"]


def test_a_withdrawal_carries_the_attributes_of_the_announcement() -> None:
    attributes = model.Attributes(communities=((64512, 10),), med=7)
    settings = builders.a_config(peers=(builders.a_peer(attributes=attributes),))
    world = after(builders.a_serving_world(settings=settings), CORDON)

    found = told(world)

    assert {type(command) for command in found} == {commands.Withdraw}
    assert {
        command.route.attributes for command in found if isinstance(command, commands.Withdraw)
    } == {attributes}


def test_what_leaves_together_is_said_in_one_line() -> None:
    """Two UPDATEs in a row to one peer cost up to 40 ms (RFC 896)."""
    world = after(builders.a_serving_world(), CORDON)

    found = step.step(world, (events.Tick(),), START).commands

    assert kinds(found) == ["Together"]
    assert len(found) == len(model.Family)
    assert len(list(builders.single(found))) == 8


def test_changes_with_other_attributes_are_said_apart() -> None:
    marked = builders.a_peer("tor-b", TOR_B, attributes=model.Attributes(med=7))
    settings = builders.a_config(peers=(builders.a_peer(), marked))
    world = after(builders.a_serving_world(settings=settings), CORDON)

    found = step.step(world, (events.Tick(),), START).commands

    assert kinds(found) == ["Together"]
    assert len(found) == 2 * len(model.Family)


def test_what_is_refused_together_is_said_one_by_one() -> None:
    world = after(builders.a_serving_world(), CORDON)
    joined, *_ = step.step(world, (events.Tick(),), START).commands

    world = after(world, events.CommandFailed(command=joined))

    assert kinds(step.step(world, (events.Tick(),), START).commands) == ["Withdraw"]


def test_a_prefix_with_a_change_under_way_is_left_alone() -> None:
    world = after(
        builders.a_serving_world(),
        events.CommandDone(command=commands.Announce(route=builders.a_route(med=9))),
        CORDON,
    )

    touched = {
        (command.route.peer, command.route.prefix)
        for command in told(world)
        if isinstance(command, commands.Withdraw)
    }

    assert (TOR_A, SERVICE_RANGE) not in touched
    assert (TOR_B, SERVICE_RANGE) in touched


def test_a_peer_that_comes_up_is_sent_everything_once_more() -> None:
    world = after(builders.a_serving_world(), builders.down(), *builders.up())

    assert told(world) == (commands.Flush(peer=TOR_A),)


def test_a_peer_that_is_down_is_prepared_but_not_flushed() -> None:
    world = after(builders.a_serving_world(), builders.down())

    assert told(world) == ()
    assert kinds(told(after(world, CORDON))) == ["Withdraw"]


def test_an_announcement_without_an_update_is_flushed_after_a_while() -> None:
    changed = commands.Announce(route=builders.a_route())
    world = after(builders.a_serving_world(), events.CommandDone(command=changed))

    assert told(world, START + 4.9) == ()
    assert told(world, START + 5)[0] == commands.Flush(peer=TOR_A)


def test_a_withdrawal_without_an_update_is_repeated_after_a_while() -> None:
    withdrawal = commands.Withdraw(route=builders.a_route())
    world = after(builders.a_serving_world(), CORDON, events.CommandDone(command=withdrawal))

    assert withdrawal not in told(world, START + 4.9)
    assert withdrawal in told(world, START + 5)


def test_a_route_that_only_the_peer_has_is_withdrawn_at_once() -> None:
    world = builders.obeyed(after(builders.a_serving_world(), CORDON))
    stray = events.UpdateSent(peer=TOR_A, announced=frozenset({SERVICE_RANGE}))

    (command,) = told(after(world, stray))

    assert isinstance(command, commands.Withdraw)
    assert (command.route.peer, command.route.prefix) == (TOR_A, SERVICE_RANGE)


def test_routes_are_announced_only_to_peers_that_exabgp_has() -> None:
    world = an_empty_world()
    world = dataclasses.replace(world, rib={TOR_B: (world.rib or {})[TOR_B]})

    peers = {
        command.route.peer for command in told(world) if isinstance(command, commands.Announce)
    }

    assert peers == {TOR_B}


class TestEndOfRib:
    """RFC 4724: after the routes, once for each family, to peers with graceful restart."""

    def ends(self, world: World) -> list[model.Family]:
        return [
            command.family for command in told(world) if isinstance(command, commands.EndOfRib)
        ]

    def test_is_sent_once_and_only_where_graceful_restart_is_configured(self) -> None:
        world = builders.a_serving_world(settings=RESTARTING)

        assert (world.rib or {})[TOR_A].ended == frozenset(builders.BOTH)
        assert (world.rib or {})[TOR_B].ended == frozenset()

    def test_waits_for_the_flush_and_its_updates(self) -> None:
        serving = builders.a_serving_world(settings=RESTARTING)
        world = after(serving, builders.down(), *builders.up())
        assert self.ends(world) == []

        flush = commands.Flush(peer=TOR_A)
        world = after(world, events.CommandDone(command=flush))
        assert self.ends(world) == []

        world = after(world, *builders.echoes(world, flush))
        assert self.ends(world) == [model.Family.IPV4, model.Family.IPV6]

    def test_waits_for_the_first_verdict_of_the_checks(self) -> None:
        checked = dataclasses.replace(RESTARTING, checks=(builders.a_check(),))

        world = builders.a_serving_world(settings=checked)
        assert (world.rib or {})[TOR_A].ended == frozenset()

        world = builders.obeyed(after(world, builders.outcome(is_ok=True)))
        assert (world.rib or {})[TOR_A].ended == frozenset(builders.BOTH)

    def test_waits_for_the_service_ranges_of_the_api(self) -> None:
        settings = dataclasses.replace(RESTARTING, service_cidrs=None)

        world = builders.a_serving_world(settings=settings)
        assert (world.rib or {})[TOR_A].ended == frozenset()

        seen = events.ServiceCidrsSeen(cidrs=(SERVICE_RANGE,))
        world = builders.obeyed(after(world, seen))
        assert (world.rib or {})[TOR_A].ended == frozenset(builders.BOTH)


def test_the_counters_are_read_now_and_then() -> None:
    world = builders.a_serving_world()

    assert told(world, START + changes.POLL - 1) == ()
    assert told(world, START + changes.POLL) == (commands.ShowNeighbors(),)
