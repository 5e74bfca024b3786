"""Why ``run`` starts nothing: a line of the log, for in a container that is where it is read.

With ``--log-format text`` it is what every other command says: sentences for people.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from exabgp_k8s.cli import exits
from exabgp_k8s.errors import Problem
from exabgp_k8s.logs import lines


def show_problems(form: str, path: Path, problems: tuple[Problem, ...], effect: str) -> None:
    """Name every mistake in a settings file, and what comes of them."""
    if form == lines.TEXT:
        exits.show_problems(path, problems, effect)
        return
    shown = [each.in_line for each in problems]
    _log("settings.refused", file=str(path), problems=shown, effect=effect)


def fail(form: str, message: str) -> NoReturn:
    """Say why nothing can be started, and end."""
    if form == lines.TEXT:
        exits.fail(message)
    _log("run.refused", why=message, effect="nothing was started")
    sys.exit(exits.Code.USAGE)


def _log(event: str, **fields: lines.Value) -> None:
    click.echo(lines.render(lines.JSON, event, "error", time.time(), **fields), err=True, nl=False)
