"""Several causes, one truth: any table, any causes, in any order, against a second reading of it.

The reading below is written from the documentation and shares nothing with the program's: a cause
asks for its cell once it has stood for the cell's ``after``; a planned withdrawal is preceded by
the graceful-shutdown hold; the worst that is due is in force; whoever asks for something is named.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import causes
from exabgp_k8s.core.plan.turn import Turn
from tests.support import builders
from tests.support.builders import DEPRIORITISE, KEEP, PODS, SERVICES, START, WITHDRAW

R = model.Reason
DRAIN_TAINT = config.DRAIN_TAINTS[1].key
OUT_TAINT = "node.kubernetes.io/out-of-service"
AFFECTS = {"both": frozenset(model.PrefixClass), "services-only": frozenset({SERVICES})}
PLANNED = {R.CORDONED, R.DRAINING, R.OPERATOR, R.STOPPING}
NEVER_LIFTED = {R.STOPPING, R.OPERATOR, R.NODE_DELETED}

ON_THE_NODE = {
    "cordon": model.Cause(R.CORDONED),
    "deletion": model.Cause(R.DRAINING, "deletion"),
    "shutdown": model.Cause(R.DRAINING, "shutdown"),
    "drain taint": model.Cause(R.DRAINING, DRAIN_TAINT),
    "label": model.Cause(R.EXCLUDED),
    "out taint": model.Cause(R.OUT_OF_SERVICE, OUT_TAINT),
}
SWITCHES = {
    **ON_THE_NODE,
    "check both": model.Cause(R.UNHEALTHY, "both"),
    "check services": model.Cause(R.UNHEALTHY, "services-only"),
    "gone": model.Cause(R.NODE_DELETED),
    "drain": model.Cause(R.OPERATOR, "drain"),
}

cells = st.builds(
    config.Cell, action=st.sampled_from(model.Action), after=st.sampled_from([0, 0, 3, 8])
)
tables = st.dictionaries(
    st.tuples(st.sampled_from(model.CAUSES), st.sampled_from(model.PrefixClass)), cells
)
policies = tables | tables.map(builders.a_policy) | st.just(config.DEFAULT_POLICY)
holds = st.sampled_from([0.0, 0.0, 4.0])
steps = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 3.0, 9.0]), st.sampled_from(sorted(SWITCHES))),
    min_size=1,
    max_size=25,
)


def settings_of(table: config.Policy, hold: float, hold_down: float = 0) -> config.Config:
    return builders.a_config(
        policy=table,
        graceful_shutdown=hold,
        hold_down=config.HoldDown(initial=hold_down),
        checks=tuple(builders.a_check(name, affects=each) for name, each in AFFECTS.items()),
    )


@dataclass(slots=True)
class Life:
    """The program's world, and beside it what stands since when."""

    settings: config.Config
    override: model.Override = model.Override.NONE
    now: float = START
    standing: dict[str, float] = field(default_factory=dict)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        healthy = [builders.outcome(name, is_ok=True) for name in AFFECTS]
        self.world = builders.a_world(*healthy, settings=self.settings, node=self._node())

    def toggle(self, name: str) -> None:
        """Let a cause come that was not there, or go that was."""
        if name in ON_THE_NODE and "gone" in self.standing:
            # Nobody changes a Node that is not there.
            return
        is_on = self.standing.pop(name, None) is None
        if is_on:
            self.standing[name] = self.now
        match name:
            case "check both" | "check services":
                event: events.Event = builders.outcome(SWITCHES[name].detail, is_ok=not is_on)
            case "drain":
                event = events.DrainAsked() if is_on else events.UndrainAsked()
            case "gone" if is_on:
                event = events.NodeGone()
            case "gone":
                event = events.NodeSeen(node=self._node())
            case _:
                event = events.NodeSeen(node=self._node())
        self.world = builders.after(self.world, event, now=self.now)

    def _node(self) -> model.NodeFacts:
        keys = {"drain taint": DRAIN_TAINT, "out taint": OUT_TAINT}
        return builders.a_node(
            override=self.override,
            is_unschedulable="cordon" in self.standing,
            is_deleting="deletion" in self.standing,
            is_shutting_down="shutdown" in self.standing,
            labels={causes.EXCLUDE_LABEL: ""} if "label" in self.standing else {},
            taints=tuple(
                model.Taint(key=key) for name, key in keys.items() if name in self.standing
            ),
        )

    def asked(self, prefix_class: model.PrefixClass) -> Mapping[model.Cause, model.Action]:
        """Return what each cause asks for now, where it asks for anything."""
        found = {}
        for name, since in self.standing.items():
            cause = SWITCHES[name]
            if self._is_lifted(cause) or prefix_class not in AFFECTS.get(
                cause.detail, model.PrefixClass
            ):
                continue
            action = self._cell(cause, since, prefix_class)
            if action is not KEEP:
                found[cause] = action
        return found

    def _is_lifted(self, cause: model.Cause) -> bool:
        is_always = self.override is model.Override.ALWAYS and "gone" not in self.standing
        return is_always and cause.reason not in NEVER_LIFTED

    def _cell(
        self, cause: model.Cause, since: float, prefix_class: model.PrefixClass
    ) -> model.Action:
        cell = self.settings.policy.get((cause.reason, prefix_class), config.Cell(action=KEEP))
        stood = self.now - since - cell.after
        if stood < 0:
            return KEEP
        is_early = stood < self.settings.graceful_shutdown
        if cell.action is WITHDRAW and cause.reason in PLANNED and is_early:
            return DEPRIORITISE
        return cell.action

    def worst(self, prefix_class: model.PrefixClass) -> model.Action:
        """Return what has to be in force where nothing is held down."""
        found = set(self.asked(prefix_class).values())
        return next((each for each in (WITHDRAW, DEPRIORITISE) if each in found), KEEP)

    def turn(self) -> Turn:
        return builders.turn(self.world, self.now)


