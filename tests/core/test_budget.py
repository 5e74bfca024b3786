"""The outage budget's rule: what it allows, and that no interleaving allows more."""

from __future__ import annotations

import dataclasses

import hypothesis
import pytest
from hypothesis import stateful
from hypothesis import strategies as st

from exabgp_k8s.core.facts import budget, config
from exabgp_k8s.core.judge import budget as counting

SLOT, PLANNED, IN = budget.Standing.SLOT, budget.Standing.PLANNED, budget.Standing.IN
NODES = 5


@pytest.mark.parametrize(
    ("amount", "is_percent", "nodes", "allowed"),
    [
        (50, True, 1, 1),
        (50, True, 2, 1),
        (50, True, 3, 2),
        (50, True, 200, 100),
        (1, True, 3, 1),
        (0, True, 3, 0),
        (0, False, 3, 0),
        (3, False, 200, 3),
        (33, True, 100, 33),
    ],
)
def test_a_percentage_is_rounded_up_and_a_number_is_itself(
    amount: int, is_percent: bool, nodes: int, allowed: int
) -> None:
    assert counting.allowed(config.Budget(amount=amount, is_percent=is_percent), nodes) == allowed


@hypothesis.given(st.integers(0, 5000))
def test_the_shards_share_out_exactly_the_slots_there_are(slots: int) -> None:
    among = counting.shards(slots)
    shares = [counting.share(slots, shard, among) for shard in range(among)]

    assert sum(shares) == slots
    assert counting.SHARDS % among == 0
    assert among == 1 or min(shares) >= counting.SLOTS_PER_SHARD


def holding(node: str, **changes: object) -> budget.Holding:
    """Return a live claim with key 1."""
    return dataclasses.replace(
        budget.Holding(node=node, standing=SLOT, key=1, is_live=True),
        **changes,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("other", "taken", "nodes"),
    [
        (holding("other"), 1, 2),
        (holding("other", key=9), 0, 2),
        (holding("other", is_live=False), 0, 1),
        (holding("other", standing=PLANNED, key=9), 1, 2),
        (holding("other", standing=IN), 0, 2),
        (holding("other", standing=budget.Standing.EXCLUDED), 0, 1),
    ],
    ids=["earlier", "later", "dead", "planned", "in", "excluded"],
)
def test_earlier_claims_and_planned_absences_count_against_a_claim(
    other: budget.Holding, taken: int, nodes: int
) -> None:
    found = counting.count([other, holding("me", key=5)], "me", 5, config.Budget())

    assert (found.taken, found.nodes) == (taken, nodes)


@dataclasses.dataclass
class Node:
    """One agent, and its Lease in the store."""

    standing: budget.Standing = IN
    claim: int | None = None
    """The annotation; None: the version is the key."""
    version: int = 0
    is_live: bool = True
    is_granted: bool = False

    @property
    def key(self) -> int:
        """What the others order by."""
        return self.version if self.claim is None else self.claim


class Cluster(stateful.RuleBasedStateMachine):
    """Some agents and one store; every write and every list is a step of its own."""

    @stateful.initialize(amount=st.integers(0, NODES), is_percent=st.booleans())
    def begins(self, amount: int, is_percent: bool) -> None:
        self.budget = config.Budget(amount=amount * 20 if is_percent else amount,
                                    is_percent=is_percent)  # fmt: skip
        self.version = 100
        self.nodes = {str(number): Node() for number in range(NODES)}

    def _write(self, node: Node, standing: budget.Standing) -> None:
        """Write a Lease as the adapter does: a claim that goes on keeps its key."""
        is_kept = node.standing.is_claim and standing.is_claim and node.is_live
        node.claim = node.key if is_kept else None
        self.version += 1
        node.version, node.standing, node.is_live = self.version, standing, True
        node.is_granted = node.is_granted and is_kept

    @stateful.rule(name=st.sampled_from([str(number) for number in range(NODES)]))
    def claims_or_renews(self, name: str) -> None:
        self._write(self.nodes[name], SLOT)

    @stateful.rule(name=st.sampled_from([str(number) for number in range(NODES)]))
    def leaves_as_planned(self, name: str) -> None:
        self._write(self.nodes[name], PLANNED)

    @stateful.rule(name=st.sampled_from([str(number) for number in range(NODES)]))
    def comes_back(self, name: str) -> None:
        self._write(self.nodes[name], IN)

    @stateful.rule(name=st.sampled_from([str(number) for number in range(NODES)]))
    def dies(self, name: str) -> None:
        self.nodes[name].is_live = False

    @stateful.rule(name=st.sampled_from([str(number) for number in range(NODES)]))
    def lists(self, name: str) -> None:
        node = self.nodes[name]
        if node.standing is SLOT and node.is_live and not node.is_granted:
            node.is_granted = self._count(name).verdict is budget.Verdict.GRANTED

    def _count(self, name: str) -> budget.Count:
        found = [
            budget.Holding(node=other, standing=each.standing, key=each.key, is_live=each.is_live)
            for other, each in self.nodes.items()
        ]
        return counting.count(found, name, self.nodes[name].key, self.budget)

    @stateful.invariant()
    def never_more_than_allowed_hold_a_slot(self) -> None:
        if not hasattr(self, "nodes"):
            return
        held = [node for node in self.nodes.values() if node.is_granted and node.is_live]
        assert sum(node.standing is SLOT for node in held) <= counting.allowed(self.budget, NODES)

    @stateful.rule()
    def a_free_slot_is_for_the_first_who_waits(self) -> None:
        live = {name: node for name, node in self.nodes.items() if node.is_live}
        out = [node for node in live.values() if node.is_granted or node.standing is PLANNED]
        waiting = [name for name, node in live.items()
                   if node.standing is SLOT and not node.is_granted]  # fmt: skip
        if waiting and len(out) < counting.allowed(self.budget, len(live)):
            first = min(waiting, key=lambda name: live[name].key)
            assert self._count(first).verdict is budget.Verdict.GRANTED


TestCluster = Cluster.TestCase
TestCluster.settings = hypothesis.settings(max_examples=150, stateful_step_count=40)
