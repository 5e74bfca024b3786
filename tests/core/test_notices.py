"""What is said as Events: each change once, with its cause, and nothing of what passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import budget, commands, config, events, model, reload
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan import changes
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import notices
from exabgp_k8s.core.report.notice import Kind, Notice, Word
from exabgp_k8s.core.report.told import Told
from tests.support import builders
from tests.support.builders import PODS, SERVICES, START, TOR_A, TOR_B

PASSWORD = "correct horse battery staple"
PROBLEM = "peers[0].holdTime: write a duration like 9s"


class Node:
    """One node whose ExaBGP does all it is told, and what was said of it."""

    def __init__(self, world: World, told: Told | None = None) -> None:
        self.world, self.now = world, START
        self.told = told or Told()

    def hears(self, *happened: events.Event, after: float = 0) -> list[Notice]:
        """Return what is said once something happened and ExaBGP has done what follows."""
        self.now += after
        found = []
        for _ in range(100):
            turn = step.step(self.world, happened or (events.Tick(),), self.now)
            self.world = turn.world
            found += self._tell(turn)
            if not turn.commands:
                return found
            happened = tuple(self._answers(turn.commands[0]))
        raise AssertionError("no end")

    def _answers(self, command: commands.Command) -> Iterator[events.Event]:
        match command:
            case commands.ShowNeighbors():
                rows = tuple(self._row(each) for each in self.world.neighbors or ())
                yield events.NeighborsRead(rows=rows)
            case commands.ShowRib():
                yield events.RibRead(routes=())
            case _:
                yield events.CommandDone(command=command)
                yield from builders.echoes(self.world, command)

    def _row(self, neighbor: model.Neighbor) -> events.NeighborRow:
        session = self.world.sessions.get(neighbor.address)
        is_up = session is not None and session.is_up
        row = builders.row_of(neighbor)
        return row if is_up else dataclasses.replace(row, is_up=False, fsm="ACTIVE")

    def _tell(self, turn: Turn) -> list[Notice]:
        self.told, found = notices.tell(self.told, turn)
        _, again = notices.tell(self.told, turn)
        assert not again, "the same turn has nothing new a second time"
        return list(found)

    def starts(self, settings: config.Config | None = None) -> list[Notice]:
        """Return what a new agent says until its routes are with the routers."""
        found = self.hears(events.ConfigLoaded(config=settings or builders.a_config()))
        found += self.hears(events.NodeSeen(node=builders.a_node()))
        neighbors = step.step(self.world, (), self.now).decision.neighbors or ()
        found += self.hears(reload.Taken(neighbors=neighbors))
        found += self.hears(*(each for peer in (TOR_A, TOR_B) for each in builders.up(peer)))
        return found + self.hears(after=changes.REREAD)


def serving(settings: config.Config | None = None) -> Node:
    """Return a node that serves and has said all there is to say about it."""
    node = Node(builders.a_serving_world(settings=settings))
    node.hears(events.Tick())
    return node


def cordoned(*, is_cordoned: bool = True) -> events.NodeSeen:
    return events.NodeSeen(node=builders.a_node(is_unschedulable=is_cordoned))


def said(found: list[Notice]) -> list[tuple[Kind, Word]]:
    return [(each.kind, each.word) for each in found]


def test_a_start_says_once_what_is_announced() -> None:
    (only,) = Node(World(started=START)).starts()

    assert (only.kind, only.word) == (Kind.NORMAL, Word.ROUTES_ANNOUNCED)
    assert only.message == (
        "Announced to the routers: services 10.96.0.0/16, services fd00:96::/112, "
        "pods 10.244.3.0/24, pods fd00:10:244:3::/64"
    )


def test_waiting_for_the_first_verdict_of_a_check_is_not_said() -> None:
    node = Node(World(started=START))

    waiting = node.starts(builders.a_config(checks=(builders.a_check(),)))
    decided = node.hears(builders.outcome(is_ok=True))

    assert waiting == []
    assert said(decided) == [(Kind.NORMAL, Word.ROUTES_ANNOUNCED)]


def test_an_agent_that_takes_over_standing_routes_says_nothing() -> None:
    node = Node(builders.a_serving_world())

    assert node.hears(events.Tick()) == []
    assert node.hears(events.Tick(), after=60) == []


def test_an_agent_that_is_respawned_says_nothing_of_what_stands() -> None:
    """It learns of the Node first and of the table after, or the other way round."""
    before = builders.a_serving_world()
    table = events.RibRead(
        routes=tuple(
            route for held in (before.rib or {}).values() for route in held.routes.values()
        )
    )
    rows = events.NeighborsRead(
        rows=tuple(builders.row_of(each) for each in before.neighbors or ())
    )
    loaded = events.ConfigLoaded(config=builders.a_config())
    seen = events.NodeSeen(node=builders.a_node())

    for order in ((loaded, seen, rows, table), (loaded, rows, table, seen)):
        told, world = Told(), World(started=START)
        for event in order:
            turn = step.step(world, (event,), START)
            world = turn.world
            told, found = notices.tell(told, turn)
            assert not found
        assert told.routes


def test_a_bad_edit_is_said_with_its_problems_and_once() -> None:
    node = serving()

    (first,) = node.hears(events.ConfigRefused(problems=(PROBLEM,)))
    again = node.hears(events.ConfigRefused(problems=(PROBLEM,)), after=60)
    other = node.hears(events.ConfigRefused(problems=("bgp.asn: is missing",)))

    assert (first.kind, first.word) == (Kind.WARNING, Word.SETTINGS_REFUSED)
    assert first.message.endswith(f"in force: {PROBLEM}")
    assert again == []
    assert said(other) == [(Kind.WARNING, Word.SETTINGS_REFUSED)]


def test_of_many_problems_only_the_first_are_quoted() -> None:
    problems = tuple(f"peers[{number}].asn: is missing" for number in range(9))

    (notice,) = serving().hears(events.ConfigRefused(problems=problems))

    assert notice.message.endswith("peers[2].asn: is missing; and 6 more")


def test_a_bad_edit_that_is_mended_is_said_too() -> None:
    node = serving()
    node.hears(events.ConfigRefused(problems=(PROBLEM,)))

    mended = node.hears(events.ConfigLoaded(config=builders.a_config()))

    assert said(mended) == [(Kind.NORMAL, Word.SETTINGS_ACCEPTED)]


def test_an_edit_that_is_good_is_not_news() -> None:
    assert serving().hears(events.ConfigLoaded(config=builders.a_config(settle=3))) == []


def test_a_cordon_is_no_warning_and_names_what_is_gone() -> None:
    (notice,) = serving().hears(cordoned())

    assert (notice.kind, notice.word) == (Kind.NORMAL, Word.ROUTES_WITHDRAWN)
    assert notice.message.startswith("No longer announced to the routers: services 10.96.0.0/16")
    assert notice.message.endswith("; because of cordoned")


def test_a_failed_check_is_a_warning() -> None:
    check = builders.a_check(affects=frozenset({SERVICES}))
    node = serving(builders.a_config(checks=(check,)))
    node.hears(builders.outcome(is_ok=True))

    (notice,) = node.hears(builders.outcome(is_ok=False))

    assert (notice.kind, notice.word) == (Kind.WARNING, Word.ROUTES_WITHDRAWN)
    assert "pods" not in notice.message
    assert notice.message.endswith("; because of unhealthy:kube-proxy")


def test_the_hold_down_is_not_said_and_the_return_is() -> None:
    node = serving()
    node.hears(cordoned())

    during = node.hears(cordoned(is_cordoned=False), after=1)
    afterwards = node.hears(events.Tick(), after=600)

    assert during == []
    assert said(afterwards) == [(Kind.NORMAL, Word.ROUTES_ANNOUNCED)]


def test_a_second_cause_is_no_second_withdrawal() -> None:
    node = serving()
    node.hears(cordoned())

    assert node.hears(events.DrainAsked()) == []


def test_a_last_resort_is_said_with_its_cause() -> None:
    low = config.Cell(action=model.Action.DEPRIORITISE)
    cells = {(model.Reason.CORDONED, each): low for each in (SERVICES, PODS)}
    node = serving(builders.a_config(policy=builders.a_policy(cells)))

    (lowered,) = node.hears(cordoned())
    node.hears(cordoned(is_cordoned=False))
    raised = node.hears(events.Tick(), after=600)

    assert lowered.word is Word.ROUTES_DEPRIORITISED
    assert lowered.message.startswith("Announced as a last resort to the routers: ")
    assert lowered.message.endswith("; because of cordoned")
    assert said(raised) == [(Kind.NORMAL, Word.ROUTES_ANNOUNCED)]


def test_a_guard_is_a_warning_from_the_start() -> None:
    node = Node(builders.a_serving_world(node=builders.a_node(pod_cidrs=())))

    (notice,) = node.hears(events.Tick())

    assert (notice.kind, notice.word) == (Kind.WARNING, Word.ROUTES_WITHHELD)
    assert notice.message == "Not announced to the routers: pods; because of no-pod-cidr"


def test_a_range_that_comes_later_is_said_when_a_router_has_it() -> None:
    node = Node(builders.a_serving_world(node=builders.a_node(pod_cidrs=())))
    node.hears(events.Tick())

    (notice,) = node.hears(events.NodeSeen(node=builders.a_node()))

    assert notice.message.startswith("Announced to the routers: pods 10.244.3.0/24")


def test_a_peer_without_its_password_is_said_until_it_has_one() -> None:
    peers = (builders.a_peer(), builders.a_peer("tor-b", TOR_B, password_from="tor-b"))
    settings = builders.a_config(peers=peers)
    node = Node(builders.a_serving_world(settings=settings))

    (held,) = node.hears(events.Tick())
    (released,) = node.hears(
        events.ConfigLoaded(config=settings, passwords={"tor-b": model.Secret(PASSWORD)})
    )

    assert (held.kind, held.word) == (Kind.WARNING, Word.PEER_HELD)
    assert "tor-b (password-missing:tor-b)" in held.message
    assert (released.kind, released.word) == (Kind.NORMAL, Word.PEER_RELEASED)
    assert PASSWORD not in released.message


def test_a_peer_that_is_not_meant_for_the_node_is_not_held() -> None:
    elsewhere = config.Requirement(key="rack", operator=config.Operator.IN, values=frozenset("z"))
    selector = config.Selector(requirements=(elsewhere,))
    peers = (builders.a_peer(), builders.a_peer("tor-b", TOR_B, selector=selector))

    assert Node(builders.a_serving_world(settings=builders.a_config(peers=peers))).hears() == []


def test_a_session_that_is_lost_is_said_with_the_routers_reason_and_its_return() -> None:
    node = serving()
    closed = events.NotificationReceived(peer=TOR_A, code=6, subcode=2, message="maintenance")

    (lost,) = node.hears(closed, builders.down(problem="notification received (6,2)"))
    still = node.hears(builders.down(), after=60)
    (back,) = node.hears(*builders.up())

    assert (lost.kind, lost.word) == (Kind.WARNING, Word.SESSION_LOST)
    assert lost.message == (
        "The BGP session with tor-a (192.0.2.1) is lost: "
        "notification 6/2 (administrative shutdown) maintenance"
    )
    assert still == []
    assert (back.kind, back.word) == (Kind.NORMAL, Word.SESSION_ESTABLISHED)


def test_a_session_that_a_new_table_shows_as_lost_is_said_too() -> None:
    node = serving()
    rows = (
        builders.a_row(TOR_A, is_up=False, fsm="ACTIVE"),
        builders.a_row(TOR_B),
    )

    (lost,) = node.hears(events.NeighborsRead(rows=rows))
    (back,) = node.hears(events.NeighborsRead(rows=(builders.a_row(TOR_A), rows[1])))

    assert (lost.word, lost.message[-19:]) == (Word.SESSION_LOST, "no reason was given")
    assert back.word is Word.SESSION_ESTABLISHED


def test_sessions_that_close_because_the_pod_stops_are_not_lost() -> None:
    node = serving()

    found = node.hears(events.DrainAsked(is_stopping=True))
    found += node.hears(builders.down(), builders.down(TOR_B), after=5)

    assert said(found) == [(Kind.NORMAL, Word.ROUTES_WITHDRAWN)]


def test_a_session_with_a_peer_that_was_taken_out_is_not_lost() -> None:
    node = serving()

    found = node.hears(events.ConfigLoaded(config=builders.a_config(peers=(builders.a_peer(),))))
    found += node.hears(builders.down(TOR_B))

    assert found == []


def test_what_exabgp_refuses_is_said_without_quoting_it() -> None:
    node = serving()

    (refused,) = node.hears(reload.Refused(problem=f"md5-password '{PASSWORD}'"))
    again = node.hears(reload.Refused(problem="12:00:30 the same at another time"))
    taken = node.hears(reload.Taken(neighbors=node.world.neighbors or ()))

    assert (refused.kind, refused.word) == (Kind.WARNING, Word.EXABGP_REFUSED)
    assert PASSWORD not in refused.message
    assert again == []
    assert said(taken) == [(Kind.NORMAL, Word.EXABGP_ACCEPTED)]


@pytest.mark.parametrize("problem", ["", "timed out"])
def test_the_api_server_itself_is_never_news(problem: str) -> None:
    """An Event about it would need it."""
    happened = events.KubeLost(problem=problem) if problem else events.KubeContact()

    assert serving().hears(happened) == []


def test_a_withdrawal_that_the_budget_refuses_is_a_warning_until_it_is_settled() -> None:
    check = builders.a_check(affects=frozenset({SERVICES}))
    node = Node(World(started=START))
    settings = builders.a_config(checks=(check,), budget=config.Budget())
    node.starts(settings)
    node.hears(builders.outcome(is_ok=True))
    full = events.BudgetSeen(count=budget.Count(taken=2, allowed=2, nodes=4))
    free = events.BudgetSeen(count=budget.Count(taken=1, allowed=2, nodes=4))

    (refused,) = node.hears(builders.outcome(is_ok=False), full)
    granted = node.hears(free)

    assert (refused.kind, refused.word) == (Kind.WARNING, Word.WITHDRAWAL_REFUSED)
    assert refused.message.endswith("budget-exhausted:unhealthy:kube-proxy")
    assert said(granted) == [
        (Kind.NORMAL, Word.WITHDRAWAL_SETTLED),
        (Kind.WARNING, Word.ROUTES_WITHDRAWN),
    ]
