"""One entry of the history as a line of text, and back, whatever the line has become.

A crash may have cut it, another version may have written it, a disk may have filled it with zeros.
What is not an entry is none; of one that is, every value has its type and an end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from exabgp_k8s.core.facts import printable

SHOWN = ("event", "changes", "acknowledged_seconds", "awaited", "without_session", "left_out")
"""What people read of an entry, beside its number, its moment and whether it was superseded."""

LINE = 4096
"""Bytes of a line; changes that have no room in it are only counted."""
CHANGES, NAMES, TEXT = 64, 32, 120
LARGEST = 1 << 48
LISTS = ("prefixes", "peers", "reasons", "ended")


def dump(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as one line, its end included."""
    changes = list(entry["changes"])
    left_out = int(entry.get("left_out", 0))
    while True:
        line = json.dumps(
            {**entry, "changes": changes, "left_out": left_out}, separators=(",", ":")
        ).encode()
        if len(line) < LINE or not changes:
            return line + b"\n"
        kept = len(changes) // 2
        changes, left_out = changes[:kept], left_out + len(changes) - kept


def load(line: bytes) -> Mapping[str, Any] | None:
    """Return what was dumped; None if it is not the whole of it, or something else."""
    if not line or len(line) > 2 * LINE:
        return None
    try:
        found = json.loads(line)
        entry = {
            "number": _whole(found["number"]),
            "at": _seconds(found["at"]),
            "began": _seconds(found["began"]),
            "boot": _text(found["boot"]),
            "event": _text(found["event"]),
            "changes": [_change(each) for each in found["changes"][:CHANGES]],
            "acknowledged_seconds": _seconds_or_none(found["acknowledged_seconds"]),
            "awaited": _texts(found["awaited"]),
            "without_session": _texts(found["without_session"]),
            "left_out": _whole(found["left_out"]),
            **superseded(found.get("superseded") is True),
        }
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return entry


def superseded(is_so: bool) -> Mapping[str, bool]:
    """Return what a line says of it: most are not, and have no room for that."""
    return {"superseded": True} if is_so else {}


def shown(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what people read of an entry that was loaded."""
    found = {name: entry[name] for name in SHOWN}
    return found | {"superseded": entry.get("superseded", False)}


def _change(found: Any) -> Mapping[str, Any]:
    more = found["more"]
    return {
        "change": _text(found["change"]),
        "class": None if found["class"] is None else _text(found["class"]),
        **{name: _texts(found[name]) for name in LISTS},
        "more": {name: _whole(more[name]) for name in LISTS if name in more},
    }


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < LARGEST:
        raise ValueError("not a number of ours")
    return value


def _seconds(value: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value) or not 0 <= value < LARGEST:
        raise ValueError("no moment")
    return float(value)


def _seconds_or_none(value: Any) -> float | None:
    return None if value is None else _seconds(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("no text")
    return printable.one_line(value, TEXT)


def _texts(value: Any) -> list[str]:
    if type(value) is not list:
        raise TypeError("no list")
    return [_text(each) for each in value[:NAMES]]


def joined(before: Sequence[Any], added: Sequence[Any]) -> list[Any]:
    """Return the changes of one entry with those that followed at once, each said once."""
    return [*before, *(each for each in added if each not in before)][:CHANGES]
