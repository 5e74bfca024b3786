"""One ``--output`` for every command that shows something: table, JSON or YAML.

Tables fit the terminal, or 80 columns where there is none: what does not fit into a row stands
below it, each cell with its heading, instead of being broken anywhere by the terminal.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from typing import Any

import click

from exabgp_k8s.core.facts import printable
from exabgp_k8s.shown import layout

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
    """Return aligned columns that fit the terminal; of a wide one, each row in one line."""
    return layout.table(layout.Table(headings, rows), None if is_wide else width())


def fitted(shown: layout.Table) -> str:
    """Return a table as it fits the terminal."""
    return layout.table(shown, width())


def fields(pairs: Sequence[tuple[str, object]]) -> str:
    """Return names and values below each other, as they fit the terminal."""
    return layout.fields(pairs, width())


def hanging(first: str, text: str, indent: int) -> list[str]:
    """Return a text in lines that fit the terminal."""
    return layout.hanging(first, text, indent, width())
