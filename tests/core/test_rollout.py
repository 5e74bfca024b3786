"""A stop of our own pod: what a rollout keeps, and what makes it a drain."""

from __future__ import annotations

import dataclasses

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, lifecycle, model, reload
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan import changes
from exabgp_k8s.core.report import routes, summary
from tests.support import builders
from tests.support.builders import KEEP, PODS, SERVICES, START, TOR_A, TOR_B, WITHDRAW, after

DRAINED = lifecycle.Phase.DRAINED
ROLLOUT = events.DrainAsked(is_stopping=True, is_rollout=True)
DRAIN = events.DrainAsked(is_stopping=True)
CORDON = events.NodeSeen(node=builders.a_node(is_unschedulable=True))
UNCORDON = events.NodeSeen(node=builders.a_node())
SETTINGS = builders.a_config(
    peers=(builders.a_peer(graceful_restart=120), builders.a_peer("tor-b", TOR_B)),
    checks=(builders.a_check(affects=frozenset({SERVICES})),),
)
"""One router with graceful restart, one without."""


def row(peer: model.Address, *, restarts: bool) -> events.NeighborRow:
    return builders.a_row(peer, graceful_restart=restarts)


def serving(
    *happened: events.Event, settings: config.Config = SETTINGS, restarts: bool = True
) -> World:
    """Return a world that announces everything; the first router supports graceful restart."""
    world = builders.a_serving_world(builders.outcome(is_ok=True), settings=settings)
    read = events.NeighborsRead(rows=(row(TOR_A, restarts=restarts), row(TOR_B, restarts=False)))
    return after(world, read, *happened)


def held(world: World, peer: model.Address) -> set[model.Network]:
    return set((world.rib or {})[peer].routes)


def ended(*happened: events.Event, settings: config.Config = SETTINGS) -> World:
    """Return the world once nothing is left to do after a rollout and what else happened."""
    world = builders.obeyed(serving(ROLLOUT, *happened, settings=settings))
    return builders.obeyed(world, START + 2)


def test_a_rollout_withdraws_only_where_graceful_restart_is_missing() -> None:
    world = ended()

    assert world.phase is DRAINED
    assert held(world, TOR_A) == set(builders.ALL_RANGES)
    assert held(world, TOR_B) == set()


def test_a_rollout_that_withdraws_nothing_needs_no_time_to_settle() -> None:
    settings = dataclasses.replace(SETTINGS, peers=SETTINGS.peers[:1], settle=30)

    world = builders.obeyed(serving(ROLLOUT, settings=settings))

    assert world.phase is DRAINED


def test_a_rollout_with_nothing_to_withdraw_waits_for_no_hold() -> None:
    settings = dataclasses.replace(SETTINGS, peers=SETTINGS.peers[:1], graceful_shutdown=60)

    assert builders.obeyed(serving(ROLLOUT, settings=settings)).phase is DRAINED


def test_a_rollout_lets_graceful_shutdown_precede_a_withdrawal_it_needs() -> None:
    settings = dataclasses.replace(SETTINGS, graceful_shutdown=60)
    world = builders.obeyed(serving(ROLLOUT, settings=settings))

    marked = {
        peer: {model.GRACEFUL_SHUTDOWN in route.attributes.communities
               for route in (world.rib or {})[peer].routes.values()}
        for peer in (TOR_A, TOR_B)
    }  # fmt: skip

    assert marked == {TOR_A: {False}, TOR_B: {True}}
    assert world.phase is lifecycle.Phase.DRAINING
    assert held(builders.obeyed(world, START + 60), TOR_B) == set()


def test_a_router_that_did_not_offer_graceful_restart_gets_its_withdrawal() -> None:
    world = builders.obeyed(serving(ROLLOUT, restarts=False))

    assert held(world, TOR_A) == set()


def test_a_rollout_is_not_over_before_it_is_known_what_the_router_offered() -> None:
    world = serving(builders.down(), *builders.up(), ROLLOUT)
    assert step.step(world, (events.Tick(),), START).world.phase is not DRAINED

    turn = step.step(world, (events.Tick(),), START + changes.REREAD)

    assert commands.ShowNeighbors() in turn.commands
    assert held(world, TOR_A) == set(builders.ALL_RANGES)


def test_what_a_new_session_offers_is_asked_for_at_once() -> None:
    world = serving(builders.down(), *builders.up())

    turn = step.step(world, (events.Tick(),), START)

    assert turn.deadline == START + changes.REREAD


def test_an_unhealthy_class_stays_withdrawn_and_the_other_is_kept() -> None:
    world = ended(builders.outcome(is_ok=False))

    assert held(world, TOR_A) == {builders.POD_RANGE, builders.POD_RANGE6}


