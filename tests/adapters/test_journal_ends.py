"""What goes wrong again and again is told now and then, and how it ended always: virtual time."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import structlog

from exabgp_k8s.adapters import journal, logs, news
from exabgp_k8s.core import step
from exabgp_k8s.core.facts import absences, budget, events, model, reload
from exabgp_k8s.core.plan.turn import Turn
from tests.support import builders
from tests.support.builders import START, TOR_B

HOUR, TEN_MINUTES = 3600.0, 601.0
"""The latter with the second that may pass until the agent's next turn."""

SETTINGS = builders.a_config(checks=(builders.a_check(),))
UNHEALTHY = model.Cause(model.Reason.UNHEALTHY, "kube-proxy")
HELD = absences.PeerHeld(
    name="tor-b", address=TOR_B, cause=model.Cause(model.Reason.PASSWORD_MISSING, "key")
)

Happening = events.Event | Mapping[str, Any]
"""An event, or what is replaced in the decision or in the judgement."""

PAIRS: dict[tuple[str, str], tuple[Happening, Happening]] = {
    ("kubernetes.lost", "kubernetes.regained"): (
        events.KubeLost(problem="refused"),
        events.KubeContact(),
    ),
    ("budget.lost", "budget.regained"): (
        events.BudgetLost(problem="refused"),
        events.BudgetSeen(count=budget.Count(nodes=9, taken=0, allowed=4)),
    ),
    ("budget.exhausted", "budget.sufficient"): (
        {"spared": {model.PrefixClass.SERVICES: (UNHEALTHY,)}},
        {"spared": {}},
    ),
    ("check.missed", "check.resumed"): (
        events.CheckMissed(name="kube-proxy", why="not run: too many open files"),
        builders.outcome(is_ok=True),
    ),
    ("in-use.missing", "in-use.found"): (
        {"missing": (absences.Missing(cause=model.Cause(model.Reason.NO_SERVICE_CIDR)),)},
        {"missing": ()},
    ),
    ("exabgp.refused", "exabgp.accepted"): (
        reload.Refused(problem="line 3"),
        reload.Taken(neighbors=()),
    ),
    ("settings.refused", "settings.changed"): (
        events.ConfigRefused(problems=("asn: is missing",)),
        events.ConfigLoaded(config=SETTINGS),
    ),
    ("host.unseen", "host.seen"): (events.HostLost(problem="no netlink"), events.HostSeen()),
    ("node.deleted", "node.found"): (
        events.NodeGone(),
        events.NodeSeen(node=builders.a_node()),
    ),
    ("node.misunderstood", "node.understood"): (
        events.NodeSeen(node=builders.a_node(problems=("podCIDR x",))),
        events.NodeSeen(node=builders.a_node()),
    ),
    ("peer.held", "peer.released"): ({"peers_held": (HELD,)}, {"peers_held": ()}),
}


class Life:
    """A node with its journal, in virtual time."""

    def __init__(self, lines: list[Any]) -> None:
        self.lines, self.at, self.now = lines, list[float](), START
        self._journal = journal.Journal()
        self._turn = Turn(world=builders.a_world(settings=SETTINGS))
        self._decided: Mapping[str, Any] = {}

    def happen(self, *happenings: Happening, wait: float = 0) -> None:
        """Let something happen, and time pass before it."""
        self.now += wait
        found = [each for each in happenings if not isinstance(each, Mapping)]
        for each in happenings:
            self._decided = each if isinstance(each, Mapping) else self._decided
        before, after = self._turn, step.step(self._turn.world, found, self.now)
        self._turn = dataclasses.replace(
            after,
            judgement=_replaced(after.judgement, self._decided),
            decision=_replaced(after.decision, self._decided),
        )
        self._journal.note(before, self._turn, self.now)
        self.at += [self.now] * (len(self.lines) - len(self.at))

    def about(self, names: tuple[str, ...]) -> list[tuple[float, Any]]:
        """Return the moments and lines of these events."""
        pairs = zip(self.at, self.lines, strict=True)
        return [(at, line) for at, line in pairs if line["event"] in names]


def _replaced(part: Any, fields: Mapping[str, Any]) -> Any:
    """Return a part of a turn with those fields that it has."""
    own = {each.name for each in dataclasses.fields(part)}
    return dataclasses.replace(part, **{each: fields[each] for each in own & fields.keys()})


@pytest.fixture
def life() -> Iterator[Life]:
    """A node on which all is well."""
    with structlog.testing.capture_logs() as lines:
        yield Life(lines)


@pytest.mark.fault(
    area="control plane",
    what="API server, Leases, settings, checks or what is in use come and go for hours",
    sees="nothing; the log has 12 lines an hour at most for each of them, and how it ended",
    within="0 s",
)
@pytest.mark.parametrize("is_well", [True, False], ids=["ends well", "ends badly"])
@pytest.mark.parametrize("names", PAIRS, ids=lambda names: names[0])
def test_what_flaps_is_bounded_and_its_last_line_says_how_it_ended(
    life: Life, names: tuple[str, str], is_well: bool
) -> None:
    chance = random.Random(names[0])
    for number in range(201 + is_well):
        life.happen(PAIRS[names][number % 2], wait=chance.choice((0.1, 1, 20, 200)))
    life.happen(events.Tick(), wait=TEN_MINUTES)

    found = life.about(names)
    assert found[-1][1]["event"] == names[is_well]
    moments = [at for at, _ in found]
    assert max(sum(at <= each < at + HOUR for each in moments) for at in moments) <= 12


@pytest.mark.parametrize("names", PAIRS, ids=lambda names: names[0])
def test_what_happens_once_is_told_at_once(life: Life, names: tuple[str, str]) -> None:
    for happening in PAIRS[names]:
        life.happen(happening, wait=1)

    assert [line["event"] for _, line in life.about(names)] == list(names)
    assert [at for at, _ in life.about(names)] == [START + 1, START + 2]


def test_what_is_well_from_the_start_is_not_told(life: Life) -> None:
    life.happen(*(well for _, well in PAIRS.values() if not isinstance(well, Mapping)))

    ends = {well for _, well in PAIRS}
    assert not [line for line in life.lines if line["event"] in ends - {"settings.changed"}]


def test_of_many_checks_that_are_missed_at_once_each_one_is_told(life: Life) -> None:
    names = [f"check-{number}" for number in range(64)]
    checks = tuple(builders.a_check(name) for name in names)
    life.happen(events.ConfigLoaded(config=builders.a_config(checks=checks)))
    life.happen(*(events.CheckMissed(name=name, why="not run: no memory") for name in names))

    assert [line["check"] for _, line in life.about(("check.missed",))] == names


def test_an_edit_is_told_although_it_takes_the_last_one_back(life: Life) -> None:
    for wanted in (builders.a_config(), SETTINGS):
        life.happen(events.ConfigLoaded(config=wanted), wait=1)

    assert len(life.about(("settings.changed",))) == 2


def test_what_the_journal_tells_passes_the_bound_on_every_line() -> None:
    for burst, refill in (news.LIMITS, news.BUSY_LIMITS):
        assert burst < logs.BURST
        assert refill > logs.REFILL
