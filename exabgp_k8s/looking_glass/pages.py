"""What each page shows: rows found, filtered and cut to a page, and how they are to be written.

Nothing is concluded here. A page and its JSON are made of the same rows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette import requests

from exabgp_k8s.cluster import why
from exabgp_k8s.looking_glass import asked, picture

Row = Mapping[str, Any]

MOST_COLUMNS = 10
"""Routers side by side; where the rows of a page have more, each row names its own."""
FILTERS = ("state", "reason", "router", "q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer, not yet written."""

    template: str = ""
    rows: Any = None
    """What its JSON is."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What the template shows beside the picture."""
    status: int = 200


View = Callable[[picture.Picture, requests.Request], Page]


def cluster(shown: picture.Picture, request: requests.Request) -> Page:
    """Show all nodes and their routers, those with faults first."""
    chosen = asked.filters(request, FILTERS)
    found = [row for row in shown.nodes if _is_wanted(row, chosen, shown)]
    part = asked.part(request, found)
    whole = {row["node"]: why.row(shown.taken.nodes[row["node"]]) for row in part.rows}
    columns = _columns(shown, whole.values(), chosen["router"])
    cells = {name: _cells(row) for name, row in whole.items()}
    return Page(
        template="cluster.html",
        rows=found,
        more={"chosen": chosen, "part": part, "columns": columns, "cells": cells},
    )


def _is_wanted(row: Row, chosen: Mapping[str, str], shown: picture.Picture) -> bool:
    state, reason, router, text = (chosen[name] for name in FILTERS)
    text = text.lower()
    if state == "ill" and row["is_well"]:
        return False
    if state not in ("", "ill", row["state"]):
        return False
    if reason and not picture.has_reason(row, reason):
        return False
    if router and router not in shown.peers_of(row["node"]):
        return False
    return (
        not text
        or text in row["node"].lower()
        or any(text in f"{key}={value}".lower() for key, value in row["labels"].items())
    )


def _columns(shown: picture.Picture, found: Any, router: str) -> Sequence[str]:
    """Return the routers that get a column; none: there are too many of them."""
    if router:
        return [router]
    here = {each["peer"] for row in found for each in row["session_rows"]}
    return [name for name in shown.routers if name in here] if len(here) <= MOST_COLUMNS else []


def _cells(row: Row) -> Mapping[str, Row]:
    """Return what a node has to say to each of its routers."""
    return {
        each["peer"]: {
            **each,
            "sent": [
                route["prefix"] for route in row["prefixes"] if each["peer"] in route["sent_to"]
            ],
            "tone": _session_tone(each, row),
        }
        for each in row["session_rows"]
    }


def _session_tone(session: Row, row: Row) -> str:
    if not session["is_current"]:
        return "none"
    if not session["is_up"]:
        return "bad"
    has_any = any(session["peer"] in route["sent_to"] for route in row["prefixes"])
    return "good" if has_any else "calm" if row["is_well"] else "warn"


def node(shown: picture.Picture, request: requests.Request) -> Page:
    """Show all that is known of one node."""
    name = request.path_params["name"]
    standing = shown.taken.nodes.get(name)
    if standing is None:
        return missing(f"There is no node {name!r}", "/", "all nodes")
    row = why.row(standing)
    latest = [each for each in shown.changes if each["node"] == name]
    return Page(
        template="node.html",
        rows={**row, "changes": latest},
        more={"row": row, "cells": _cells(row), "changes": latest[:20]},
    )


def routers(shown: picture.Picture, request: requests.Request) -> Page:
    """Show all routers with their ECMP sets."""
    found = sorted(shown.routers.values(), key=lambda row: row["is_well"])
    part = asked.part(request, found)
    return Page(template="routers.html", rows=found, more={"part": part})


