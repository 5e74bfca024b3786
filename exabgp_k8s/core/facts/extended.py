"""Extended communities (RFC 4360): eight bytes that people write as ``target:64512:1``.

One text can mean several of them, and ExaBGP's table shows them alike: a route target of AS 64512
can be of the type for small AS numbers or of the one for large ones. What comes back must be what
was sent, or it would be announced anew for ever. So each text means one value here, the one that
routers write, too: the small type wherever the number fits. The origin of an IPv4 address is left
out: ExaBGP shows it with its two numbers exchanged, as if it were the one of an AS.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

SUBTYPES: Mapping[str, int] = {"target": 0x02, "origin": 0x03}
"""RFC 4360 sections 4 and 5: Route Target, and Route Origin or Site of Origin."""

SMALL_AS, ADDRESS, LARGE_AS = 0x00, 0x01, 0x02
"""The types of RFC 4360 sections 3.1 and 3.2 and of RFC 5668, all of them transitive."""

OF_AN_AS = re.compile(r"(target|origin):(0|[1-9][0-9]{0,9}):(0|[1-9][0-9]{0,9})", re.ASCII)
OF_AN_ADDRESS = re.compile(r"target:([0-9]{1,3}(?:\.[0-9]{1,3}){3}):(0|[1-9][0-9]{0,4})", re.ASCII)


def read(text: str) -> int | None:
    """Return the eight bytes, as one number, that a text means; None if it means none."""
    if found := OF_AN_ADDRESS.fullmatch(text):
        try:
            administrator = int(ipaddress.IPv4Address(found[1]))
        except ValueError:
            return None
        return _packed(ADDRESS, "target", administrator, int(found[2]), bits=16)
    if found := OF_AN_AS.fullmatch(text):
        asn, number = int(found[2]), int(found[3])
        if asn < 1 << 16:
            return _packed(SMALL_AS, found[1], asn, number, bits=32)
        return _packed(LARGE_AS, found[1], asn, number, bits=16)
    return None


def _packed(kind: int, word: str, administrator: int, number: int, *, bits: int) -> int | None:
    if administrator >= 1 << 48 - bits or number >= 1 << bits:
        return None
    return (kind << 8 | SUBTYPES[word]) << 48 | administrator << bits | number


def write(value: int) -> str:
    """Return an extended community as people write it; in hexadecimal where there is no word."""
    kind, subtype, rest = value >> 56, value >> 48 & 0xFF, value & (1 << 48) - 1
    bits = 32 if kind == SMALL_AS else 16
    administrator, number = rest >> bits, rest & (1 << bits) - 1
    for word, known in SUBTYPES.items():
        shown = str(ipaddress.IPv4Address(administrator)) if kind == ADDRESS else administrator
        text = f"{word}:{shown}:{number}"
        if known == subtype and read(text) == value:
            return text
    return f"0x{value:016X}"
