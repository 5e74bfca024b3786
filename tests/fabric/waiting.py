"""Wait for a fact instead of sleeping; the limit is for a machine that is busy, not a promise."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT = 120.0

T = TypeVar("T")


def until(
    condition: Callable[[], bool], what: str, *, limit: float = LIMIT, interval: float = 0.05
) -> None:
    """Return once ``condition`` holds; raise AssertionError naming ``what`` after ``limit``."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit:g} s: {what}")
        time.sleep(interval)


def until_equal(
    expected: T, read: Callable[[], T], what: str, *, limit: float = LIMIT, interval: float = 0.05
) -> None:
    """Return once ``read()`` gives the expected value; otherwise show the last one read."""
    deadline = time.monotonic() + limit
    while (actual := read()) != expected:
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit:g} s: {what}: {actual!r} is not {expected!r}")
        time.sleep(interval)
