"""What flaps for long, against the whole program: the router hears little, and nothing grows.

The same in virtual hours, with the bounds worked out: tests/core/test_flapping.py.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.lab import PORT, Document, Lab, until

pytestmark = pytest.mark.functional

PARTS = ("supervisor", "exabgp", "agent")
HOLD_DOWN = {"initial": "1s", "max": "16s"}
"""The default, but for what a busy machine could make of its 60 s."""
LEAVES_IN_A_MINUTE = 9
"""At 0, 1, 2, 3, 5, 9, 17, 33 and 49 s."""
CHANGES_AT_ONCE, CHANGES_WINDOW = 3, 10
"""Settings or neighbors: so many changes are taken in so many seconds."""
GROWTH = 6 * 2**20
"""Bytes, of which 3 may be a burst on its way; a leak of 6 KB for each change is found."""


def counters(lab: Lab) -> Mapping[str, int]:
    """Return how many announcements and withdrawals BIRD has received."""
    shown = lab.router.show("protocols all node")
    found = re.findall(r"Import (updates|withdraws):\s+(\d+)", shown)
    return {name: int(number) for name, number in found}


def footprint(lab: Lab) -> Mapping[str, Mapping[str, int]]:
    """Return what each process holds."""
    return {
        name: {
            "memory": process.memory_full_info().uss,
            "files": process.num_fds(),
            "threads": process.num_threads(),
        }
        for name, process in zip(
            ("supervisor", "exabgp", "agent"), lab.all_processes(), strict=True
        )
    }


def expect_nothing_grew(lab: Lab, before: Mapping[str, Mapping[str, int]]) -> None:
    """Return once each process holds what it held; a check or an answer may be under way."""

    def is_as_before() -> bool:
        return all(
            held["memory"] <= before[name]["memory"] + GROWTH
            and held["files"] <= before[name]["files"] + 1
            and held["threads"] <= before[name]["threads"]
            for name, held in footprint(lab).items()
        )

    until(is_as_before, lambda: (before, footprint(lab)))


@pytest.fixture(name="lab")
def _lab(lab: Lab) -> Lab:
    """Use a true hold-down instead of the quick one of the lab."""
    document = lab.document()
    document["announce"]["holdDown"] = HOLD_DOWN
    lab.write(document)
    return lab


def toggle_cordon(lab: Lab, times: int) -> None:
    for number in range(times):
        lab.api.patch_node(lab.name, {"spec": {"unschedulable": number % 2 == 0}})
        time.sleep(0.003)


@pytest.mark.long
@pytest.mark.fault(
    area="health and flapping",
    what="a cordon is toggled 1,000 times as fast as the API server takes it",
    sees="a few withdrawals; what the Node says in the end; nothing grows",
    within="60 s after the last change, by the default hold-down",
)
def test_a_thousand_cordons_are_a_few_updates_at_the_router(lab: Lab) -> None:
    lab.up()
    toggle_cordon(lab, 300)
    lab.expect(lab.services, lab.pods)
    held, heard, began = footprint(lab), counters(lab), time.monotonic()

    toggle_cordon(lab, 1000)
    lab.expect(lab.services, lab.pods)

    until(lambda: lab.json("status")["causes"] == [], lab.state)
    changes = {name: number - heard[name] for name, number in counters(lab).items()}
    most = 2 * LEAVES_IN_A_MINUTE * math.ceil((time.monotonic() - began) / 60)
    assert 0 < changes["withdraws"] <= most
    assert 0 < changes["updates"] <= most
    assert lab.json("sessions")[0]["times_up"] == 1
    expect_nothing_grew(lab, held)


@pytest.mark.long
@pytest.mark.fault(
    area="health and flapping",
    what="the settings are rewritten 100 times, bad ones among them, while a label that a peer"
    " is selected by flips as often",
    sees="sessions that stay up; the last valid settings; nothing grows",
    within="11 s after the last edit; 18 changes a minute are taken",
)
def test_a_hundred_edits_are_a_few_changes_and_the_last_valid_one_stays(lab: Lab) -> None:
    lab.up()
    _edit(lab, 10, last_med=7)
    _settle(lab, med=7)
    held, logged, began = footprint(lab), lab.log(), time.monotonic()

    configurations = _edit(lab, 100, last_med=8)
    _settle(lab, med=8)
    configurations.add(_given_at(lab))

    seconds = time.monotonic() - began
    said = lab.log()[len(logged) :]
    taken = CHANGES_AT_ONCE * (1 + seconds / CHANGES_WINDOW)
    assert said.count("settings.changed") + said.count("settings.refused") <= taken
    assert 1 < len(configurations) <= taken
    tor = lab.json("sessions")[0]
    assert (tor["peer"], tor["up"], tor["times_up"]) == ("tor", True, 1)
    expect_nothing_grew(lab, held)


def _edit(lab: Lab, times: int, *, last_med: int) -> set[int]:
    """Write two valid documents and a bad one in turns, and flip the label with each.

    The last one is valid, and no other says `last_med`.
    Return the moments at which ExaBGP was given a configuration.
    """
    given = set()
    for number in range(times):
        document: Document | str = _document(lab, med=number % 2)
        lab.write("bgp: nonsense" if number % 3 == 0 else document)
        labels: dict[str, Any] = {"rack": "a" if number % 2 == 0 else "b"}
        lab.api.patch_node(lab.name, {"metadata": {"labels": labels}})
        time.sleep(0.12)
        given.add(_given_at(lab))
    lab.write(_document(lab, med=last_med))
    lab.api.patch_node(lab.name, {"metadata": {"labels": {"rack": "b"}}})
    return given


def _given_at(lab: Lab) -> int:
    return (lab.state_dir / "exabgp.conf").stat().st_mtime_ns


def _document(lab: Lab, *, med: int) -> Document:
    document = lab.document()
    document["peers"][0]["attributes"] = {"med": med}
    selector = {"matchLabels": {"rack": "a"}}
    document["peers"].append(
        {
            "name": "gone",
            "address": "127.0.0.98",
            "port": PORT,
            "asn": 64514,
            "nodeSelector": selector,
        }
    )
    return document


def _settle(lab: Lab, *, med: int) -> None:
    """Wait until the router has what the last edit says, and only the one peer is left."""
    until(
        lambda: f"bgp_med: {med}" in _lower(lab.router.show(f"route {lab.services} all")),
        lab.state,
    )
    until(lambda: len(lab.json("sessions")) == 1, lab.state)
    until(lambda: "127.0.0.98" not in (lab.state_dir / "exabgp.conf").read_text(), lab.state)
    until(lambda: lab.json("status")["exabgp"]["table_known"], lab.state)
    until(lambda: not lab.json("status")["settings"]["stale"], lab.state)
    assert set(lab.router.routes()) == {lab.services, lab.pods}


def _lower(text: str) -> str:
    # BIRD 2 says "BGP.med: 7", BIRD 3 "bgp_med: 7".
    return text.lower().replace("bgp.med", "bgp_med")