def test_the_exclude_label_does_not_make_a_rollout_a_drain() -> None:
    """A control-plane node has it for all its life."""
    label = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}

    world = ended(events.NodeSeen(node=builders.a_node(labels=label)))

    assert held(world, TOR_A) == {builders.POD_RANGE, builders.POD_RANGE6}


LEAVING = {
    "cordoned": CORDON,
    "draining": events.NodeSeen(node=builders.a_node(is_shutting_down=True)),
    "out-of-service": events.NodeSeen(
        node=builders.a_node(taints=(model.Taint(key="node.kubernetes.io/out-of-service"),))
    ),
    "node-deleted": events.NodeGone(),
    "annotation": events.NodeSeen(node=builders.a_node(override=model.Override.NEVER)),
    "operator": events.DrainAsked(),
}


@pytest.mark.parametrize("what", sorted(LEAVING))
@pytest.mark.parametrize("is_first", [True, False])
def test_a_node_that_is_taken_out_is_drained(what: str, is_first: bool) -> None:
    """Whether that was known before the pod was to stop, or comes to be known after it."""
    happened = (LEAVING[what], ROLLOUT) if is_first else (ROLLOUT, LEAVING[what])

    world = builders.obeyed(builders.obeyed(serving(*happened)), START + 2)

    assert world.phase is DRAINED
    assert held(world, TOR_A) == held(world, TOR_B) == set()


def test_a_cause_that_the_policy_keeps_does_not_make_a_rollout_a_drain() -> None:
    cells = {(model.Reason.CORDONED, each): config.Cell(action=KEEP) for each in (SERVICES, PODS)}
    settings = dataclasses.replace(SETTINGS, policy=builders.a_policy(cells))

    assert held(ended(CORDON, settings=settings), TOR_A) == set(builders.ALL_RANGES)


def test_a_cause_that_the_policy_keeps_for_one_class_drains_both() -> None:
    """Somebody takes the node out; nobody has promised that the pod comes back."""
    cell = {(model.Reason.CORDONED, PODS): config.Cell(action=KEEP)}
    settings = dataclasses.replace(SETTINGS, policy=builders.a_policy(cell))

    assert held(ended(CORDON, settings=settings), TOR_A) == set()


def test_a_cordon_that_waits_for_its_hold_drains_a_pod_that_stops() -> None:
    cells = {
        (model.Reason.CORDONED, each): config.Cell(action=WITHDRAW, after=600)
        for each in (SERVICES, PODS)
    }
    settings = dataclasses.replace(SETTINGS, policy=builders.a_policy(cells))

    assert held(ended(CORDON, settings=settings), TOR_A) == set()


def test_a_rollout_that_became_a_drain_stays_one() -> None:
    """A pod about to end announces nothing again."""
    world = builders.obeyed(serving(ROLLOUT, CORDON))

    world = after(world, UNCORDON, ROLLOUT, now=START + 2)

    for later in (2, 10, 100):
        world = builders.obeyed(world, START + later)
        assert held(world, TOR_A) == set()


def test_a_second_request_that_could_not_find_out_drains() -> None:
    assert held(ended(DRAIN), TOR_A) == set()


def test_the_settings_can_ask_for_a_withdrawal_always() -> None:
    settings = dataclasses.replace(SETTINGS, is_rollout_drained=True)

    assert held(ended(settings=settings), TOR_A) == set()


def test_a_node_that_is_only_remembered_may_be_cordoned_by_now() -> None:
    world = after(World(started=START), events.ConfigLoaded(config=SETTINGS))
    world = after(world, events.Remembered(node=builders.a_node()), ROLLOUT)

    assert world.stop is lifecycle.Stop.DRAIN


def test_why_names_who_keeps_the_routes_and_who_does_not() -> None:
    world = builders.obeyed(serving(ROLLOUT))
    turn = step.step(world, (events.Tick(),), START)

    assert summary.status(turn, START)["stop"] == "rollout"
    for each in routes.why(turn, None, START):
        assert each["bridged_by"] == ["tor-a"]
        assert [(row["reason"], row["peer"]) for row in each["withheld"]] == [
            ("stopping", "tor-b")
        ]