def check_decision(life: Life) -> None:
    """The worst cell that is due is in force, and exactly those who ask for it are named."""
    turn = life.turn()
    decision = turn.decision
    ranges = {SERVICES: builders.ALL_RANGES[:2], PODS: builders.ALL_RANGES[2:]}
    for prefix_class, prefixes in ranges.items():
        expected = life.worst(prefix_class)
        assert turn.judgement.actions[prefix_class] is expected
        named = {
            each.prefix: set(each.causes)
            for each in decision.withheld
            if each.prefix_class is prefix_class
        }
        if expected is KEEP:
            assert named == {}
        else:
            assert named == {prefix: set(life.asked(prefix_class)) for prefix in prefixes}
        lowered = {
            prefix: model.GRACEFUL_SHUTDOWN in route.attributes.communities
            for (_, prefix), route in (decision.routes or {}).items()
            if prefix in prefixes
        }
        is_out = expected is WITHDRAW
        assert lowered == ({} if is_out else dict.fromkeys(prefixes, expected is DEPRIORITISE))


@pytest.mark.fault(
    area="health and flapping",
    what="any causes together, in any order, under any policy table",
    sees="what the worst cell that is due says, and no cause is forgotten",
    within="at once",
)
@hypothesis.given(policies, holds, steps, st.sampled_from(["", "always"]))
def test_the_worst_cell_that_is_due_is_in_force_and_names_its_causes(
    table: config.Policy, hold: float, found: list[tuple[float, str]], override: str
) -> None:
    life = Life(settings_of(table, hold), model.Override(override))

    for pause, name in found:
        if override and name == "gone":
            # What the annotation lifted would begin to stand anew with the deletion.
            continue
        life.toggle(name)
        check_decision(life)
        life.now += pause
        check_decision(life)


