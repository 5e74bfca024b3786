"""Moments as the API writes them, and how long ago that was in the words of ``kubectl get``.

The moment is what counts, and it is shown as it was published: who compares two places compares
text. An age is for the eye.

Source: https://github.com/kubernetes/apimachinery/blob/master/pkg/util/duration/duration.go
"""

from __future__ import annotations

import datetime as dt

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY
LEAP = 2
"""Seconds that a moment may be ahead of our clock without being worth a word."""


def seconds(moment: str | None) -> float | None:
    """Return a moment in seconds since 1970; None where there is none, or none that exists."""
    if moment is None:
        return None
    try:
        return dt.datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError):
        return None


def age(moment: str | None, now: float) -> str:
    """Return how long ago a moment was, as kubectl has it: ``45s``, ``12m``, ``3h5m``, ``4d``."""
    began = seconds(moment)
    if began is None:
        return ""
    past = int(now - began)
    if past < -LEAP:
        return "<in the future>"
    return short(max(past, 0))


def short(past: int) -> str:
    """Return a duration in the one or two units that matter."""
    if past < 2 * MINUTE:
        return f"{past}s"
    for end, two_until, unit, lesser, names in (
        (3 * HOUR, 10 * MINUTE, MINUTE, 1, "ms"),
        (2 * DAY, 8 * HOUR, HOUR, MINUTE, "hm"),
        (2 * YEAR, 8 * DAY, DAY, HOUR, "dh"),
        (float("inf"), 8 * YEAR, YEAR, DAY, "yd"),
    ):
        if past < end:
            rest = past % unit // lesser
            more = f"{rest}{names[1]}" if past < two_until and rest else ""
            return f"{past // unit}{names[0]}{more}"
    return ""


def earliest(found: list[str | None]) -> str | None:
    """Return the first of some moments; None where none is known."""
    return min((each for each in found if each is not None), default=None)
