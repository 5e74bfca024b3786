"""The files around the code, and the words of a command line as click reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from exabgp_k8s.cli import root

ROOT = Path(__file__).parents[2]


def read(name: str) -> str:
    """Return the text of a file."""
    return (ROOT / name).read_text(encoding="utf-8")


def manifest(name: str) -> Any:
    """Return the one object of a manifest."""
    return yaml.safe_load(read(f"daemonset/{name}"))


def pages() -> list[Path]:
    """Return every page that people read."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of one language on a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def tables(name: str) -> Iterator[list[str]]:
    """Yield the rows of all tables on a page, cell by cell, without their headings."""
    for line in read(name).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and not set(line) <= set("|-: "):
            yield cells


def parse(words: Sequence[str]) -> click.Context:
    """Return what click makes of a command line; a wrong one raises click.UsageError."""
    context = click.Context(root.main, info_name="exabgp-k8s")
    command: click.Command = root.main
    rest = list(words)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"there is no command {rest[0]}")
        command, rest = found, rest[1:]
    return command.make_context(command.name, rest, parent=context)
