"""Exit codes and the one way to fail: a sentence on stderr that says what to do next."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import NoReturn

import click

from exabgp_k8s.core.facts import printable
from exabgp_k8s.errors import AgentUnreachable, Problem


class Code(enum.IntEnum):
    """What an exit code means; documented in ``--help``."""

    OK = 0
    NO = 1
    USAGE = 2
    UNREACHABLE = 3
    TIMED_OUT = 4


def fail(message: str, code: Code = Code.USAGE) -> NoReturn:
    """Say what is wrong and end."""
    click.echo(printable.lines(message), err=True)
    sys.exit(code)


def show_problems(path: Path, problems: tuple[Problem, ...], effect: str) -> None:
    """Name every mistake in a settings file, one a line, and what comes of them."""
    for problem in problems:
        # As compilers have it: editors jump there.
        place = f":{problem.line}:{problem.column}" if problem.line else ""
        click.echo(printable.lines(f"{path}{place}: {problem}"), err=True)
    noun = "mistake" if len(problems) == 1 else "mistakes"
    click.echo(f"{len(problems)} {noun}; {effect}", err=True)


def fail_unreachable(error: AgentUnreachable) -> NoReturn:
    """Say that nobody answers, and where to look."""
    fail(
        f"the agent does not answer: {error}\n"
        "Is `exabgp-k8s run` up, with this --state-dir? Its log says why not.",
        Code.UNREACHABLE,
    )