def router(shown: picture.Picture, request: requests.Request) -> Page:
    """Show one router as its admin thinks of it."""
    name = request.path_params["name"]
    row = shown.routers.get(name)
    if row is None:
        return missing(f"There is no router {name!r}", "/routers", "all routers")
    sessions = sorted(row["sessions"], key=lambda each: each["is_up"])
    lacking = [each for one in row["prefixes"] for each in one["missing"]]
    return Page(
        template="router.html",
        rows=row,
        more={
            "row": row,
            "part": asked.part(request, sessions),
            "out": [*lacking, *row["own"]["missing"]][: asked.ROWS],
        },
    )


def prefixes(shown: picture.Picture, request: requests.Request) -> Page:
    """Show all prefixes, and how many nodes have sent each."""
    found = [
        {
            "prefix": name,
            "class": routes[0]["class"],
            "nodes": len(routes),
            "announced": sum(bool(each["sent_to"]) for each in routes),
            "routes": routes if len(routes) == 1 else [],
        }
        for name, routes in shown.prefixes.items()
    ]
    return Page(
        template="prefixes.html",
        rows=[{key: row[key] for key in row if key != "routes"} for row in found],
        more={"part": asked.part(request, found)},
    )


def prefix(shown: picture.Picture, request: requests.Request) -> Page:
    """Show who announces one prefix to whom, and who should and does not."""
    name = request.path_params["prefix"]
    routes = shown.prefixes.get(name)
    if routes is None:
        return missing(f"No node has the prefix {name!r}", "/prefixes", "all prefixes")
    sets = [
        {"peer": peer, **one}
        for peer, row in shown.routers.items()
        for one in row["prefixes"]
        if one["prefix"] == name
    ]
    ordered = sorted(routes, key=lambda each: bool(each["sent_to"]) and not each["reasons"])
    return Page(
        template="prefix.html",
        rows={"prefix": name, "class": routes[0]["class"], "routers": sets, "nodes": routes},
        more={
            "name": name,
            "of_class": routes[0]["class"],
            "sets": sets,
            "part": asked.part(request, ordered),
        },
    )


def changes(shown: picture.Picture, request: requests.Request) -> Page:
    """Show the latest changes, newest first."""
    chosen = asked.filters(request, ("node",))
    found = [each for each in shown.changes if chosen["node"] in ("", each["node"])]
    return Page(
        template="changes.html",
        rows=found,
        more={"chosen": chosen, "part": asked.part(request, found)},
    )


def search(shown: picture.Picture, request: requests.Request) -> Page:
    """Find nodes, routers and prefixes by a part of what is written of them, or by an address."""
    sought = asked.filters(request, ("q",))["q"]
    text = sought.lower()
    found: dict[str, list[Row]] = {"nodes": [], "routers": [], "prefixes": []}
    if text:
        inside = _network(sought)
        found["nodes"] = [row for row in shown.nodes if text in _written(row)]
        found["routers"] = [row for row in shown.routers.values() if _names_router(row, text)]
        found["prefixes"] = [
            {"prefix": name, "class": routes[0]["class"], "nodes": len(routes)}
            for name, routes in shown.prefixes.items()
            if text in name or _is_in(inside, name)
        ]
    total = sum(map(len, found.values()))
    short = {kind: rows[: asked.ROWS] for kind, rows in found.items()}
    return Page(
        template="search.html", rows=found, more={"found": short, "sought": sought, "total": total}
    )


def _written(row: Row) -> str:
    labels = (f"{key}={value}" for key, value in row["labels"].items())
    reasons = (each["reason"] for each in row["faults"])
    return "\n".join((row["node"], row["state"], *labels, *reasons)).lower()


def _names_router(row: Row, text: str) -> bool:
    return any(
        text in str(each).lower() for each in (row["peer"], *row["addresses"], *row["asns"])
    )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_in(inside: ipaddress.IPv4Network | ipaddress.IPv6Network | None, name: str) -> bool:
    outer = _network(name)
    if inside is None or outer is None or inside.version != outer.version:
        return False
    return inside.network_address in outer


def missing(why_not: str, path: str, what: str) -> Page:
    """Say that there is no such thing, and where to look."""
    return Page(
        template="missing.html",
        rows={"error": why_not},
        more={"why_not": why_not, "path": path, "what": what},
        status=404,
    )
