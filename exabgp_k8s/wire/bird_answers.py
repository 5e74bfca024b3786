"""What BIRD answers on its control socket, read with suspicion.

Each line has a code of four digits; a space after it ends the answer, a dash does not, and a line
that begins with a space continues the one before. BIRD is another container's process. What
cannot be understood is left out, text is one printable line, and numbers are numbers from here on.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from exabgp_k8s.core.facts import bfd, links, model, printable

END = re.compile(r"\d{4} ", re.ASCII)
READY = "0001 "
"""How the greeting begins."""
REFUSED = ("8", "9")
"""The first digits of the codes for what cannot be done and for what was not understood."""

ROW = re.compile(
    r"(?P<address>[0-9a-fA-F:.]{2,45})\s+(?P<interface>\S{1,15})\s+"
    r"(?P<state>AdminDown|Down|Init|Up)\s+(?P<since>\d{1,12}\.\d{3})\s+"
    r"(?P<interval>\d{1,8}\.\d{3})\s+(?P<detect>\d{1,8}\.\d{3})",
    re.ASCII,
)


DIAGNOSTICS = (
    *("None", "Time expired", "Echo failed", "Neighbor down", "Fwd plane reset", "Path down"),
    *("Concat path down", "Admin down", "Rev concat path down"),
)
"""BIRD's words for the codes of RFC 5880 section 4.1, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One session of ``show bfd sessions``, by BIRD's own clock."""

    address: model.Address
    """With its link, where it is link-local."""
    state: bfd.State
    since: float
    """Seconds since 1970."""
    interval: int
    """Milliseconds, as all that follows."""
    detect: int


def is_last(line: str) -> bool:
    """Whether a line ends an answer."""
    return END.match(line) is not None


def refusal(lines: Iterable[str]) -> str:
    """Return BIRD's words if it has refused, else nothing."""
    words = next((line[5:] for line in lines if line.startswith(REFUSED) and line[4:5] == " "), "")
    return printable.one_line(words)


def sessions(lines: Iterable[str]) -> tuple[Row, ...]:
    """Return the sessions that ``show bfd sessions`` lists."""
    return tuple(_rows(lines))[: bfd.MOST]


def _rows(lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        found = ROW.fullmatch(line.strip())
        if found is None or (address := _address(found["address"], found["interface"])) is None:
            continue
        yield Row(
            address=address,
            state=bfd.State(found["state"]),
            since=float(found["since"]),
            interval=_milliseconds(found["interval"]),
            detect=_milliseconds(found["detect"]),
        )


def diagnostics(lines: Iterable[str]) -> Mapping[model.Address, int]:
    """Return why sessions ended last, as ``show bfd sessions all`` says it since BIRD 2.15.

    One that does not know the word ``all`` refuses it, and nothing is known then.
    """
    found: dict[model.Address, int] = {}
    address, interface = "", ""
    for line in lines:
        # Lines that go on have no code, and what has one is no fact about a session.
        key, _, value = line.strip().partition(":")
        match key, value.strip():
            case "Address", text:
                address, interface = text, ""
            case "Interface", text:
                interface = text
            case "Local diagnostic", text if text in DIAGNOSTICS:
                where = _address(address, interface)
                found |= {} if where is None else {where: DIAGNOSTICS.index(text)}
    return found


def _address(text: str, interface: str) -> model.Address | None:
    """Return the router's address, with its link where it means nothing without."""
    try:
        address = ipaddress.ip_address(text)
        if address.version == 4 or not address.is_link_local:  # noqa: PLR2004 - of IP
            return address
        if links.NAME.fullmatch(interface):
            return ipaddress.ip_address(f"{address}%{interface}")
    except ValueError:
        pass
    return None


def _milliseconds(text: str) -> int:
    seconds, _, thousandths = text.partition(".")
    return int(seconds) * 1000 + int(thousandths)
