"""``sessions``, ``routes``, ``checks`` and ``why``: read the agent's socket."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.cli import exits, session, socket_client
from exabgp_k8s.cli.output import age, communities, hanging, left, output_option, show, table


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
    has_bfd = any(row["bfd"] for row in rows)
    words = (
        "Neighbor V AS LocalAS MsgRcvd MsgSent Up/Down State BFD PfxSnt Peer Description Problem"
    )
    headings = [each for each in words.split() if has_bfd or each != "BFD"]
    cells = [
        (
            row["address"] or "-",
            4,
            row["remote_as_written"],
            row["local_as_written"],
            row["messages_received"],
            row["messages_sent"],
            age(row["seconds"]) if row["up"] or row["times_up"] else "never",
            row["state"],
            *([row["bfd"] and row["bfd"]["state"]] if has_bfd else []),
            row["prefixes_sent"],
            row["peer"],
            row["description"],
            _problem(row),
        )
        for row in rows
    ]
    show(rows, output, table(headings, cells))
    if not rows:
        exits.fail("no peer of the settings is meant for this node", exits.Code.NO)
    if not all(row["up"] for row in rows):
        raise SystemExit(exits.Code.NO)


def _problem(row: Any) -> str:
    """Return why a session is not up; of one that is, what is missing and how BFD is."""
    if row["problem"]:
        return str(row["problem"])
    beside = [row["bfd"]["problem"]] if row["bfd"] and row["bfd"]["problem"] and row["up"] else []
    return ", ".join([*row["missing"], *beside])


@click.command(short_help="Show what each peer has been sent and what is withheld.")
@socket_client.state_dir_option
@output_option
def routes(state_dir: Path, output: str) -> None:
    """Show what each peer has been sent, and what is withheld and why."""
    rows = socket_client.get(state_dir, "/v1/routes")
    cells = [
        (
            row["prefix"],
            row["class"],
            row["peer"],
            row["state"],
            row["next_hop"],
            communities(row),
            row["med"],
            row["reasons"],
        )
        for row in rows
    ]
    headings = ["Prefix", "Class", "Peer", "State", "NextHop", "Communities", "MED", "Reasons"]
    show(rows, output, table(headings, cells))


@click.command(short_help="Show the health checks.")
@socket_client.state_dir_option
@output_option
def checks(state_dir: Path, output: str) -> None:
    """Show the health checks; exit code 1 if one of them is not up."""
    rows = socket_client.get(state_dir, "/v1/checks")
    cells = [
        (
            row["check"],
            row["health"],
            age(row["seconds"]),
            row["last"],
            row["affects"],
            row["failures"],
            row["message"],
        )
        for row in rows
    ]
    headings = ["Check", "Health", "Since", "Last", "Affects", "Failures", "Message"]
    show(rows, output, table(headings, cells))
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
    sentences = (sentence for row in rows for sentence in _sentences(row))
    show(rows, output, "\n".join(line for each in sentences for line in hanging("", each, 2)))
    if not rows or any(row["withheld"] or not row["announced_to"] for row in rows):
        raise SystemExit(exits.Code.NO)


WORDS = {"keep": "announced", "withdraw": "withdrawn", "deprioritise": "deprioritised"}


def _sentences(row: Any) -> list[str]:
    name = f"{row['prefix'] or 'no prefix'} ({row['class']})"
    lines = []
    if row["announced_to"]:
        count = f"{row['sent']} of {row['meant']}"
        lines.append(f"{name}: announced to {count}: {', '.join(row['announced_to'])}")
    elif row["meant"]:
        lines.append(f"{name}: announced to none of the {row['meant']} peers meant for it")
    if row["bridged_by"]:
        lines.append(
            f"{name}: stopping, kept by graceful restart at {', '.join(row['bridged_by'])}"
        )
    lines += [f"{name}: announced in spite of {reason}" for reason in row["spared"]]
    for peer, state in row["waiting"].items():
        reasons = row["held"].get(peer)
        lines.append(f"{name}: to {peer}: {state}" + (f", {' '.join(reasons)}" if reasons else ""))
    for each in row["withheld"]:
        to = f" to {each['peer']}" if each["peer"] else ""
        since = f" for {age(each['seconds'])}" if each["seconds"] is not None else ""
        lines.append(f"{name}: {WORDS[each['action']]}{to} because of {each['reason']}{since}")
    lines += [
        f"{name}: in {left(each['remaining_seconds'])}: {each['then']} ({each['what']})"
        for each in row["waits"]
    ]
    return lines or [f"{name}: not known yet"]
