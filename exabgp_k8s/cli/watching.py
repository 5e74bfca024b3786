"""``--watch``: the same answer again and again until Ctrl-C, for every command about one node.

On a terminal it is drawn anew in its place. In a pipe it is appended, and only where it is another
answer: an age that grew and a counter of keepalives are none. An agent that does not answer is
told once and asked again: its successor is there in a moment.
"""

from __future__ import annotations

import functools
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from exabgp_k8s.cli import durations, exits, output
from exabgp_k8s.core.facts import printable
from exabgp_k8s.errors import AgentUnreachable

DEFAULT, SHORTEST = "2s", 0.2
"""How often the agent is asked; every answer costs it a few milliseconds."""

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
"""ECMA-48: nothing is cleared before there is something to be drawn, so nothing flickers."""

PASSING = frozenset(
    {"seconds", "messages", "messages_received", "messages_sent", "failed_attempts"}
)
"""What changes by itself, beside all durations."""
LASTING = frozenset({"acknowledged_seconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a command asks the agent, and what it makes of the answer."""

    ask: Callable[[], Any]
    table: Callable[[Any], str]
    is_well: Callable[[Any], bool] = lambda _: True
    remark: Callable[[Any], str] = lambda _: ""
    """What is to be said besides, on standard error; empty: nothing."""
    news: Callable[[Any, Any], Any] = lambda _, value: value
    """What of an answer is to be appended to the one before."""


def option(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--watch`` and ``--interval``; the command is given ``every``, or None."""

    @functools.wraps(command)
    def call(*, watch: bool, interval: float, **others: Any) -> None:
        command(every=interval if watch else None, **others)

    call = click.option(
        "--interval",
        type=durations.Duration(at_least=SHORTEST),
        default=DEFAULT,
        show_default=True,
        metavar="DURATION",
        help="How often --watch asks.",
    )(call)
    return click.option(
        "-w", "--watch", is_flag=True, help="Show it again and again, until Ctrl-C."
    )(call)


def answer(question: Question, form: str, every: float | None) -> None:
    """Show the answer, once or until Ctrl-C, and end with what it means.

    Args:
        question: what is asked.
        form: ``table``, ``json`` or ``yaml``.
        every: seconds between two questions; None: there is one.
    """
    if every is not None:
        sys.exit(_watch(question, form, every))
    try:
        value = question.ask()
    except AgentUnreachable as error:
        exits.fail_unreachable(error)
    output.show(value, form, question.table(value))
    if remark := question.remark(value):
        click.echo(printable.lines(remark), err=True)
    if not question.is_well(value):
        sys.exit(exits.Code.NO)


def _watch(question: Question, form: str, every: float) -> exits.Code:
    """Return the exit code of the last answer."""
    show = _drawer(every) if sys.stdout.isatty() and form == "table" else _Appender(form).show
    code = exits.Code.OK
    try:
        while True:
            try:
                value = question.ask()
            except AgentUnreachable as error:
                if code is not exits.Code.UNREACHABLE:
                    click.echo(printable.lines(f"the agent does not answer: {error}"), err=True)
                code = exits.Code.UNREACHABLE
            else:
                code = exits.Code.OK if question.is_well(value) else exits.Code.NO
                show(question, value)
            time.sleep(every)
    except KeyboardInterrupt:
        return code


def _drawer(every: float) -> Callable[[Question, Any], None]:
    def draw(question: Question, value: Any) -> None:
        moment = time.strftime("%H:%M:%S")
        text = f"Every {every:g} s, now {moment}; Ctrl-C ends\n\n{question.table(value)}"
        lines = printable.lines(text).split("\n")
        room = shutil.get_terminal_size((80, 24)).lines - 1
        if len(lines) > room:
            lines = [*lines[: room - 1], f"and {len(lines) - room + 1} lines more"]
        shown = "\n".join(f"{line}{CLEAR_LINE}" for line in lines)
        click.echo(f"{HOME}{shown}\n{CLEAR_BELOW}", nl=False, color=True)

    return draw


class _Appender:
    def __init__(self, form: str) -> None:
        self._form = form
        self._before: Any = None
        self._is_first = True

    def show(self, question: Question, value: Any) -> None:
        """Append an answer if it is another one."""
        if not self._is_first and steady(value) == steady(self._before):
            return
        news = value if self._is_first else question.news(self._before, value)
        self._before, self._is_first = value, False
        match self._form:
            case "json":
                click.echo(json.dumps(news))
            case "yaml":
                click.echo(f"---\n{output.as_yaml(news)}", nl=False)
            case _:
                click.echo(printable.lines(f"{_moment()}\n{question.table(news)}\n"))
        sys.stdout.flush()


def _moment() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def steady(value: Any) -> Any:
    """Return an answer without what the time alone changes in it."""
    if isinstance(value, dict):
        return {name: steady(each) for name, each in value.items() if not _is_passing(name)}
    return [steady(each) for each in value] if isinstance(value, list) else value


def _is_passing(name: str) -> bool:
    return name in PASSING or (name.endswith("_seconds") and name not in LASTING)
