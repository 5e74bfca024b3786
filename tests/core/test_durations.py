"""Durations: what is written is what is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("9s", 9), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("1m30s", 90), ("1.5s", 1.5)],
)
def test_a_duration_is_read_as_kubernetes_reads_it(text: str, seconds: float) -> None:
    assert durations.parse(text) == seconds


@given(st.integers(min_value=0, max_value=durations.LONGEST * 1000))
def test_a_written_duration_reads_back_unchanged(milliseconds: int) -> None:
    assert durations.parse(durations.write(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize("value", [9, "9", 9.0, "9.0"])
def test_a_bare_number_is_told_its_unit(value: object) -> None:
    with pytest.raises(ValueError, match=f"needs its unit: write {value}s"):
        durations.parse(value)


@pytest.mark.parametrize(
    "value",
    ["", "s", "9 s", "-1s", "9d", "1e3s", "9s ", "٣s", "1s" * 30, True, None, [], {}, "25h"],
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="write"):
        durations.parse(value)
