"""What an event changes in what is known, and what it leaves alone."""

from __future__ import annotations

import dataclasses

import pytest

from exabgp_k8s.core.facts import commands, events, lifecycle, model
from exabgp_k8s.core.facts.checks import Health
from exabgp_k8s.core.facts.world import World
from tests.support import builders
from tests.support.builders import POD_RANGE, SERVICE_RANGE, START, TOR_A, TOR_B, after

CORDONED = model.Cause(model.Reason.CORDONED)


class TestCauses:
    def test_remember_since_when_they_stand(self) -> None:
        cordoned = events.NodeSeen(node=builders.a_node(is_unschedulable=True))
        world = after(builders.a_world(), cordoned, now=START + 5)

        world = after(world, cordoned, events.Tick(), now=START + 50)

        assert world.causes == {CORDONED: START + 5}

    def test_begin_anew_when_they_come_back(self) -> None:
        world = builders.a_world(node=builders.a_node(is_unschedulable=True))
        world = after(world, events.NodeSeen(node=builders.a_node()), now=START + 1)

        assert world.causes == {}
        world = after(
            world, events.NodeSeen(node=builders.a_node(is_unschedulable=True)), now=START + 2
        )
        assert world.causes == {CORDONED: START + 2}


class TestChecks:
    SETTINGS = builders.a_config(checks=(builders.a_check(fall=2, rise=2),))

    def test_count_failures_and_keep_the_last_outcome(self) -> None:
        failed = builders.outcome(is_ok=False)

        world = builders.a_world(failed, failed, failed, settings=self.SETTINGS)

        state = world.checks["kube-proxy"]
        assert (state.hysteresis.health, state.failures) == (Health.DOWN, 3)
        assert state.last == failed

    def test_change_their_moment_only_with_their_health(self) -> None:
        world = builders.a_world(settings=self.SETTINGS)
        for second, is_ok in enumerate([True, True, False, True, False, False]):
            world = after(world, builders.outcome(is_ok=is_ok), now=START + second)

        state = world.checks["kube-proxy"]
        assert (state.hysteresis.health, state.since) == (Health.DOWN, START + 5)
        assert state.last_at == START + 5

    def test_that_say_nothing_leave_the_health_as_it_was(self) -> None:
        failed = builders.outcome(is_ok=False)
        missed = events.CheckMissed(name="kube-proxy", why="not run: too many open files")
        before = builders.a_world(failed, failed, failed, settings=self.SETTINGS)

        state = after(before, missed, missed, missed, now=START + 9).checks["kube-proxy"]

        assert state.hysteresis == before.checks["kube-proxy"].hysteresis
        assert (state.failures, state.last) == (3, failed)
        assert state.latest == ("not counted", "not run: too many open files")
        assert after(before, missed, failed).checks["kube-proxy"].latest[0] == "failed"

    def test_that_the_settings_do_not_know_are_ignored(self) -> None:
        world = builders.a_world(builders.outcome("gone", is_ok=False), settings=self.SETTINGS)

        assert world.checks == {}

    def test_that_the_settings_drop_are_forgotten_with_their_cause(self) -> None:
        failed = builders.outcome(is_ok=False)
        world = builders.a_world(failed, failed, settings=self.SETTINGS)

        world = after(world, events.ConfigLoaded(config=builders.a_config()))

        assert (world.checks, world.causes) == ({}, {})


class TestKubernetes:
    @pytest.mark.parametrize(
        "event",
        [
            events.NodeSeen(node=builders.a_node()),
            events.NodeGone(),
            events.KubeContact(),
            events.ServiceCidrsSeen(cidrs=()),
        ],
    )
    def test_every_word_of_the_api_server_is_contact(self, event: events.Event) -> None:
        lost = builders.a_world(events.KubeLost(problem="refused"))

        world = after(lost, event, now=START + 9)

        assert (world.kube_contact, world.kube_problem) == (START + 9, "")

    def test_a_node_that_is_gone_stays_known_and_comes_back(self) -> None:
        world = builders.a_world(events.NodeGone())

        assert (world.is_node_gone, world.node) == (True, builders.a_node())
        assert not after(world, events.NodeSeen(node=builders.a_node())).is_node_gone


class TestSettings:
    def test_are_in_force_again_once_they_are_valid(self) -> None:
        world = builders.a_world(events.ConfigRefused(problems=("bad",)))

        assert after(world, events.ConfigLoaded(config=builders.a_config())).config_problems == ()

    def test_new_ones_try_again_what_exabgp_refused(self) -> None:
        refused = commands.Announce(route=builders.a_route())
        world = after(builders.a_serving_world(), events.CommandFailed(command=refused))
        assert world.refusals

        world = after(world, events.ConfigLoaded(config=builders.a_config()))

        assert not world.refusals


