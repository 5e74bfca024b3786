"""AS numbers: as people write them, and where a node's own one stands.

An AS number of 32 bits is written as one number, or as two of 16 bits with a point between them
(RFC 5396). Whoever writes it the one way does not know it again the other way, so a number
remembers how it was written.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

RESERVED = frozenset({0, 23456, 65535, 4294967295})
"""RFC 7607, RFC 6793 (AS_TRANS) and RFC 7300: never the AS of a speaker."""

ANY_EXTERNAL = 0
"""Of a router: any AS but ours. No speaker has it (RFC 7607)."""

WHOLE = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
DOTTED = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})", re.ASCII)
HALF, HIGHEST = 0xFFFF, 0xFFFF_FFFE


class Dotted(int):
    """An AS number that was written with a point."""

    def __str__(self) -> str:
        return f"{self >> 16}.{self & HALF}"


class Relation(enum.StrEnum):
    """Which AS a router may be of, where the settings name no number."""

    EXTERNAL = "external"
    """Any but ours."""
    INTERNAL = "internal"
    """Ours."""


class Source(enum.StrEnum):
    """What of a Node an AS number is read from."""

    LABEL = "label"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTheNode:
    """An AS number that each node says itself."""

    source: Source
    key: str

    def __str__(self) -> str:
        return f"{self.source} {self.key}"


def read(text: str) -> int | None:
    """Return the AS number that a text means; None if it is none that a speaker may have."""
    found: int | None = None
    if WHOLE.fullmatch(text):
        found = int(text)
    elif parts := DOTTED.fullmatch(text):
        high, low = int(parts[1]), int(parts[2])
        found = Dotted(high << 16 | low) if max(high, low) <= HALF else None
    if found is None or found > HIGHEST or found in RESERVED:
        return None
    return found
