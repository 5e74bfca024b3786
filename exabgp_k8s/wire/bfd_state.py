"""What the engine of BFD writes down of its sessions: ``state.json``, read with suspicion.

It is another container's file. It may be cut off, of another version, or hold anything, so what
cannot be understood is left out, text is one printable line, and numbers are numbers from here on.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exabgp_k8s.core.facts import bfd, links, model, printable

LARGEST = 256 * 1024
"""Bytes that are read; a session takes about two hundred."""
LONGEST = 24 * 3600 * 1000
"""Milliseconds; BFD itself counts microseconds in 32 bits, which is 71 minutes."""
FUTURE = 1e11
"""Seconds since 1970 that no clock will show while this runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole file; times are seconds since 1970, as the engine's own clock has them."""

    at: float
    problem: str = ""
    sessions: tuple[bfd.Session, ...] = ()


def load(text: str) -> Report | None:
    """Return what a file says; None if it says nothing that can be understood."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or (at := _number(document.get("at"), FUTURE)) is None:
        return None
    problem, sessions = document.get("problem"), document.get("sessions")
    return Report(
        at=at,
        problem=printable.one_line(problem) if isinstance(problem, str) else "",
        sessions=tuple(_sessions(sessions if isinstance(sessions, list) else [])),
    )


def _sessions(found: list[Any]) -> Iterator[bfd.Session]:
    for each in found[: bfd.MOST]:
        if isinstance(each, dict) and (session := _session(each)) is not None:
            yield session


def _session(found: Mapping[str, Any]) -> bfd.Session | None:
    address, since = _address(found), _number(found.get("since"), FUTURE)
    state = next((each for each in bfd.State if each == found.get("state")), None)
    if address is None or state is None:
        return None
    return bfd.Session(
        address=address,
        state=state,
        since=since or 0,
        diagnostic=_whole(found.get("diagnostic"), 31),
        interval=_whole(found.get("interval"), LONGEST),
        detect=_whole(found.get("detect"), LONGEST),
        downs=_whole(found.get("downs"), 2**53) or 0,
    )


def _address(found: Mapping[str, Any]) -> model.Address | None:
    """Return the router's address, with its link where it means nothing without."""
    text, interface = found.get("address"), found.get("interface")
    if not isinstance(text, str):
        return None
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
        if address.version == 4 or not address.is_link_local:  # noqa: PLR2004 - of IP
            return address
        if isinstance(interface, str) and links.NAME.fullmatch(interface):
            return ipaddress.ip_address(f"{address}%{interface}")
    except ValueError:
        pass
    return None


def _number(value: object, most: float) -> float | None:
    """Return a number of seconds; None for what is none. A NaN is not above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return None
    return float(value)


def _whole(value: object, most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        return None
    return value