class TestSessions:
    def test_up_and_down_are_remembered_with_their_moment(self) -> None:
        world = after(builders.a_world(), *builders.up(), now=START + 1)
        session = world.sessions[TOR_A]
        assert (session.is_up, session.since, session.times_up) == (True, START + 1, 1)
        assert (session.families, session.hold_time) == (frozenset(builders.BOTH), 9)

        world = after(world, builders.down(problem="hold timer"), now=START + 2)
        session = world.sessions[TOR_A]
        assert (session.is_up, session.since, session.problem) == (False, START + 2, "hold timer")
        assert (session.families, session.hold_time) == (frozenset(), 0)

    def test_down_again_does_not_move_the_moment(self) -> None:
        world = after(builders.a_world(), *builders.up(), builders.down(), now=START + 1)

        assert after(world, builders.down(), now=START + 9).sessions[TOR_A].since == START + 1

    def test_connected_is_not_up(self) -> None:
        connected = events.SessionChanged(peer=TOR_A, state="connected")

        assert after(builders.a_world(), connected).sessions == {}

    def test_the_router_s_own_words_outlive_exabgp_s(self) -> None:
        said = events.NotificationReceived(
            peer=TOR_A, code=6, subcode=2, message="planned maintenance"
        )
        gone = builders.down(problem="notification received (6,2)")

        world = after(builders.a_world(), *builders.up(), said, gone)

        assert (
            world.sessions[TOR_A].problem
            == "notification 6/2 (administrative shutdown) planned maintenance"
        )

    def test_attempts_in_vain_do_not_hide_why_the_session_ended(self) -> None:
        said = events.NotificationReceived(peer=TOR_A, code=6, subcode=2)

        refused = builders.down(problem="lost ECONNREFUSED in IDLE")
        world = after(builders.a_world(), said, refused, refused)

        problem = world.sessions[TOR_A].problem
        assert problem.startswith("notification 6/2 (administrative shutdown); since then: conn")
        assert problem.count("since then") == 1

    def test_a_later_problem_replaces_the_router_s_words(self) -> None:
        said = events.NotificationReceived(peer=TOR_A, code=6, subcode=2)
        later = builders.down(problem="notification sent (2,2)")

        world = after(builders.a_world(), said, later)

        assert world.sessions[TOR_A].problem == "notification sent 2/2 (bad peer AS)"

    def test_what_ended_an_earlier_session_is_no_reason_for_the_end_of_the_next(self) -> None:
        said = events.NotificationReceived(peer=TOR_A, code=6, subcode=2)

        world = after(builders.a_world(), said, *builders.up(), builders.down())

        assert world.sessions[TOR_A].problem.startswith("closed by the router without a NOTIF")

    def test_the_latest_problem_is_there_after_it_is_over(self) -> None:
        down = after(builders.a_world(), builders.down(), now=START + 1)

        session = after(down, *builders.up(), now=START + 9).sessions[TOR_A]

        assert (session.problem, session.failed_attempts) == ("", 0)
        assert session.last_problem == down.sessions[TOR_A].problem != ""
        assert session.last_problem_at == START + 1

    def test_bytes_that_are_no_text_stay_out_of_the_router_s_words(self) -> None:
        said = events.NotificationReceived(peer=TOR_A, code=6, subcode=1, message="\x00\x01\ufffd")

        gone = builders.down(problem="notification received (6,1)")

        world = after(builders.a_world(), *builders.up(), said, gone)

        problem = world.sessions[TOR_A].problem
        assert problem == "notification 6/1 (maximum number of prefixes reached)"

    def test_a_table_tells_a_new_agent_what_it_missed(self) -> None:
        row = builders.a_row(duration=60)

        world = after(builders.a_world(), events.NeighborsRead(rows=(row,)))

        session = world.sessions[TOR_A]
        assert (session.is_up, session.since, session.row) == (True, START - 60, row)
        assert session.families == frozenset(builders.BOTH)

    def test_a_peer_that_the_table_lacks_is_forgotten(self) -> None:
        world = builders.a_serving_world()

        world = after(world, events.NeighborsRead(rows=(builders.a_row(TOR_B),)))

        assert set(world.sessions) == set(world.rib or {}) == {TOR_B}


