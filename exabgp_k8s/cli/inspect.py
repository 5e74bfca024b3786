"""``status``, ``sessions``, ``routes``, ``checks`` and ``why``: read the agent's socket."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.cli import exits, socket_client
from exabgp_k8s.cli.output import age, output_option, show, table
from exabgp_k8s.errors import AgentUnreachable

OK = 200
BAD_REQUEST = 400

state_dir_option = click.option(
    "--state-dir",
    envvar="EXABGP_K8S_STATE_DIR",
    show_envvar=True,
    default=Path("/run/exabgp-k8s"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the agent's socket is.",
)


def _get(state_dir: Path, target: str) -> Any:
    try:
        status, answer = socket_client.ask(state_dir, "GET", target)
    except AgentUnreachable as error:
        exits.fail_unreachable(error)
    if status == BAD_REQUEST:
        exits.fail(answer["error"])
    if status != OK:
        known = answer.get("known")
        hint = f"\nThis node's prefixes are: {' '.join(known)}" if known else ""
        exits.fail(f"{answer.get('error', answer)}{hint}", exits.Code.NO)
    return answer


@click.command(short_help="Show the node at a glance.")
@state_dir_option
@output_option
def status(state_dir: Path, output: str) -> None:
    """Show the node at a glance; exit code 1 if something is withheld or no session is up."""
    answer = _get(state_dir, "/v1/status")
    show(answer, output, _status_table(answer))
    if answer["withheld"] or answer["held"] or not answer["sessions"]["up"]:
        raise SystemExit(exits.Code.NO)


def _status_table(answer: Any) -> str:
    kubernetes = answer["kubernetes"]
    contact = kubernetes["last_contact_seconds"]
    heard = "not heard yet" if contact is None else f"heard {age(contact)} ago"
    lines = [
        ("node", answer["node"] or "not seen yet"),
        ("phase", answer["phase"]),
        ("sessions", f"{answer['sessions']['up']} up of {answer['sessions']['configured']}"),
        *(
            (name, f"{each['state']} {' '.join(each['prefixes'])}")
            for name, each in answer["classes"].items()
        ),
        ("because of", ", ".join(each["cause"] for each in answer["causes"]) or "-"),
        *(
            ("withheld", f"{each['prefix'] or each['class']}: {', '.join(each['reasons'])}")
            for each in answer["withheld"]
        ),
        *(
            ("announced all the same", f"{each['class']}: {', '.join(each['reasons'])}")
            for each in answer["spared"]
        ),
        *(("outage budget", text) for text in (_budget(answer["budget"]),) if text),
        *(("held", f"{each['peer']}: {each['cause']}") for each in answer["held"]),
        ("kubernetes", kubernetes["problem"] or heard),
        *(("node problem", problem) for problem in kubernetes["node_problems"]),
        *(("settings refused", problem) for problem in answer["settings"]["problems"]),
        *(("exabgp", problem) for problem in (answer["exabgp"]["problem"],) if problem),
    ]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name.ljust(width)}  {text}" for name, text in lines)


def _budget(budget: Any) -> str:
    """Return what the outage budget said, or why it says nothing; empty: it was not asked."""
    if budget is None:
        return ""
    if budget["problem"]:
        return str(budget["problem"])
    if budget["verdict"] is None or budget["allowed"] is None:
        return ""
    return f"{budget['verdict']}: others had {budget['taken']} of {budget['allowed']} slots"


def _word(action: str) -> str:
    return {"keep": "announced", "withdraw": "withdrawn"}.get(action, "deprioritised")


@click.command(short_help="Show the BGP sessions.")
@state_dir_option
@output_option
def sessions(state_dir: Path, output: str) -> None:
    """Show the BGP sessions; exit code 1 if one of them is not Established."""
    rows = _get(state_dir, "/v1/sessions")
    headings = (
        "Neighbor V AS LocalAS MsgRcvd MsgSent Up/Down State PfxSnt Peer Description Problem"
    )
    cells = [
        (
            row["address"],
            4,
            row["remote_as"],
            row["local_as"],
            row["messages_received"],
            row["messages_sent"],
            age(row["seconds"]) if row["up"] or row["times_up"] else "never",
            row["state"],
            row["prefixes_sent"],
            row["peer"],
            row["description"],
            row["problem"],
        )
        for row in rows
    ]
    show(rows, output, table(headings.split(), cells))
    if not rows:
        exits.fail("no peer of the settings is meant for this node", exits.Code.NO)
    if not all(row["up"] for row in rows):
        raise SystemExit(exits.Code.NO)


@click.command(short_help="Show what each peer has been sent and what is withheld.")
@state_dir_option
@output_option
def routes(state_dir: Path, output: str) -> None:
    """Show what each peer has been sent, and what is withheld and why."""
    rows = _get(state_dir, "/v1/routes")
    cells = [
        (
            row["prefix"],
            row["class"],
            row["peer"],
            row["state"],
            row.get("next_hop"),
            [*row.get("communities", ()), *row.get("large_communities", ())],
            row.get("med"),
            row["reasons"],
        )
        for row in rows
    ]
    headings = ["Prefix", "Class", "Peer", "State", "NextHop", "Communities", "MED", "Reasons"]
    show(rows, output, table(headings, cells))


@click.command(short_help="Show the health checks.")
@state_dir_option
@output_option
def checks(state_dir: Path, output: str) -> None:
    """Show the health checks; exit code 1 if one of them is not up."""
    rows = _get(state_dir, "/v1/checks")
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
@state_dir_option
@output_option
def why(prefix: str | None, state_dir: Path, output: str) -> None:
    """Say why a prefix (or each of them) is announced or not; exit code 1 if one is not.

    PREFIX may also be an address in it, such as a ClusterIP.
    """
    query = urllib.parse.urlencode({"prefix": prefix} if prefix else {})
    rows = _get(state_dir, f"/v1/why?{query}")
    show(rows, output, "\n".join(line for row in rows for line in _sentences(row)))
    if not rows or any(row["withheld"] or not row["announced_to"] for row in rows):
        raise SystemExit(exits.Code.NO)


def _sentences(row: Any) -> list[str]:
    name = f"{row['prefix'] or 'no prefix'} ({row['class']})"
    lines = []
    if row["announced_to"]:
        lines.append(f"{name}: announced to {', '.join(row['announced_to'])}")
    if row["bridged_by"]:
        lines.append(
            f"{name}: stopping, kept by graceful restart at {', '.join(row['bridged_by'])}"
        )
    lines += [f"{name}: announced in spite of {reason}" for reason in row["spared"]]
    lines += [f"{name}: to {peer}: {state}" for peer, state in row["waiting"].items()]
    for each in row["withheld"]:
        to = f" to {each['peer']}" if each["peer"] else ""
        since = f" for {age(each['seconds'])}" if each["seconds"] is not None else ""
        lines.append(f"{name}: {_word(each['action'])}{to} because of {each['reason']}{since}")
    return lines or [f"{name}: no peer is configured for it on this node"]
