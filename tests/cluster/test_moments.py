"""Ages in the words of kubectl."""

from __future__ import annotations

import pytest

from exabgp_k8s.cluster import moments, reading

DAY = 86400


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (599, "9m59s"), (605, "10m"),
        (3 * 3600 - 1, "179m"), (3 * 3600, "3h"), (3 * 3600 + 300, "3h5m"), (8 * 3600 + 300, "8h"),
        (48 * 3600 - 1, "47h"), (2 * DAY, "2d"), (2 * DAY + 3600, "2d1h"), (8 * DAY + 3600, "8d"),
        (800 * DAY, "2y70d"), (10 * 365 * DAY, "10y"),
    ],
)  # fmt: skip
def test_a_duration_is_what_kubectl_makes_of_it(seconds: int, written: str) -> None:
    assert moments.short(seconds) == written


def test_a_moment_that_nobody_published_has_no_age() -> None:
    assert moments.age(None, 0) == ""


@pytest.mark.parametrize("text", ["2026-02-30T00:00:00Z", "2026-11-26T02:00:00Z\n", "now", 7])
def test_what_is_no_moment_has_no_age(text: object) -> None:
    assert moments.age(reading.moment(text), 0) == ""


def test_a_moment_ahead_of_our_clock_is_told_as_such() -> None:
    assert moments.age("2026-11-26T02:00:00Z", 0) == "<in the future>"
