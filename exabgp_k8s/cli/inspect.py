"""``sessions``, ``routes``, ``checks`` and ``why``: read the agent's socket."""

from __future__ import annotations

import functools
import urllib.parse
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.cli import session, socket_client, watching
from exabgp_k8s.cli.output import fitted, hanging, output_option
from exabgp_k8s.shown import tables
from exabgp_k8s.shown import why as shown


@click.command(short_help="Show the BGP sessions, or all about one.")
@click.argument("name", required=False)
@socket_client.state_dir_option
@watching.option
@output_option
def sessions(name: str | None, state_dir: Path, output: str, every: float | None) -> None:
    """Show the BGP sessions; exit code 1 if one of them is not Established.

    With the NAME or the address of a peer: all that is known of its session.
    """
    asked = watching.Question(
        ask=functools.partial(socket_client.get, state_dir, "/v1/sessions"),
        table=lambda rows: fitted(tables.sessions(rows)),
        is_well=lambda rows: bool(rows) and all(row["up"] for row in rows),
        remark=lambda rows: "" if rows else "no peer of the settings is meant for this node",
    )
    watching.answer(asked if name is None else session.question(name, state_dir), output, every)


@click.command(short_help="Show what each peer has been sent and what is withheld.")
@socket_client.state_dir_option
@watching.option
@output_option
def routes(state_dir: Path, output: str, every: float | None) -> None:
    """Show what each peer has been sent, and what is withheld and why."""
    asked = watching.Question(
        ask=functools.partial(socket_client.get, state_dir, "/v1/routes"),
        table=lambda rows: fitted(tables.routes(rows)),
    )
    watching.answer(asked, output, every)


@click.command(short_help="Show the health checks.")
@socket_client.state_dir_option
@watching.option
@output_option
def checks(state_dir: Path, output: str, every: float | None) -> None:
    """Show the health checks; exit code 1 if one of them is not up."""
    asked = watching.Question(
        ask=functools.partial(socket_client.get, state_dir, "/v1/checks"),
        table=lambda rows: fitted(tables.checks(rows)),
        is_well=lambda rows: all(row["health"] == "up" for row in rows),
    )
    watching.answer(asked, output, every)


@click.command(short_help="Say why a prefix is announced or not.")
@click.argument("prefix", required=False)
@socket_client.state_dir_option
@watching.option
@output_option
def why(prefix: str | None, state_dir: Path, output: str, every: float | None) -> None:
    """Say why a prefix (or each of them) is announced or not; exit code 1 if one is not.

    PREFIX may also be an address in it, such as a ClusterIP.
    """
    query = urllib.parse.urlencode({"prefix": prefix} if prefix else {})
    asked = watching.Question(
        ask=functools.partial(socket_client.get, state_dir, f"/v1/why?{query}"),
        table=_sentences,
        is_well=lambda rows: (
            bool(rows) and not any(row["withheld"] or not row["announced_to"] for row in rows)
        ),
    )
    watching.answer(asked, output, every)


def _sentences(rows: Any) -> str:
    told = (sentence for row in rows for sentence in shown.sentences(row))
    return "\n".join(line for each in told for line in hanging("", each, 2))
