"""The files around the code, and the words of a command line as click reads them."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from exabgp_k8s.cli import root

ROOT = Path(__file__).parents[2]

SEPARATORS = {"--", "{", "}", "!", "do", "then", "else", "if", "until", "while"}
"""What stands before a command or ends one, besides the shell's own punctuation."""


def read(name: str) -> str:
    """Return the text of a file."""
    return (ROOT / name).read_text(encoding="utf-8")


def manifest(name: str) -> Any:
    """Return the one object of a manifest."""
    return yaml.safe_load(read(f"daemonset/{name}"))


def pages() -> list[Path]:
    """Return every page that people read."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def fenced(page: Path) -> list[tuple[str, str]]:
    """Return the code blocks of a page, each with its language; those inside of lists, too."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [(language, textwrap.dedent(block)) for _, language, block in found]


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of one language on a page."""
    return [text for written, text in fenced(page) if written == language]


def simple_commands(block: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of a shell block."""
    for line in block.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        words.commenters = "#"
        simple: list[str] = []
        for word in words:
            if word in SEPARATORS or set(word) <= set(";|&()"):
                yield from [simple] if simple else []
                simple = []
            else:
                simple.append(word)
        yield from [simple] if simple else []


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
