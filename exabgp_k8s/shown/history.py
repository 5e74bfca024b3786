"""The last decisions as a table: when, what, to whom, why, and how long the routers took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from exabgp_k8s.shown.layout import Table

HEADINGS = ("When(UTC)", "What", "Prefixes", "Peers", "Acked", "Because")


def table(entries: Sequence[Any]) -> Table:
    """Return one row for each change; of one decision only the first says when."""
    return Table(HEADINGS, [row for entry in entries for row in _rows(entry)])


def _rows(entry: Any) -> Iterator[tuple[object, ...]]:
    when = entry["at"].replace("T", " ")[5:19]
    taken = _taken(entry)
    if entry["event"] == "start":
        yield when, "started", "", "", "" if entry["changes"] else taken, ""
        when = '"'
    for number, each in enumerate(entry["changes"]):
        is_last = number == len(entry["changes"]) - 1
        yield (
            when,
            each["change"],
            _names(each, "prefixes") or each["class"],
            _names(each, "peers") or "all",
            taken if is_last else "",
            _because(each),
        )
        when = '"'
    if entry["left_out"]:
        yield when, f"and {entry['left_out']} changes more", "", "", "", ""


def _names(change: Any, what: str) -> str:
    more = change["more"].get(what)
    return " ".join(change[what]) + (f" and {more} more" if more else "")


def _because(change: Any) -> str:
    ended = f"no longer {_names(change, 'ended')}" if change["ended"] else ""
    return ", ".join(each for each in (_names(change, "reasons"), ended) if each)


def _taken(entry: Any) -> str:
    """Return how long the routers took, or who has not acknowledged."""
    down = f"; down: {' '.join(entry['without_session'])}" if entry["without_session"] else ""
    seconds = entry["acknowledged_seconds"]
    if seconds is not None:
        return (f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s") + down
    if entry["awaited"]:
        superseded = ", superseded" if entry["superseded"] else ""
        return f"not by {' '.join(entry['awaited'])}{superseded}{down}"
    return down.removeprefix("; ")
