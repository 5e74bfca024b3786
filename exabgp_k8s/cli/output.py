"""One ``--output`` for every command that shows something: table, JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="JSON and YAML are the stable forms; tables are for people.",
)


def show(value: Any, output: str, table: str) -> None:
    """Print a value in the form that was asked for."""
    match output:
        case "json":
            click.echo(json.dumps(value, indent=2))
        case "yaml":
            import yaml  # noqa: PLC0415 - 1 MB and 30 ms that a table does not need

            click.echo(yaml.safe_dump(value, sort_keys=False), nl=False)
        case _:
            click.echo(table)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return aligned columns; an empty cell is a dash, so that columns can be counted."""
    cells = [list(headings), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        value = " ".join(str(each) for each in value)
    return "-" if value is None or value == "" else str(value)


def age(seconds: float | None) -> str:
    """Return a duration as routers show it: 00:00:07, 1d02h, never."""
    if seconds is None:
        return "never"
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours >= 24:  # noqa: PLR2004 - hours of a day
        return f"{hours // 24}d{hours % 24:02}h"
    return f"{hours:02}:{minutes:02}:{whole % 60:02}"
