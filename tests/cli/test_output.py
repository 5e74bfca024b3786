"""Tables that fit, whatever stands in them."""

from __future__ import annotations

import pytest

from exabgp_k8s.cli import output
from exabgp_k8s.shown import layout


@pytest.fixture(autouse=True)
def _eighty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def longest(text: str) -> int:
    return max(len(line) for line in text.splitlines())


def test_what_fits_is_a_plain_table() -> None:
    assert output.table(["A", "B"], [["1", None], ["22", ["x", "y"]]]) == ("A   B\n1   -\n22  x y")


def test_what_does_not_fit_stands_below_its_row_with_its_heading() -> None:
    shown = output.table(["Peer", "Problem"], [["tor-a", "word " * 30], ["tor-b", ""]])

    assert shown.splitlines()[:3] == [
        "Peer",
        "tor-a",
        "    Problem: word word word word word word word word word word word word word",
    ]
    assert shown.splitlines()[-1] == "tor-b"
    assert longest(shown) <= 80


def test_a_session_of_a_router_fits_without_its_texts() -> None:
    headings = "Neighbor V AS LocalAS MsgRcvd MsgSent Up/Down State PfxSnt Peer Description"
    row = ["192.0.2.111", 4, 64513, 64512, 12, 14, "00:01:02", "Established", 4, "tor", "x"]

    shown = output.table(headings.split(), [row])

    assert shown.splitlines()[0].endswith("PfxSnt Peer")
    assert longest(shown) <= 80


def test_a_wide_terminal_keeps_everything_in_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    assert len(output.table(["A", "B"], [["x" * 50, "y " * 60]]).splitlines()) == 2


def test_a_word_that_is_longer_than_a_line_stays_whole() -> None:
    word = "x" * 100

    assert word in output.fields([("name", f"a {word} b")])


def test_a_long_value_is_wrapped_beside_its_name() -> None:
    first, second = output.fields([("held", "word " * 20)]).splitlines()

    assert first.startswith("held  word")
    assert second.startswith("      word")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("65535:0", "graceful-shutdown"),
        ("65535:65281", "no-export"),
        ("65535:666", "blackhole"),
        ("64512:10", "64512:10"),
    ],
)
def test_communities_have_the_names_that_people_know(written: str, name: str) -> None:
    row = {"communities": [written], "large_communities": ["1:2:3"], "extended_communities": []}

    assert layout.communities(row) == [name, "1:2:3"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0.4 s"), (23.4, "23 s"), (179, "179 s"), (600, "10 min")]
)
def test_what_remains_is_said_as_exactly_as_it_matters(seconds: float, text: str) -> None:
    assert layout.left(seconds) == text
