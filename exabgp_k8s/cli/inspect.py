"""``sessions``, ``routes``, ``checks`` and ``why``: read the agent's socket."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

import click

from exabgp_k8s.cli import exits, session, socket_client
from exabgp_k8s.cli.output import fitted, hanging, output_option, show
from exabgp_k8s.shown import tables
from exabgp_k8s.shown.why import sentences


@click.command(short_help="Show the BGP sessions, or all about one.")
@click.argument("name", required=False)
@socket_client.state_dir_option
@output_option
def sessions(name: str | None, state_dir: Path, output: str) -> None:
    """Show the BGP sessions; exit code 1 if one of them is not Established.

    With the NAME or the address of a peer: all that is known of its session.
    """
    if name is not None:
        session.show(name, state_dir, output)
        return
    rows = socket_client.get(state_dir, "/v1/sessions")
    show(rows, output, fitted(tables.sessions(rows)))
    if not rows:
        exits.fail("no peer of the settings is meant for this node", exits.Code.NO)
    if not all(row["up"] for row in rows):
        raise SystemExit(exits.Code.NO)


@click.command(short_help="Show what each peer has been sent and what is withheld.")
@socket_client.state_dir_option
@output_option
def routes(state_dir: Path, output: str) -> None:
    """Show what each peer has been sent, and what is withheld and why."""
    rows = socket_client.get(state_dir, "/v1/routes")
    show(rows, output, fitted(tables.routes(rows)))


@click.command(short_help="Show the health checks.")
@socket_client.state_dir_option
@output_option
def checks(state_dir: Path, output: str) -> None:
    """Show the health checks; exit code 1 if one of them is not up."""
    rows = socket_client.get(state_dir, "/v1/checks")
    show(rows, output, fitted(tables.checks(rows)))
    if not all(row["health"] == "up" for row in rows):
        raise SystemExit(exits.Code.NO)


@click.command(short_help="Say why a prefix is announced or not.")
@click.argument("prefix", required=False)
@socket_client.state_dir_option
@output_option
def why(prefix: str | None, state_dir: Path, output: str) -> None:
    """Say why a prefix (or each of them) is announced or not; exit code 1 if one is not.

    PREFIX may also be an address in it, such as a ClusterIP.
    """
    query = urllib.parse.urlencode({"prefix": prefix} if prefix else {})
    rows = socket_client.get(state_dir, f"/v1/why?{query}")
    sentences = (sentence for row in rows for sentence in sentences(row))
    show(rows, output, "\n".join(line for each in sentences for line in hanging("", each, 2)))
    if not rows or any(row["withheld"] or not row["announced_to"] for row in rows):
        raise SystemExit(exits.Code.NO)
