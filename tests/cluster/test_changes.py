"""What has become of the nodes between two looks, with its cause and since when."""

from __future__ import annotations

from typing import Any

from exabgp_k8s.cluster import changes
from tests.cluster import samples


def between(before: list[Any], after: list[Any]) -> list[Any]:
    """Return the changes among nodes n1 and n2, which both are there."""
    nodes = [samples.node("n1"), samples.node("n2")]
    return changes.between(samples.take(nodes, before), samples.take(nodes, after))


def test_nothing_has_changed_where_nothing_has() -> None:
    both = [samples.well(1), samples.cordoned(2)]

    assert between(both, both) == []


def test_a_cordon_is_one_change_with_its_cause_and_the_nodes_own_moment() -> None:
    (row,) = between([samples.well(1)], [samples.cordoned(1)])

    assert row["text"] == "n1: announcing → withheld; cordoned"
    assert (row["at"], row["reason"], row["is_well"]) == (samples.HAPPENED, "cordoned", True)
    assert row["details"] == [
        "10.96.0.0/16: announced → withheld",
        "10.244.1.0/24: announced → withheld",
    ]


def test_an_end_has_the_moment_of_the_look() -> None:
    (row,) = between([samples.cordoned(1)], [samples.well(1)])

    assert (row["at"], row["reason"]) == ("2026-11-26T02:26:40Z", None)


def test_a_lost_session_is_told_with_its_error() -> None:
    (row,) = between([samples.well(1)], [samples.refused(1)])

    assert row["details"][:2] == [
        f"session {peer}: Established → Active; notification 2/2 (bad peer AS)"
        for peer in ("tor-a", "tor-b")
    ]


def test_a_session_that_is_dialled_again_and_again_is_no_news() -> None:
    dialled = samples.refused(1)
    for each in dialled["status"]["sessions"]:
        each["state"] = "Connect"

    assert between([samples.refused(1)], [dialled]) == []


def test_a_heartbeat_is_no_news() -> None:
    later = samples.well(1, lastContact="2026-11-26T02:25:00Z")

    assert between([samples.well(1)], [later]) == []


def test_nodes_that_come_and_go_were_and_will_be_absent() -> None:
    few = samples.take([samples.node("n1")], [samples.well(1)])
    more = samples.take([samples.node(f"n{each}") for each in (1, 2)], [samples.well(1)])

    assert [each["text"] for each in changes.between(few, more)] == [
        "n2: absent → no speaker; no-speaker"
    ]
    assert [each["text"] for each in changes.between(more, few)] == ["n2: no speaker → absent"]


def test_refused_and_mended_settings_are_told() -> None:
    (refused,) = between([samples.well(1)], [samples.stale(1)])
    (mended,) = between([samples.stale(1)], [samples.well(1)])

    assert refused["details"] == ["edited settings refused"]
    assert mended["details"] == ["the settings are in force again"]
