"""The form of a log line."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.logs import lines

NOW = 1_764_086_412.25


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_text_is_a_json_string_of_printable_ascii(text: str) -> None:
    line = lines.render(lines.JSON, "a.b", "info", NOW, text=text)

    assert line.endswith(b"\n")
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert json.loads(line)["text"] == text


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_no_text_ends_a_line_or_moves_the_cursor_of_a_terminal(text: str) -> None:
    line = lines.render(lines.TEXT, "a.b", "info", NOW, text=text)

    assert line.decode("utf-8")[:-1].isprintable()
    assert line.endswith(b"\n")


def test_numbers_and_lists_are_what_they_are() -> None:
    line = lines.render(lines.JSON, "a.b", "info", NOW, pid=7, problems=["x", 'y"'])

    found = json.loads(line)
    assert (found["pid"], found["problems"]) == (7, ["x", 'y"'])


@pytest.mark.parametrize("now", [0.0, NOW, 1_764_086_412.999_999])
def test_a_moment_is_iso_8601_in_utc(now: float) -> None:
    stamp = lines.timestamp(now)

    assert len(stamp) == len("2026-11-25T15:50:12.209628Z")
    assert dt.datetime.fromisoformat(stamp).timestamp() == pytest.approx(now, abs=1e-5)
