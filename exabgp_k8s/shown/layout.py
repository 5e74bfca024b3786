"""Tables that fit a width: what has no room in a row stands below it, with its heading.

A terminal would break a long row anywhere, and columns could not be found any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

INDENT = 4

WELL_KNOWN = {
    "65535:0": "graceful-shutdown",
    "65535:1": "accept-own",
    "65535:6": "llgr-stale",
    "65535:7": "no-llgr",
    "65535:8": "accept-own-nexthop",
    "65535:9": "standby-pe",
    "65535:666": "blackhole",
    "65535:65281": "no-export",
    "65535:65282": "no-advertise",
    "65535:65283": "no-export-subconfed",
    "65535:65284": "no-peer",
}
"""IANA, BGP Well-known Communities; for people only: to ExaBGP they are always numbers."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings, before anybody knows how wide they may be."""

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]


def table(shown: Table, width: int | None) -> str:
    """Return aligned columns; an empty cell is a dash, so that columns can be counted.

    Without a width each row is one line, however long that is.
    """
    headings = list(shown.headings)
    cells = [headings, *([cell_text(cell) for cell in row] for row in shown.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    limit = sum(widths) + 2 * len(widths) if width is None else width
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= limit else " "
    kept = _fitting(widths, len(gap), limit)
    lines = []
    for number, row in enumerate(cells):
        pairs = zip(row[:kept], widths[:kept], strict=True)
        lines.append(gap.join(cell.ljust(size) for cell, size in pairs).rstrip())
        below = zip(headings[kept:], row[kept:], strict=True)
        lines += _below(((head, cell) for head, cell in below if number and cell != "-"), limit)
    return "\n".join(lines)


def _fitting(widths: Sequence[int], gap: int, limit: int) -> int:
    """Return how many columns have room beside each other; one always has."""
    used = -gap
    for number, size in enumerate(widths):
        used += size + gap
        if used > limit:
            return max(1, number)
    return len(widths)


def _below(pairs: Iterable[tuple[str, str]], width: int) -> list[str]:
    return [
        line
        for heading, cell in pairs
        for line in hanging(f"{' ' * INDENT}{heading}: ", cell, INDENT * 2, width)
    ]


def fields(pairs: Sequence[tuple[str, object]], width: int) -> str:
    """Return names and values below each other, long values wrapped beside their name."""
    size = max(len(name) for name, _ in pairs)
    return "\n".join(
        line
        for name, value in pairs
        for line in hanging(f"{name.ljust(size)}  ", cell_text(value), size + 2, width)
    )


def hanging(first: str, text: str, indent: int, width: int) -> list[str]:
    """Return a text in lines that fit, the first after ``first``, the others indented.

    Words stay whole, also those that are longer than a line: an address can be copied then.
    """
    lines, line = [], first
    for word in text.split():
        is_begun = line not in {first, " " * indent}
        if is_begun and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, is_begun = " " * indent, False
        line += f" {word}" if is_begun else word
    return [*lines, line.rstrip()]


def cell_text(value: object) -> str:
    """Return a cell as text; a dash for nothing."""
    if isinstance(value, list | tuple):
        value = " ".join(str(each) for each in value)
    return "-" if value is None or value == "" else str(value)


def communities(row: Mapping[str, Any]) -> list[str]:
    """Return the communities of a route as people know them: by name where they have one."""
    short = [WELL_KNOWN.get(each, each) for each in row["communities"]]
    return [*short, *row["large_communities"], *row["extended_communities"]]


def age(seconds: float | None) -> str:
    """Return a duration as routers show it: 00:00:07, 1d02h, never."""
    if seconds is None:
        return "never"
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours >= 24:  # noqa: PLR2004 - hours of a day
        return f"{hours // 24}d{hours % 24:02}h"
    return f"{hours:02}:{minutes:02}:{whole % 60:02}"


def left(seconds: float) -> str:
    """Return how long something takes yet: 0.4 s, 23 s, 12 min."""
    if seconds < 10:  # noqa: PLR2004 - where a tenth matters
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.0f} min"  # noqa: PLR2004
