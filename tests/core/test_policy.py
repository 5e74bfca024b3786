"""The policy as a specification: what each reason does to each prefix class by default."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import causes
from tests.support import builders
from tests.support.builders import DEPRIORITISE, KEEP, PODS, SERVICES, START, WITHDRAW

HOUR = 3600.0

DEFAULTS: list[tuple[model.Reason, model.PrefixClass, model.Action]] = [
    (model.Reason.CORDONED, SERVICES, WITHDRAW),
    (model.Reason.CORDONED, PODS, WITHDRAW),
    (model.Reason.DRAINING, SERVICES, WITHDRAW),
    (model.Reason.DRAINING, PODS, WITHDRAW),
    (model.Reason.EXCLUDED, SERVICES, WITHDRAW),
    (model.Reason.EXCLUDED, PODS, KEEP),
    (model.Reason.OUT_OF_SERVICE, SERVICES, WITHDRAW),
    (model.Reason.OUT_OF_SERVICE, PODS, WITHDRAW),
    (model.Reason.UNHEALTHY, SERVICES, WITHDRAW),
    (model.Reason.UNHEALTHY, PODS, WITHDRAW),
    (model.Reason.NODE_DELETED, SERVICES, WITHDRAW),
    (model.Reason.NODE_DELETED, PODS, WITHDRAW),
    (model.Reason.OPERATOR, SERVICES, WITHDRAW),
    (model.Reason.OPERATOR, PODS, WITHDRAW),
    (model.Reason.STOPPING, SERVICES, WITHDRAW),
    (model.Reason.STOPPING, PODS, WITHDRAW),
]
RANGES = {
    SERVICES: {builders.SERVICE_RANGE, builders.SERVICE_RANGE6},
    PODS: {builders.POD_RANGE, builders.POD_RANGE6},
}


def taints(*keys: str) -> tuple[model.Taint, ...]:
    return tuple(model.Taint(key=key, effect="NoSchedule") for key in keys)


NODE: dict[model.Reason, dict[str, Any]] = {
    model.Reason.CORDONED: {"is_unschedulable": True},
    model.Reason.DRAINING: {"is_deleting": True},
    model.Reason.EXCLUDED: {"labels": {causes.EXCLUDE_LABEL: ""}},
    model.Reason.OUT_OF_SERVICE: {"taints": taints("node.kubernetes.io/out-of-service")},
}
HAPPENED: dict[model.Reason, events.Event] = {
    model.Reason.UNHEALTHY: builders.outcome(is_ok=False),
    model.Reason.NODE_DELETED: events.NodeGone(),
    model.Reason.OPERATOR: events.DrainAsked(),
    model.Reason.STOPPING: events.DrainAsked(is_stopping=True),
}


def provoke(reason: model.Reason, settings: config.Config) -> World:
    """Return a world in which exactly this cause stands."""
    if reason in NODE:
        return builders.a_world(settings=settings, node=builders.a_node(**NODE[reason]))
    if reason is model.Reason.UNHEALTHY:
        settings = dataclasses.replace(settings, checks=(builders.a_check(),))
    return builders.a_world(HAPPENED[reason], settings=settings)


def test_a_healthy_node_announces_every_range_to_every_peer() -> None:
    decision = builders.decided(builders.a_world())

    assert decision.routes is not None
    assert set(decision.routes) == {
        (peer, prefix)
        for peer in (builders.TOR_A, builders.TOR_B)
        for prefix in builders.ALL_RANGES
    }
    assert decision.withheld == ()
    assert {route.next_hop for route in decision.routes.values()} == {
        builders.NODE_IP,
        builders.NODE_IP6,
    }


def test_the_table_below_has_every_row() -> None:
    assert {(reason, prefix_class) for reason, prefix_class, _ in DEFAULTS} == {
        (reason, prefix_class) for reason in model.CAUSES for prefix_class in model.PrefixClass
    }


@pytest.mark.parametrize(("reason", "prefix_class", "action"), DEFAULTS)
def test_default_action(
    reason: model.Reason, prefix_class: model.PrefixClass, action: model.Action
) -> None:
    """Row by row: once every hold is over, what does the reason do to the class?"""
    turn = builders.turn(provoke(reason, builders.a_config()), START + 31)
    decision = turn.decision

    assert turn.judgement.actions[prefix_class] is action
    is_announced = RANGES[prefix_class] <= builders.announced(decision)
    assert is_announced is (action is KEEP)
    words = {word.partition(":")[0] for word in builders.reasons(decision, prefix_class)}
    assert words == (set() if action is KEEP else {str(reason)})


@pytest.mark.parametrize("prefix_class", model.PrefixClass)
@pytest.mark.parametrize("reason", model.CAUSES)
@pytest.mark.parametrize("action", model.Action)
def test_each_cell_is_a_setting(
    reason: model.Reason, prefix_class: model.PrefixClass, action: model.Action
) -> None:
    policy = builders.a_policy({(reason, prefix_class): config.Cell(action=action)})

    turn = builders.turn(provoke(reason, builders.a_config(policy=policy)), START + 31)
    decision = turn.decision

    assert turn.judgement.actions[prefix_class] is action
    lowered = {
        route.prefix
        for route in (decision.routes or {}).values()
        if model.GRACEFUL_SHUTDOWN in route.attributes.communities
    }
    mine = RANGES[prefix_class]
    assert mine <= lowered if action is DEPRIORITISE else not (mine & lowered)
    is_announced = mine <= builders.announced(decision)
    assert is_announced is (action is not WITHDRAW)


@pytest.mark.parametrize("reason", model.CAUSES)
def test_a_cell_may_wait_until_the_cause_has_stood_for_a_while(reason: model.Reason) -> None:
    cell = config.Cell(action=WITHDRAW, after=20)
    world = provoke(
        reason, builders.a_config(policy=builders.a_policy({(reason, SERVICES): cell}))
    )

    early, late = builders.judged(world, START + 19.9), builders.judged(world, START + 20)

    assert early.actions[SERVICES] is KEEP
    assert early.deadline == START + 20
    assert late.actions[SERVICES] is WITHDRAW


def test_a_deleted_node_keeps_the_service_ranges_for_half_a_minute_but_no_pod_range() -> None:
    world = provoke(model.Reason.NODE_DELETED, builders.a_config())

    early, late = builders.decided(world, START + 29), builders.decided(world, START + 30)

    assert builders.announced(early) == RANGES[SERVICES]
    assert builders.announced(late) == frozenset()


def test_a_node_that_comes_back_within_the_hold_never_left() -> None:
    world = provoke(model.Reason.NODE_DELETED, builders.a_config())
    world = builders.after(world, events.NodeSeen(node=builders.a_node()), now=START + 10)

    assert builders.announced(builders.decided(world, START + 60)) >= RANGES[SERVICES]


@pytest.mark.parametrize(
    "key",
    ["ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption"],
)
def test_the_taints_of_the_autoscalers_mean_draining(key: str) -> None:
    world = builders.a_world(node=builders.a_node(taints=taints(key)))

    assert world.causes.keys() == {model.Cause(model.Reason.DRAINING, key)}


@pytest.mark.parametrize(
    "key",
    [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/memory-pressure",
        "DeletionCandidateOfClusterAutoscaler",
    ],
)
def test_taints_that_can_hit_all_nodes_at_once_are_ignored(key: str) -> None:
    assert not builders.a_world(node=builders.a_node(taints=taints(key))).causes


@pytest.mark.parametrize(("effect", "is_drained"), [("NoExecute", True), ("NoSchedule", False)])
def test_a_drain_taint_may_name_its_effect(effect: str, is_drained: bool) -> None:
    settings = builders.a_config(drain_taints=(model.Taint(key="maint", effect="NoExecute"),))
    node = builders.a_node(taints=(model.Taint(key="maint", effect=effect),))

    assert bool(builders.a_world(settings=settings, node=node).causes) is is_drained


def test_a_node_that_kubelet_shuts_down_is_draining() -> None:
    world = builders.a_world(node=builders.a_node(is_shutting_down=True))

    assert world.causes.keys() == {model.Cause(model.Reason.DRAINING, "shutdown")}


def test_a_cloud_shutdown_taint_means_out_of_service() -> None:
    key = "node.cloudprovider.kubernetes.io/shutdown"

    world = builders.a_world(node=builders.a_node(taints=taints(key)))

    assert world.causes.keys() == {model.Cause(model.Reason.OUT_OF_SERVICE, key)}


def test_a_check_concerns_only_the_classes_it_affects() -> None:
    check = builders.a_check(affects=frozenset({SERVICES}))
    world = builders.a_world(
        builders.outcome(is_ok=False), settings=builders.a_config(checks=(check,))
    )

    decision = builders.decided(world)

    assert builders.announced(decision) == RANGES[PODS]
    assert builders.reasons(decision, SERVICES) == {"unhealthy:kube-proxy"}
    assert builders.reasons(decision, PODS) == frozenset()


def test_the_worst_of_several_causes_decides_and_all_of_them_are_named() -> None:
    policy = builders.a_policy(
        {(model.Reason.CORDONED, SERVICES): config.Cell(action=DEPRIORITISE)}
    )
    world = builders.a_world(
        events.DrainAsked(),
        settings=builders.a_config(policy=policy),
        node=builders.a_node(is_unschedulable=True),
    )

    decision = builders.decided(world)

    assert builders.judged(world).actions[SERVICES] is WITHDRAW
    assert builders.reasons(decision, SERVICES) == {"cordoned", "operator:drain"}


class TestGracefulShutdown:
    """RFC 8326: a planned withdrawal may be announced as a last resort first."""

    SETTINGS = builders.a_config(graceful_shutdown=10)

    @pytest.mark.parametrize("reason", sorted(model.PLANNED))
    def test_comes_before_every_planned_withdrawal(self, reason: model.Reason) -> None:
        world = provoke(reason, self.SETTINGS)

        early, late = builders.judged(world), builders.judged(world, START + 10)

        assert early.actions[SERVICES] is DEPRIORITISE
        assert early.deadline == START + 10
        assert late.actions[SERVICES] is WITHDRAW

    @pytest.mark.parametrize("reason", [model.Reason.UNHEALTHY, model.Reason.OUT_OF_SERVICE])
    def test_does_not_delay_an_unplanned_one(self, reason: model.Reason) -> None:
        assert builders.judged(provoke(reason, self.SETTINGS)).actions[SERVICES] is WITHDRAW

    def test_follows_the_hold_of_the_cell(self) -> None:
        cell = config.Cell(action=WITHDRAW, after=5)
        policy = builders.a_policy({(model.Reason.CORDONED, SERVICES): cell})
        world = provoke(model.Reason.CORDONED, dataclasses.replace(self.SETTINGS, policy=policy))

        actions = [builders.judged(world, START + at).actions[SERVICES] for at in (4, 5, 14, 15)]

        assert actions == [KEEP, DEPRIORITISE, DEPRIORITISE, WITHDRAW]

    def test_of_a_stop_does_not_bring_back_what_a_drain_withdrew(self) -> None:
        world = provoke(model.Reason.OPERATOR, self.SETTINGS)
        world = builders.after(world, events.Tick(), now=START + 60)

        world = builders.after(world, events.DrainAsked(is_stopping=True), now=START + 100)

        for at in (100, 102, 105, 111):
            assert builders.decided(world, START + at).routes == {}

    def test_is_the_number_and_med_and_prepend_where_asked(self) -> None:
        peer = builders.a_peer(
            attributes=model.Attributes(communities=((64512, 10),), med=100), prepend=1
        )
        settings = builders.a_config(
            peers=(peer,), graceful_shutdown=10, deprioritise_med=500, deprioritise_prepend=2
        )

        decision = builders.decided(provoke(model.Reason.CORDONED, settings))

        assert {route.attributes for route in (decision.routes or {}).values()} == {
            model.Attributes(communities=((64512, 10), (65535, 0)), med=500, as_path=(64512,) * 4)
        }

    def test_leaves_the_med_of_the_peer_where_none_is_asked_for(self) -> None:
        peer = builders.a_peer(attributes=model.Attributes(med=100))
        settings = builders.a_config(peers=(peer,), graceful_shutdown=10)

        decision = builders.decided(provoke(model.Reason.CORDONED, settings))

        assert {route.attributes.med for route in (decision.routes or {}).values()} == {100}


class TestAnnotation:
    """``announce: always`` and ``announce: never`` on the Node."""

    @pytest.mark.parametrize(
        "facts",
        [
            {"is_unschedulable": True},
            {"is_deleting": True},
            {"labels": {causes.EXCLUDE_LABEL: "x"}},
            {"taints": taints("node.kubernetes.io/out-of-service")},
        ],
    )
    def test_always_lifts_what_the_node_says(self, facts: dict[str, object]) -> None:
        node = builders.a_node(override=model.Override.ALWAYS, **facts)

        decision = builders.decided(builders.a_world(node=node))

        assert builders.announced(decision) == set(builders.ALL_RANGES)

    def test_always_lifts_a_failing_check(self) -> None:
        world = builders.a_world(
            builders.outcome(is_ok=False),
            settings=builders.a_config(checks=(builders.a_check(),)),
            node=builders.a_node(override=model.Override.ALWAYS),
        )

        assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)

    @pytest.mark.parametrize(
        "event",
        [events.DrainAsked(), events.DrainAsked(is_stopping=True), events.NodeGone()],
    )
    def test_always_does_not_lift(self, event: events.Event) -> None:
        node = builders.a_node(override=model.Override.ALWAYS)

        decision = builders.decided(builders.a_world(event, node=node), START + 31)

        assert builders.announced(decision) == frozenset()

    def test_never_withdraws_everything(self) -> None:
        node = builders.a_node(override=model.Override.NEVER)

        decision = builders.decided(builders.a_world(node=node))

        assert decision.routes == {}
        assert builders.reasons(decision, PODS) == {"operator:annotation"}


class TestReturn:
    """Better waits for the hold-down, and says so."""

    def test_waits_for_the_hold_down(self) -> None:
        world = provoke(model.Reason.CORDONED, builders.a_config())
        back = builders.after(world, events.NodeSeen(node=builders.a_node()), now=START + 100)

        waiting, served = (
            builders.decided(back, START + 100.5),
            builders.decided(back, START + 101),
        )

        assert builders.announced(waiting) == frozenset()
        assert builders.reasons(waiting, SERVICES) == {"hold-down"}
        assert builders.judged(back, START + 100.5).deadline == START + 101
        assert builders.announced(served) == set(builders.ALL_RANGES)


class TestUndecidedChecks:
    """A check without a verdict neither withdraws nor announces anything."""

    SETTINGS = builders.a_config(checks=(builders.a_check(affects=frozenset({SERVICES})),))

    def test_withhold_what_does_not_stand(self) -> None:
        decision = builders.decided(builders.a_world(settings=self.SETTINGS))

        assert builders.announced(decision) == RANGES[PODS]
        assert builders.reasons(decision, SERVICES) == {"starting:checks have no verdict yet"}

    def test_keep_what_stands(self) -> None:
        world = builders.a_serving_world()
        world = builders.after(world, events.ConfigLoaded(config=self.SETTINGS))

        decision = builders.decided(world)

        assert decision.kept == RANGES[SERVICES]
        assert builders.reasons(decision, SERVICES) == frozenset()

    def test_do_not_keep_what_another_cause_withdraws(self) -> None:
        world = builders.a_serving_world(settings=builders.a_config())
        world = builders.after(
            world, events.ConfigLoaded(config=self.SETTINGS), events.DrainAsked()
        )

        assert builders.decided(world).kept == frozenset()


class TestTooLittleKnown:
    """Fail static: what is not known changes nothing; what somebody asks for happens."""

    def test_without_settings_nothing_is_decided(self) -> None:
        decision = builders.decided(World())

        assert (decision.routes, decision.neighbors, decision.withheld) == (None, None, ())

    def test_without_the_node_what_stands_stays(self) -> None:
        world = builders.after(World(), events.ConfigLoaded(config=builders.a_config()))

        decision = builders.decided(world)

        assert (decision.routes, decision.neighbors) == (None, None)
        assert builders.reasons(decision, SERVICES) == {"starting:node not seen yet"}

    def test_without_the_node_a_drain_withdraws_all_the_same(self) -> None:
        world = builders.after(
            World(), events.ConfigLoaded(config=builders.a_config()), events.DrainAsked()
        )

        decision = builders.decided(world)

        assert decision.routes == {}
        assert builders.reasons(decision, SERVICES) == {"operator:drain"}

    def test_without_the_node_a_dead_kube_proxy_withdraws_what_it_serves(self) -> None:
        """An agent that came back while the API server is away must not hold a black hole."""
        check = builders.a_check("kube-proxy", affects=frozenset({SERVICES}), fall=1)
        settings = builders.a_config(checks=(check,))
        serving = builders.a_serving_world(settings=builders.a_config())
        world = dataclasses.replace(serving, node=None, config=settings)

        failed = events.CheckOutcome(name="kube-proxy", is_ok=False)
        world = builders.obeyed(builders.after(world, failed))

        held = {prefix for rib in (world.rib or {}).values() for prefix in rib.routes}
        assert held == {builders.POD_RANGE, builders.POD_RANGE6}

    def test_an_unreachable_api_server_changes_nothing(self) -> None:
        world = builders.a_serving_world()

        lost = builders.after(world, events.KubeLost(problem="timed out"), now=START + HOUR)

        assert builders.decided(lost, START + HOUR).routes == builders.decided(world).routes
        assert lost.kube_problem == "timed out"
        assert lost.kube_contact == START

    def test_refused_settings_leave_the_last_good_ones_in_force(self) -> None:
        world = builders.a_serving_world()

        edited = builders.after(world, events.ConfigRefused(problems=("peers: not a list",)))

        assert builders.decided(edited).routes == builders.decided(world).routes
        assert edited.config_problems == ("peers: not a list",)
