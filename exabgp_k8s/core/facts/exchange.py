"""What the two ends of a session have said to each other: OPENs, ports, how many messages.

A router admin compares this with the router's own ``show bgp neighbors``. It is for reading only:
nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KEPT_FLAPS = 10
"""Losses that are kept of each session; how many there were in all is counted besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One capability of an OPEN (RFC 5492), in words."""

    name: str
    """As IANA's registry has it; ``capability N`` where it has no name here."""
    words: tuple[str, ...] = ()
    """What it says, such as each family; free text is cut and printable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One OPEN message (RFC 4271 section 4.2)."""

    asn: int
    """The one of four octets where there is one."""
    hold_time: int
    router_id: str
    capabilities: tuple[Capability, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Of one session or, while it is down, of the latest attempt that came so far."""

    local_port: int | None = None
    """None: not connected."""
    remote_port: int | None = None
    sent: Opening | None = None
    """None: ExaBGP has not sent one since its neighbor was configured."""
    received: Opening | None = None
    messages_sent: Mapping[str, int] = field(default_factory=dict)
    """By type, and in ``total``."""
    messages_received: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """A session that was up, and then was not."""

    at: float
    lasted: float
    """Seconds that it had been up."""
    problem: str