class TestEndOfRib:
    """It tells the router to forget what was not announced again, so it comes last."""

    def started(self, *happened: events.Event, settings: config.Config = SETTINGS) -> World:
        """Return the world of a fresh ExaBGP whose session has just come up."""
        world = after(World(started=START), events.ConfigLoaded(config=settings), *happened)
        neighbors = step.step(world, (events.Tick(),), START).decision.neighbors
        if neighbors is not None:
            world = after(world, reload.Taken(neighbors=neighbors))
        return after(builders.obeyed(world), *builders.up())

    def sent(self, world: World) -> list[commands.Command]:
        """Return every command until nothing is left to do."""
        found: list[commands.Command] = []
        for _ in range(50):
            turn = step.step(world, (events.Tick(),), START)
            world = turn.world
            if not turn.commands or isinstance(turn.commands[0], commands.ShowNeighbors):
                return found
            found.append(turn.commands[0])
            done = events.CommandDone(command=turn.commands[0])
            world = after(world, done, *builders.echoes(world, turn.commands[0]))
        raise AssertionError("no end")

    def has_ended(self, world: World) -> bool:
        return any(isinstance(each, commands.EndOfRib) for each in self.sent(world))

    def test_follows_the_routes(self) -> None:
        sent = self.sent(after(self.started(UNCORDON), builders.outcome(is_ok=True)))

        is_end = [isinstance(each, commands.EndOfRib) for each in sent]
        routes = {
            each.route.prefix
            for each in builders.single(sent[: is_end.index(True)])
            if isinstance(each, commands.Announce)
        }
        assert routes == {builders.SERVICE_RANGE, builders.SERVICE_RANGE6}

    def test_waits_for_the_node(self) -> None:
        assert not self.has_ended(self.started(builders.outcome(is_ok=True)))

    def test_waits_for_the_node_also_while_a_check_fails(self) -> None:
        assert not self.has_ended(self.started(builders.outcome(is_ok=False)))

    def test_waits_for_the_verdict_of_the_checks(self) -> None:
        world = self.started(UNCORDON)
        assert not self.has_ended(world)

        assert self.has_ended(after(world, builders.outcome(is_ok=True)))
        assert self.has_ended(after(world, builders.outcome(is_ok=False)))

    def test_waits_for_the_service_ranges(self) -> None:
        settings = dataclasses.replace(SETTINGS, service_cidrs=None)
        world = self.started(UNCORDON, builders.outcome(is_ok=True), settings=settings)
        assert not self.has_ended(world)

        known = events.ServiceCidrsSeen(cidrs=(builders.SERVICE_RANGE,))
        assert self.has_ended(after(world, known))


HAPPENS: dict[str, events.Event] = {
    "rollout": ROLLOUT,
    "drain": DRAIN,
    "cordon": CORDON,
    "uncordon": UNCORDON,
    "operator": events.DrainAsked(),
    "undrain": events.UndrainAsked(),
    "fails": builders.outcome(is_ok=False),
    "works": builders.outcome(is_ok=True),
    "read": events.NeighborsRead(rows=(row(TOR_A, restarts=True), row(TOR_B, restarts=False))),
    "read-without": events.NeighborsRead(
        rows=(row(TOR_A, restarts=False), row(TOR_B, restarts=False))
    ),
    "lost": builders.down(),
    "back": builders.up()[1],
}


@hypothesis.given(st.lists(st.sampled_from(sorted(HAPPENS)), max_size=12))
def test_in_any_order_a_planned_leave_is_announced_to_nobody_and_a_rollout_kept(
    life: list[str],
) -> None:
    """At DRAINED nothing unwanted stands: after a drain nothing at all, else the router's own."""
    world = serving()
    for number, name in enumerate([*life, "rollout"]):
        world = builders.obeyed(after(world, HAPPENS[name], now=START + number), START + number)
    end = START + len(life) + 60
    world = builders.obeyed(builders.obeyed(world, end), end + 2)

    stopping = life.index("rollout") if "rollout" in life else len(life)
    was_drained = "drain" in life or _was_taken_out(life, stopping)
    assert world.phase is DRAINED
    assert held(world, TOR_B) == set()
    if was_drained:
        assert held(world, TOR_A) == set()
    elif _offers(life):
        assert {builders.POD_RANGE, builders.POD_RANGE6} <= held(world, TOR_A)
        is_healthy = ([each for each in life if each in {"fails", "works"}] or ["works"])[-1]
        assert (builders.SERVICE_RANGE in held(world, TOR_A)) is (is_healthy == "works")


def _was_taken_out(life: list[str], stopping: int) -> bool:
    """Return whether a cordon or an operator's drain stood at any moment of the stop."""
    is_cordoned = is_operated = False
    for number, name in enumerate([*life, "rollout"]):
        is_cordoned = {"cordon": True, "uncordon": False}.get(name, is_cordoned)
        is_operated = is_operated or name == "operator"
        if name == "undrain" and number < stopping:
            is_operated = False
        if number >= stopping and (is_cordoned or is_operated):
            return True
    return False


def _offers(life: list[str]) -> bool:
    """Return whether the router never said that it does not support graceful restart."""
    return "read-without" not in life
