"""``sessions NAME``: all that is known of one session, one fact a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exabgp_k8s.cli import exits, output, socket_client


def show(rows: Sequence[Any], name: str, state_dir: Path, form: str) -> None:
    """Show one session by its peer's name or address; exit code 1 if it is not Established."""
    found = [row for row in rows if name in {row["peer"], row["address"]}]
    if not found:
        known = ", ".join(row["peer"] for row in rows) or "none"
        exits.fail(
            f"no peer of this node is called {name}; there are: {known}\n"
            "A peer whose nodeSelector does not match this Node is none of its peers.",
            exits.Code.NO,
        )
    row = found[0]
    routes = [
        each
        for each in socket_client.get(state_dir, "/v1/routes")
        if each["peer"] in {row["peer"], None}
    ]
    output.show({**row, "routes": routes}, form, output.fields(_lines(row, routes)))
    if not row["up"]:
        raise SystemExit(exits.Code.NO)


def _lines(row: Any, routes: Sequence[Any]) -> list[tuple[str, object]]:
    """Return the facts, those that matter first; what is not said elsewhere stands at the end."""
    since = output.age(row["seconds"]) if row["up"] or row["times_up"] else "never up"
    told = {
        "peer", "description", "address", "remote_as", "local_as", "local_address", "state", "up",
        "remote_as_written", "local_as_written",
        "seconds", "problem", "messages_received", "messages_sent", "times_up", "prefixes_sent",
        "unacknowledged", "bfd",
    }  # fmt: skip
    return [
        ("peer", f"{row['peer']} {row['description']}".strip()),
        ("state", f"{row['state']} for {since}" if since != "never up" else row["state"]),
        ("problem", row["problem"]),
        ("router", f"{row['address'] or 'not found'} AS {row['remote_as_written']}"),
        ("local", f"{row['local_address'] or 'no address'} AS {row['local_as_written']}"),
        ("times up", row["times_up"]),
        ("messages", f"{row['messages_received']} received, {row['messages_sent']} sent"),
        ("prefixes sent", f"{row['prefixes_sent']}, {row['unacknowledged']} unacknowledged"),
        *_bfd(row["bfd"]),
        *((key.replace("_", " "), _word(row[key])) for key in row if key not in told),
        *(("route", _route(each)) for each in routes),
    ]


def _bfd(found: Any) -> list[tuple[str, object]]:
    if found is None:
        return []
    since = f" for {output.age(found['seconds'])}" if found["seconds"] is not None else ""
    form = ", multihop" if found["multihop"] else ""
    lines: list[tuple[str, object]] = [
        (
            "BFD",
            f"{found['state']}{since}, {found['interval_ms']} ms x {found['multiplier']}{form}",
        )
    ]
    if found["detection_ms"] is not None:
        lines.append(("BFD agreed", f"the router counts as lost after {found['detection_ms']} ms"))
    if found["downs"]:
        lines.append(("BFD lost", f"{found['downs']} times"))
    if found["problem"]:
        lines.append(("BFD problem", found["problem"]))
    return lines


def _word(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _route(row: Any) -> str:
    words = [row["prefix"] or row["class"], row["state"], *row["reasons"]]
    if row["next_hop"]:
        words.append(f"next hop {row['next_hop']}")
    words += output.communities(row)
    if row["med"] is not None:
        words.append(f"MED {row['med']}")
    return ", ".join(words)
