"""What the metrics say beyond one turn, and how many series there can be."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from pathlib import Path

import pytest

from exabgp_k8s import restarts
from exabgp_k8s.adapters import metrics, own_processes, tally
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import losses
from tests.support import builders
from tests.support.builders import START, TOR_A


def exposed(*worlds: World, state_dir: Path | None = None) -> list[str]:
    """Return the samples after a life of these worlds."""
    turns = [builders.turn(world) for world in worlds]
    read = dict if state_dir is None else lambda: restarts.read(state_dir)
    served = metrics.Metrics(lambda: turns[-1], lambda: START, read)
    before = Turn(world=World())
    for turn in turns:
        served.note(before, turn, START, START)
        before = turn
    lines = served.render().decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_a_lost_session_is_a_flap_and_has_a_reason() -> None:
    well = builders.a_serving_world()
    lost = builders.after(well, builders.down(TOR_A, "notification sent 4/0 (hold timer expired)"))

    lines = exposed(well, lost)

    assert 'exabgp_k8s_session_flaps_total{peer="tor-a"} 1.0' in lines
    assert 'exabgp_k8s_session_flaps_total{peer="tor-b"} 0.0' in lines
    reasons = [line for line in lines if line.startswith("exabgp_k8s_session_lost_total")]
    assert len(reasons) == 1


def test_a_router_cannot_make_more_than_a_few_series_of_reasons() -> None:
    counted = tally.Tally()
    well = builders.turn(builders.a_serving_world())
    for subcode in range(1, 12):
        problem = f"notification 6/{subcode} (cease)"
        sessions = {
            **well.world.sessions,
            TOR_A: dataclasses.replace(well.world.sessions[TOR_A], is_up=False, problem=problem),
        }
        lost = dataclasses.replace(well, world=dataclasses.replace(well.world, sessions=sessions))
        counted.note(well, lost, START, START)

    assert len(counted.lost) == tally.REASONS_KEPT + 1
    assert counted.lost["tor-a", losses.OTHER] == 2 + (11 - 10)
    assert sum(counted.lost.values()) == 11


def test_the_losses_of_a_peer_that_left_the_settings_are_forgotten() -> None:
    well = builders.a_serving_world()
    lost = builders.after(well, builders.down(TOR_A))
    settings = builders.a_config(peers=(builders.a_peer("tor-b", builders.TOR_B),))
    without = builders.after(lost, events.ConfigLoaded(config=settings, passwords={}))

    assert not any("session_lost_total{" in line for line in exposed(well, lost, without))


def test_settings_are_stale_since_a_moment_and_only_while_they_are() -> None:
    well = builders.a_serving_world()
    stale = builders.after(well, events.ConfigRefused(problems=("no",)))
    again = builders.after(stale, events.ConfigLoaded(config=builders.a_config(), passwords={}))
    name = "exabgp_k8s_settings_stale_since_seconds"

    (since,) = [line for line in exposed(well, stale) if line.startswith(name)]

    assert float(since.split()[1]) > 1.7e9
    assert not any(line.startswith(name) for line in exposed(well, stale, again))


def test_restarts_are_counted_from_nothing_by_every_reason(tmp_path: Path) -> None:
    restarts.count(tmp_path, restarts.AGENT, restarts.SILENT)
    restarts.count(tmp_path, restarts.AGENT, restarts.SILENT)

    lines = exposed(builders.a_serving_world(), state_dir=tmp_path)

    name = "exabgp_k8s_restarts_total"
    assert f'{name}{{process="agent",reason="silent"}} 2.0' in lines
    assert f'{name}{{process="exabgp",reason="killed"}} 0.0' in lines
    assert sum(line.startswith(name) for line in lines) == len(restarts.KINDS)


@pytest.mark.parametrize(
    "text",
    [b"", b"\xff\xfe", b"agent", b"agent silent x\nagent silent -1\nnobody any 3\n", b"0" * 9999],
)
def test_whatever_stands_in_the_file_of_restarts_it_costs_the_numbers(
    tmp_path: Path, text: bytes
) -> None:
    (tmp_path / restarts.FILE_NAME).write_bytes(text)

    assert restarts.read(tmp_path) == dict.fromkeys(restarts.KINDS, 0)


def test_a_directory_that_takes_nothing_costs_the_numbers(tmp_path: Path) -> None:
    restarts.count(tmp_path / "away", restarts.EXABGP, restarts.KILLED)

    assert restarts.read(tmp_path / "away") == dict.fromkeys(restarts.KINDS, 0)


def test_this_process_and_its_parents_are_looked_at() -> None:
    found = list(own_processes.look())

    assert [each.process for each in found][:1] == ["agent"]
    assert found[0].resident > 1_000_000
    assert found[0].seconds > 0


def test_a_timing_counts_a_value_at_its_limit_as_prometheus_does() -> None:
    timing = tally.Timing((1, 2))
    for seconds in (1, 1.5, 3):
        timing.add(seconds)

    assert list(timing.buckets()) == [("1.0", 1), ("2.0", 2), ("+Inf", 3)]
    assert timing.total == 5.5


def of_many(peers: int, prefixes: int, checks: int) -> World:
    """Return a node with so many peers, service ranges and checks; two more prefixes are pods'."""
    settings = builders.a_config(
        peers=tuple(
            builders.a_peer(f"tor-{number}", ipaddress.ip_address(f"192.0.2.{100 + number}"))
            for number in range(peers)
        ),
        service_cidrs=builders.networks(*(f"10.{96 + each}.0.0/16" for each in range(prefixes))),
        checks=tuple(builders.a_check(f"check-{number}") for number in range(checks)),
    )
    outcomes = [builders.outcome(f"check-{number}", is_ok=True) for number in range(checks)]
    return builders.a_serving_world(*outcomes, settings=settings)


FORMULA = re.compile(r"(\d+) \+ (\d+) \* peers \+ (\d+) \* prefixes \+ (\d+) \* checks")


def test_the_series_of_a_node_are_as_many_as_the_documentation_says(tmp_path: Path) -> None:
    """No series has both a peer and a prefix, or 32 peers would make thousands."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
    found = FORMULA.search(page.read_text(encoding="utf-8"))
    assert found is not None
    fixed, of_peer, of_prefix, of_check = map(int, found.groups())

    for peers, prefixes, checks in ((2, 1, 1), (32, 1, 1), (2, 20, 1), (32, 20, 8)):
        lines = exposed(of_many(peers, prefixes, checks), state_dir=tmp_path)
        assert len(lines) == (
            fixed + of_peer * peers + of_prefix * (prefixes + 2) + of_check * checks
        ), (peers, prefixes, checks)
