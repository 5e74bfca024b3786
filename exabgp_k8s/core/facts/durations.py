"""Durations as Kubernetes and Go write them: ``500ms``, ``9s``, ``1m30s``, ``2h``.

A bare number is refused: whether 500 means seconds or milliseconds is exactly what nobody should
have to remember during an incident. Values are seconds; the finest step is one millisecond.
"""

from __future__ import annotations

import re

MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
LONGEST = 24 * 3600
"""Seconds; every setting is about a running node, so a longer one is a slip of the pen."""

PATTERN = r"^([0-9]+(\.[0-9]+)?(h|ms|m|s))+$"
PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")


def parse(value: object) -> float:
    """Return the seconds that a duration stands for.

    Raises:
        ValueError: with what to write instead.
    """
    text = str(value)[:40]
    if not isinstance(value, bool) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII):
        raise ValueError(f"a duration needs its unit: write {text}s")
    if value != text or not re.fullmatch(PATTERN, text, re.ASCII):
        raise ValueError(f"{text!r} is not a duration; write for example 9s, 500ms or 1m30s")
    seconds = _milliseconds(text) / 1000
    if seconds > LONGEST:
        raise ValueError(f"{text} is longer than a day; write at most 24h")
    return seconds


def _milliseconds(text: str) -> int:
    """Add up the parts; in whole milliseconds, so that 0.1s + 0.2s stays 300 ms."""
    return sum(round(float(number) * MILLISECONDS[unit]) for number, unit in PART.findall(text))


def write(seconds: float) -> str:
    """Return the shortest way to write a duration; what ``parse`` reads back unchanged."""
    rest = round(seconds * 1000)
    text = ""
    for unit, size in MILLISECONDS.items():
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
