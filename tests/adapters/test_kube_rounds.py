"""How soon the return of an API server is noticed while others are away, in a time of our own."""

from __future__ import annotations

import itertools
import pathlib
import random
import types

import pytest

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import attempts, backoff, servers

SILENT, REFUSED = 1.2, 0.001
AWAY = errors.Unreachable("away")


class World:
    """One agent's way through its API servers."""

    def __init__(self, folder: pathlib.Path, listed: int, former: int) -> None:
        self.now, self.pauses = 0.0, attempts.Attempts(attempts.Pauses())
        self.servers = servers.Servers(folder / "kept")
        known = [f"192.0.2.{number}:6443" for number in range(1, listed + former + 1)]
        self.listed, self.former = known[:listed], known[listed:]
        if former:
            self.servers.learn(tuple(self.former))
        self.servers.learn(tuple(self.listed))

    def attempt(self, costs: float) -> str:
        """Ask one that is away, and wait as long as there is to wait; return which."""
        asked = self.servers.first()
        self.now += costs
        self.servers.failed(asked)
        has_another = self.servers.has_another
        self.now += self.pauses.failed(AWAY, has_another=has_another, took=costs)
        return asked


def longest_wait(world: World, costs: float, wanted: list[str]) -> float:
    """Return the longest time from one question to the next at the same address."""
    while world.now < 30:
        world.attempt(costs)
    asked: dict[str, list[float]] = {}
    while world.now < 600:
        begun = world.now
        asked.setdefault(world.attempt(costs), []).append(begun)
    return max(
        later - earlier
        for each in wanted
        for earlier, later in itertools.pairwise([30, *asked[each], 600])
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    worlds: list[World] = []
    own = types.SimpleNamespace(monotonic=lambda: worlds[0].now if worlds else 0.0)
    monkeypatch.setattr(attempts, "time", own)
    monkeypatch.setattr(servers, "time", own)
    # Of its own: a thread that another test has left may draw from the common one.
    drawn = random.Random(7)
    for module in (attempts, backoff, servers):
        monkeypatch.setattr(module, "random", drawn)
    return worlds


SIZES = [(1, 0), (2, 0), (3, 0), (5, 0), (3, 3), (5, 3)]


@pytest.mark.parametrize(("listed", "former"), SIZES)
def test_each_server_that_refuses_is_asked_every_few_seconds(
    clock: list[World], tmp_path: pathlib.Path, listed: int, former: int
) -> None:
    clock.append(World(tmp_path, listed, former))
    assert longest_wait(clock[0], REFUSED, clock[0].listed + clock[0].former) < 5


@pytest.mark.parametrize(("listed", "former"), SIZES)
def test_each_server_in_the_list_is_asked_every_ten_seconds_where_all_are_silent(
    clock: list[World], tmp_path: pathlib.Path, listed: int, former: int
) -> None:
    clock.append(World(tmp_path, listed, former))
    assert longest_wait(clock[0], SILENT, clock[0].listed) < 10


@pytest.mark.parametrize(("listed", "within"), [(3, 10), (5, 30)])
def test_those_that_were_in_the_list_take_turns_where_all_are_silent(
    clock: list[World], tmp_path: pathlib.Path, listed: int, within: float
) -> None:
    clock.append(World(tmp_path, listed, 3))
    assert longest_wait(clock[0], SILENT, clock[0].former) < within


def test_a_server_that_asks_for_a_pause_is_left_for_another_and_gets_it(
    clock: list[World], tmp_path: pathlib.Path
) -> None:
    clock.append(World(tmp_path, 2, 0))
    found = clock[0].servers
    first = found.first()
    assert found.rest(first, 20) == 0
    assert found.has_another
    second = found.first()
    assert second in clock[0].listed
    assert second != first
    found.failed(second)
    for _ in range(5):
        assert found.first() != first
        found.failed(found.first())
    clock[0].now = 21
    found.failed(second)
    assert found.first() == first


def test_where_all_in_the_list_ask_for_a_pause_nobody_is_asked_before_the_first_may_be(
    clock: list[World], tmp_path: pathlib.Path
) -> None:
    clock.append(World(tmp_path, 3, 0))
    found = clock[0].servers
    waits = []
    for seconds in (10, 30, 20):
        asked = found.first()
        waits.append((found.rest(asked, seconds), asked))
    assert len({asked for _, asked in waits}) == 3
    assert [wait for wait, _ in waits] == [0, 0, 10]
    assert not found.has_another
    clock[0].now = 11
    assert found.first() == waits[0][1]


def test_each_server_comes_to_its_turn_where_some_are_of_no_use(
    clock: list[World], tmp_path: pathlib.Path
) -> None:
    """That one has answered at all must not put those before it first again."""
    clock.append(World(tmp_path, 3, 0))
    found, asked = clock[0].servers, []
    for _ in range(4):
        asked.append(found.first())
        found.answered(asked[-1])
        found.is_useless(asked[-1])
    assert sorted(asked) == sorted([*clock[0].listed, servers.CONFIGURED])
    assert not found.has_another
