"""One ``--output`` for every command that shows something: table, JSON or YAML.

Tables fit the terminal, or 80 columns where there is none: what does not fit into a row stands
below it, each cell with its heading, instead of being broken anywhere by the terminal.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from exabgp_k8s.core.facts import printable

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="JSON and YAML are the stable forms; tables are for people.",
)

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


def show(value: Any, output: str, table: str) -> None:
    """Print a value in the form that was asked for."""
    match output:
        case "json":
            click.echo(json.dumps(value, indent=2))
        case "yaml":
            click.echo(as_yaml(value), nl=False)
        case _:
            # JSON and YAML escape what moves a cursor; strangers' words stand in tables as well.
            click.echo(printable.lines(table))


def as_yaml(value: Any) -> str:
    """Return a plain value as YAML, in its own order."""
    import yaml  # noqa: PLC0415 - 1 MB and 30 ms that a table does not need

    return yaml.safe_dump(value, sort_keys=False)


def width() -> int:
    """Return the columns there are: COLUMNS, the terminal's, else 80."""
    return shutil.get_terminal_size((80, 24)).columns


def table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, is_wide: bool = False
) -> str:
    """Return aligned columns; an empty cell is a dash, so that columns can be counted.

    A wide one has each row in one line, however long that is.
    """
    cells = [list(headings), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    gap = "  " if is_wide or sum(widths) + 2 * (len(widths) - 1) <= width() else " "
    kept = len(widths) if is_wide else _fitting(widths, len(gap))
    lines = []
    for number, row in enumerate(cells):
        pairs = zip(row[:kept], widths[:kept], strict=True)
        lines.append(gap.join(cell.ljust(size) for cell, size in pairs).rstrip())
        below = zip(headings[kept:], row[kept:], strict=True)
        lines += _below((head, cell) for head, cell in below if number and cell != "-")
    return "\n".join(lines)


def _fitting(widths: Sequence[int], gap: int) -> int:
    """Return how many columns have room beside each other; one always has."""
    used, limit = -gap, width()
    for number, size in enumerate(widths):
        used += size + gap
        if used > limit:
            return max(1, number)
    return len(widths)


def _below(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [
        line
        for heading, cell in pairs
        for line in hanging(f"{' ' * INDENT}{heading}: ", cell, INDENT * 2)
    ]


def fields(pairs: Sequence[tuple[str, object]]) -> str:
    """Return names and values below each other, long values wrapped beside their name."""
    size = max(len(name) for name, _ in pairs)
    return "\n".join(
        line
        for name, value in pairs
        for line in hanging(f"{name.ljust(size)}  ", _cell(value), size + 2)
    )


def hanging(first: str, text: str, indent: int) -> list[str]:
    """Return a text in lines that fit, the first after ``first``, the others indented.

    Words stay whole, also those that are longer than a line: an address can be copied then.
    """
    lines, line, limit = [], first, width()
    for word in text.split():
        is_begun = line not in {first, " " * indent}
        if is_begun and len(line) + 1 + len(word) > limit:
            lines.append(line)
            line, is_begun = " " * indent, False
        line += f" {word}" if is_begun else word
    return [*lines, line.rstrip()]


def _cell(value: object) -> str:
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
