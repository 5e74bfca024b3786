"""``history``: the last decisions of the node, and how long the routers took over each."""

from __future__ import annotations

import functools
import urllib.parse
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.cli import durations, socket_client, watching
from exabgp_k8s.cli import output as printing
from exabgp_k8s.shown import history as shown


@click.command(short_help="Show what left and came, when and why.")
@socket_client.state_dir_option
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 200),
    default=20,
    show_default=True,
    help="At most so many decisions, the latest ones.",
)
@click.option(
    "--since",
    type=durations.Duration(),
    metavar="DURATION",
    help="Only those of the last 10m, 2h or so.",
)
@watching.option
@printing.output_option
def history(
    state_dir: Path, count: int, since: float | None, output: str, every: float | None
) -> None:
    """Show the last decisions, the latest at the end: what left or came, and why.

    Kept in the pod: 200 of them over the end of the agent's process, none over the end of the pod.
    """
    asked = {"n": str(count)} | ({} if since is None else {"since": str(since)})
    target = f"/v1/history?{urllib.parse.urlencode(asked)}"
    question = watching.Question(
        ask=functools.partial(socket_client.get, state_dir, target),
        table=lambda rows: printing.fitted(shown.table(rows)),
        remark=lambda rows: "" if rows else "nothing was decided in that time",
        news=_news,
    )
    watching.answer(question, output, every)


def _news(before: Any, rows: Any) -> Any:
    """Return what was decided since, and what has been acknowledged since."""
    known = watching.steady(before)
    return [row for row in rows if watching.steady(row) not in known]
