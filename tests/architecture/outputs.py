"""What a command prints, as a block of a page: the command behind its prompt, and how it ends."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from click import testing

from exabgp_k8s.cli import root

COLUMNS = "100"
LONGEST = 60
"""Lines of one output; what is longer ends in an ellipsis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with a sentence, and what was said below it."""

    title: str
    text: str
    said: Sequence[str]

    def lines(self) -> list[str]:
        """Return it as Markdown."""
        found = [f"## {self.title}", "", self.text]
        for each in self.said:
            found += ["", "```console", each.rstrip(), "```"]
        return found


def said(words: Sequence[str], *, hidden: Sequence[str] = (), longest: int = LONGEST) -> str:
    """Return a command with what it prints and how it ends.

    Args:
        words: as a reader types them.
        hidden: more words, which a reader does not need.
        longest: lines that are shown.
    """
    environment: Mapping[str, str] = {"COLUMNS": COLUMNS}
    done = testing.CliRunner().invoke(root.main, [*words, *hidden], env=environment)
    # Where Python is differs from machine to machine.
    output = done.output.replace(sys.executable, "python")
    return answered(shlex.join(["exabgp-k8s", *words]), output, done.exit_code, longest)


def answered(command: str, output: str, exit_code: int = 0, longest: int = LONGEST) -> str:
    """Return a command with its output, shortened, and its exit code where that is not 0."""
    lines = output.rstrip().splitlines()
    kept = lines if len(lines) <= longest else [*lines[:longest], "..."]
    ending = ["$ echo $?", str(exit_code)] if exit_code else []
    return "\n".join([f"$ {command}", *kept, *ending])