@pytest.mark.fault(
    area="health and flapping",
    what="several causes recover one after the other, in any order",
    sees="the routes again after the last one, not before",
    within="the hold-down, 1 s by default",
)
@hypothesis.given(st.permutations(sorted(SWITCHES)), st.data())
def test_recovering_in_any_order_returns_with_the_last(
    order: list[str], data: st.DataObject
) -> None:
    chosen = order[: data.draw(st.integers(1, len(order)))]
    life = Life(settings_of({**ALL_WITHDRAW}, 0))
    # The Node comes back before anything of it can change.
    come = sorted(chosen, key=lambda name: name == "gone")
    for name in come:
        life.toggle(name)
    for name in sorted(chosen, key=lambda name: name != "gone"):
        assert builders.announced(life.turn().decision) & set(builders.ALL_RANGES[:2]) == set()
        life.now += 7
        life.toggle(name)
        check_decision(life)

    assert builders.announced(life.turn().decision) == set(builders.ALL_RANGES)


ALL_WITHDRAW = {
    (reason, each): config.Cell(action=WITHDRAW)
    for reason in model.CAUSES
    for each in model.PrefixClass
}


@hypothesis.given(policies, holds, steps)
def test_with_a_hold_down_nothing_is_milder_than_asked_and_worse_is_explained(
    table: config.Policy, hold: float, found: list[tuple[float, str]]
) -> None:
    life = Life(settings_of(table, hold, hold_down=2))

    for pause, name in found:
        life.toggle(name)
        life.now += pause
        turn = life.turn()
        life.world = builders.after(life.world, events.Tick(), now=life.now)
        for prefix_class in model.PrefixClass:
            asked = life.worst(prefix_class)
            in_force = turn.judgement.actions[prefix_class]
            assert model.SEVERITY[in_force] >= model.SEVERITY[asked]
            is_held = "hold-down" in builders.reasons(turn.decision, prefix_class)
            assert is_held == (in_force is not asked)


@pytest.mark.fault(
    area="health and flapping",
    what="two checks fail and one of them recovers",
    sees="nothing: the node stays out",
    within="0 s",
)
def test_one_of_two_failing_checks_recovers_and_the_node_stays_out() -> None:
    life = Life(settings_of(config.DEFAULT_POLICY, 0))
    life.toggle("check both")
    life.toggle("check services")

    life.toggle("check both")
    still = life.turn().decision
    life.toggle("check services")

    assert builders.announced(still) == set(builders.ALL_RANGES[2:])
    assert builders.reasons(still, SERVICES) == {"unhealthy:services-only"}
    assert builders.announced(life.turn().decision) == set(builders.ALL_RANGES)


@pytest.mark.fault(
    area="health and flapping",
    what="`announce: always` on the Node, and everything fails; then a drain, a stop, a deletion",
    sees="nothing of the failures; withdrawals by drain, stop and deletion",
    within="at once; 30 s for the service ranges of a deleted Node",
)
@pytest.mark.parametrize(
    "event", [events.DrainAsked(), events.DrainAsked(is_stopping=True), events.NodeGone()]
)
def test_always_beats_health_and_node_but_no_drain_stop_or_deletion(event: events.Event) -> None:
    life = Life(settings_of(config.DEFAULT_POLICY, 0), model.Override.ALWAYS)
    for name in (*ON_THE_NODE, "check both", "check services"):
        life.toggle(name)
    assert builders.announced(life.turn().decision) == set(builders.ALL_RANGES)

    life.world = builders.after(life.world, event, now=life.now)
    life.now += 31

    assert builders.announced(life.turn().decision) == frozenset()


def test_a_drain_is_not_lifted_by_an_annotation_that_comes_later() -> None:
    life = Life(settings_of(config.DEFAULT_POLICY, 0))
    life.toggle("drain")

    always = dataclasses.replace(builders.a_node(), override=model.Override.ALWAYS)
    life.world = builders.after(life.world, events.NodeSeen(node=always), now=life.now)

    assert builders.announced(life.turn().decision) == frozenset()
