"""Sessions, routes and checks as tables: the columns that router admins know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exabgp_k8s.shown.layout import Table, age, communities


def sessions(rows: Sequence[Any]) -> Table:
    """Return FRR's ``show bgp summary`` of this node."""
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
    return Table(headings, cells)


def _problem(row: Any) -> str:
    """Return why a session is not up; of one that is, what is missing and how BFD is."""
    if row["problem"]:
        return str(row["problem"])
    beside = [row["bfd"]["problem"]] if row["bfd"] and row["bfd"]["problem"] and row["up"] else []
    return ", ".join([*row["missing"], *beside])


def routes(rows: Sequence[Any]) -> Table:
    """Return what each peer has been sent, and what is withheld."""
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
    return Table(headings, cells)


def checks(rows: Sequence[Any]) -> Table:
    """Return the health checks."""
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
    return Table(headings, cells)
