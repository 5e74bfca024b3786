"""``sessions NAME``: all that is known of one session, as a router's own CLI shows a neighbor."""

from __future__ import annotations

import functools
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exabgp_k8s.cli import output, socket_client, watching
from exabgp_k8s.shown import layout

Line = tuple[str, object]


def question(name: str, state_dir: Path) -> watching.Question:
    """Return what is asked about one session, by its peer's name or address."""
    target = f"/v1/session?{urllib.parse.urlencode({'name': name})}"
    return watching.Question(
        ask=functools.partial(socket_client.get, state_dir, target),
        table=text,
        is_well=lambda row: bool(row["up"]),
    )


def text(row: Any) -> str:
    """Return one session in parts: what it is, both OPENs, the counters, the losses."""
    parts = [output.fields(list(_lines(row)))]
    parts += [_capabilities(row)] if row["capabilities"] else []
    parts += [_messages(row["messages"])] if row["messages"]["sent"] else []
    parts += [_flaps(row["flaps"])] if row["flaps"] else []
    return "\n\n".join(parts)


def _lines(row: Any) -> Iterator[Line]:
    """Yield the facts, those that matter first."""
    since = f" for {layout.age(row['seconds'])}" if row["up"] or row["times_up"] else ""
    yield "peer", f"{row['peer']} {row['description']}".strip()
    yield "state", f"{row['state']}{since}"
    yield "problem", row["problem"] or ", ".join(row["missing"])
    if row["last_problem"] and row["last_problem"] != row["problem"]:
        ago = layout.age(row["last_problem_seconds"])
        yield "last problem", f"{row['last_problem']}, {ago} ago"
    yield (
        "router",
        _end(row["address"] or "not found", row["remote_port"], row["remote_as_written"]),
    )
    local = row["local_address"] or "no address"
    yield "local", _end(local, row["local_port"], row["local_as_written"])
    yield from _router_ids(row["opens"])
    yield from _timers(row["timers"])
    yield "families", ", ".join(row["families"])
    yield from _bfd(row["bfd"])
    yield "times up", f"{row['times_up']}, lost {_times(row['times_lost'])}"
    if row["failed_attempts"]:
        yield "attempts in vain", row["failed_attempts"]
    yield "prefixes sent", f"{row['prefixes_sent']}, {row['unacknowledged']} unacknowledged"
    yield from (("route", _route(each)) for each in row["routes"])


def _end(address: str, port: int | None, asn: str) -> str:
    at = f" port {port}" if port is not None else ""
    return f"{address}{at}, AS {asn}"


def _router_ids(opens: Any) -> Iterator[Line]:
    theirs, ours = opens["received"], opens["sent"]
    if ours or theirs:
        told = [f"the router's {theirs['router_id']}"] if theirs else []
        yield "router ids", ", ".join([*told, *([f"ours {ours['router_id']}"] if ours else [])])


def _timers(timers: Any) -> Iterator[Line]:
    hold, keepalive = timers["hold_time"], timers["keepalive"]
    ours = hold["configured"] if hold["sent"] is None else hold["sent"]
    offers = [f"we offer {_seconds(ours)}"]
    if hold["received"] is not None:
        offers.append(f"the router {_seconds(hold['received'])}")
    agreed = "" if hold["negotiated"] is None else f"{_seconds(hold['negotiated'])}: "
    yield "hold time", f"{agreed}{', '.join(offers)}"
    if keepalive["negotiated"]:
        yield "keepalive", f"we send one every {keepalive['negotiated']} s"
    if timers["connect_retry"]["configured"] is not None:
        yield "connect retry", f"{timers['connect_retry']['configured']} s"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times" if count else "never"


def _seconds(count: int) -> str:
    return f"{count} s" if count else "none"


def _bfd(found: Any) -> Iterator[Line]:
    if found is None:
        return
    since = f" for {layout.age(found['seconds'])}" if found["seconds"] is not None else ""
    form = ", multihop" if found["multihop"] else ""
    yield (
        "BFD",
        f"{found['state']}{since}, {found['interval_ms']} ms x {found['multiplier']}{form}",
    )
    if found["detection_ms"] is not None:
        yield "BFD agreed", f"the router counts as lost after {found['detection_ms']} ms"
    if found["downs"]:
        yield "BFD lost", f"{found['downs']} times"
    if found["problem"]:
        yield "BFD problem", found["problem"]


def _capabilities(row: Any) -> str:
    cells = [
        (
            each["capability"],
            _offer(each["sent"]),
            _offer(each["received"]),
            "yes" if each["negotiated"] else "no",
        )
        for each in row["capabilities"]
    ]
    shown = output.table(["Capability", "Sent", "Received", "InForce"], cells)
    return shown if row["up"] else f"{shown}\nThese are of the latest OPENs; nothing is in force."


def _offer(words: list[str] | None) -> str:
    return "-" if words is None else ", ".join(words) or "yes"


def _messages(messages: Any) -> str:
    received = messages["received"]
    cells = [(name, count, received.get(name)) for name, count in messages["sent"].items()]
    return output.table(["Messages", "Sent", "Received"], cells)


def _flaps(flaps: Any) -> str:
    cells = [
        (f"{layout.age(each['seconds'])} ago", layout.age(each["lasted_seconds"]), each["problem"])
        for each in flaps
    ]
    return output.table(["Lost", "WasUp", "Why"], cells)


def _route(row: Any) -> str:
    words = [row["prefix"] or row["class"], row["state"], *row["reasons"]]
    if row["next_hop"]:
        words.append(f"next hop {row['next_hop']}")
    words += layout.communities(row)
    if row["med"] is not None:
        words.append(f"MED {row['med']}")
    return ", ".join(words)