class TestRibs:
    """``done`` is stored; the UPDATE is sent."""

    ANNOUNCE = commands.Announce(route=builders.a_route(med=5))
    WITHDRAW = commands.Withdraw(route=builders.a_route())

    def pending(self, world: World) -> set[model.Network]:
        return set((world.rib or {})[TOR_A].pending)

    def held(self, world: World) -> dict[model.Network, model.Route]:
        return dict((world.rib or {})[TOR_A].routes)

    def test_a_stored_announcement_is_pending_until_its_update(self) -> None:
        world = after(builders.a_serving_world(), events.CommandDone(command=self.ANNOUNCE))

        assert self.held(world)[SERVICE_RANGE] == self.ANNOUNCE.route
        assert self.pending(world) == {SERVICE_RANGE}
        assert self.pending(after(world, builders.echo(self.ANNOUNCE))) == set()

    def test_a_stored_withdrawal_is_pending_until_its_update(self) -> None:
        world = after(builders.a_serving_world(), events.CommandDone(command=self.WITHDRAW))

        assert SERVICE_RANGE not in self.held(world)
        assert self.pending(world) == {SERVICE_RANGE}
        assert self.pending(after(world, builders.echo(self.WITHDRAW))) == set()

    def test_the_update_of_the_opposite_acknowledges_nothing(self) -> None:
        world = after(builders.a_serving_world(), events.CommandDone(command=self.WITHDRAW))

        assert self.pending(after(world, builders.echo(self.ANNOUNCE))) == {SERVICE_RANGE}

    @pytest.mark.parametrize(
        "families", [frozenset(), frozenset({model.Family.IPV6})], ids=["down", "not negotiated"]
    )
    def test_nothing_is_awaited_from_a_peer_that_will_not_be_sent_it(
        self, families: frozenset[model.Family]
    ) -> None:
        world = after(builders.a_serving_world(), builders.down())
        if families:
            agreed = events.Negotiated(peer=TOR_A, families=families, hold_time=9)
            world = after(world, agreed, builders.up()[1])

        assert self.pending(after(world, events.CommandDone(command=self.ANNOUNCE))) == set()

    def test_a_lost_session_leaves_nothing_pending(self) -> None:
        world = after(
            builders.a_serving_world(),
            events.CommandDone(command=self.ANNOUNCE),
            builders.down(),
        )

        assert self.pending(world) == set()
        assert self.held(world)[SERVICE_RANGE] == self.ANNOUNCE.route

    def test_a_flush_awaits_every_route_that_is_held(self) -> None:
        flush = commands.Flush(peer=TOR_A)

        world = after(builders.a_serving_world(), events.CommandDone(command=flush))

        assert self.pending(world) == set(builders.ALL_RANGES)

    def test_an_announcement_that_nobody_holds_is_owed_a_withdrawal(self) -> None:
        world = after(
            builders.a_serving_world(),
            events.CommandDone(command=self.WITHDRAW),
            builders.echo(self.WITHDRAW),
        )

        world = after(world, builders.echo(self.ANNOUNCE))

        (change,) = (world.rib or {})[TOR_A].pending.values()
        assert (change.route.prefix, change.is_withdrawal) == (SERVICE_RANGE, True)

    def test_a_refused_announcement_rests_for_half_a_minute(self) -> None:
        failed = events.CommandFailed(command=self.ANNOUNCE, problem="error")
        world = after(builders.a_serving_world(), failed)

        early, late = builders.decided(world, START + 29), builders.decided(world, START + 30)

        assert "refused-by-exabgp:error" in builders.reasons(early, builders.SERVICES)
        assert builders.turn(world, START + 29).deadline == START + 30
        assert (TOR_A, SERVICE_RANGE) not in (early.routes or {})
        assert (TOR_A, SERVICE_RANGE) in (late.routes or {})

    def test_a_refused_withdrawal_asks_for_the_truth(self) -> None:
        world = after(builders.a_serving_world(), events.CommandFailed(command=self.WITHDRAW))

        assert not world.is_rib_current

    def test_a_read_table_replaces_what_was_thought(self) -> None:
        world = dataclasses.replace(builders.a_serving_world(), peers_read=(TOR_A,))
        only = builders.a_route(POD_RANGE)
        stranger = builders.a_route(POD_RANGE, TOR_B)

        world = after(world, events.RibRead(routes=(only, stranger)))

        assert set(world.rib or {}) == {TOR_A}
        assert self.held(world) == {POD_RANGE: only}

    def test_an_event_of_an_unknown_peer_changes_no_rib(self) -> None:
        before = World()

        assert after(before, builders.echo(self.ANNOUNCE)).rib is None


class TestDrain:
    def test_begins_with_the_first_request(self) -> None:
        world = builders.a_world(events.DrainAsked())
        again = after(world, events.DrainAsked(), now=START + 5)

        assert (again.phase, again.phase_since) == (lifecycle.Phase.DRAINING, START)

    def test_is_taken_back(self) -> None:
        world = builders.a_world(events.DrainAsked(), events.UndrainAsked())

        assert (world.phase, world.causes) == (lifecycle.Phase.SERVING, {})

    def test_of_a_stopping_pod_is_not_taken_back(self) -> None:
        world = builders.a_world(events.DrainAsked(is_stopping=True), events.UndrainAsked())

        assert (world.phase, world.stop) == (
            lifecycle.Phase.DRAINING,
            lifecycle.Stop.DRAIN,
        )
        assert world.causes.keys() == {model.Cause(model.Reason.STOPPING)}

    def test_stays_a_cause_beside_the_stop_that_follows(self) -> None:
        world = builders.a_world(events.DrainAsked(), events.DrainAsked(is_stopping=True))

        assert {str(cause) for cause in world.causes} == {"operator:drain", "stopping"}


def test_an_api_server_that_we_had_no_descriptor_for_is_not_away() -> None:
    """What is decided after it has been away for a while must not begin to count."""
    ours = events.KubeLost(problem="too many open files", is_ours=True)

    world = builders.a_world(ours, now=START)

    assert (world.kube_problem, world.kube_lost) == ("too many open files", None)
    away = after(world, events.KubeLost(problem="refused"), ours, now=START + 5)
    assert away.kube_lost == START + 5
