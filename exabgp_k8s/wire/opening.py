"""An OPEN message in words (RFC 4271 section 4.2, RFC 5492, RFC 9072).

ExaBGP shows seven capabilities as true or false. Whether a router offers to keep routes over a
restart, and for how long, under which name it runs, which families it speaks: all that is in the
bytes, which ExaBGP's launcher passes on as they are. The router wrote half of them, so whatever
stands there is read without an error, its texts are cut and made printable, and what is not known
keeps its number.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Iterator, Mapping

from exabgp_k8s.core.facts import exchange, printable

FIXED = 10
"""Octets before the optional parameters."""
EXTENDED = 255
"""The length and the type that say that the lengths have two octets (RFC 9072)."""
CAPABILITIES, FOUR_OCTETS = 2, 65
AS_TRANS = 23456
"""RFC 6793: our number does not fit."""

SHOWN, WORDS, TEXT = 40, 24, 64
"""How many capabilities are shown, how many words of each, and how much of a router's text."""

AFIS: Mapping[int, str] = {1: "ipv4", 2: "ipv6", 25: "l2vpn", 16388: "bgp-ls"}
SAFIS: Mapping[int, str] = {
    1: "unicast", 2: "multicast", 4: "labeled", 65: "vpls", 66: "mdt", 70: "evpn", 71: "bgp-ls",
    73: "sr-policy", 85: "mup", 128: "vpn", 129: "multicast-vpn", 132: "route-target",
    133: "flowspec", 134: "flowspec-vpn",
}  # fmt: skip
ROLES = ("provider", "route server", "route server client", "customer", "peer")
"""RFC 9234 section 4.1."""


@functools.lru_cache(maxsize=32)
def read(told: str) -> exchange.Opening | None:
    """Return the OPEN whose body is written in hexadecimal; None if it is not one.

    The table of neighbors brings the same ones every few seconds, so the last ones are kept.
    """
    try:
        body = bytes.fromhex(told)
        asn, hold_time = _number(body[1:3]), _number(body[3:5])
        router_id = str(ipaddress.IPv4Address(body[5:9]))
    except ValueError:
        return None
    words: dict[int, dict[str, None]] = {}
    for code, value in _capabilities(body):
        if code in words or len(words) < SHOWN:
            words.setdefault(code, {}).update(dict.fromkeys(_words(code, value)))
        if code == FOUR_OCTETS and len(value) == 4:  # noqa: PLR2004 - octets
            asn = _number(value)
    return exchange.Opening(
        asn=asn,
        hold_time=hold_time,
        router_id=router_id,
        capabilities=tuple(
            exchange.Capability(name=_name(code), words=tuple(found)[:WORDS])
            for code, found in sorted(words.items())
        ),
    )


def _capabilities(body: bytes) -> Iterator[tuple[int, bytes]]:
    is_extended = body[FIXED - 1 : FIXED + 1] == bytes((EXTENDED, EXTENDED))
    parameters = body[FIXED + 3 :] if is_extended else body[FIXED:]
    for kind, content in _fields(parameters, 2 if is_extended else 1):
        if kind == CAPABILITIES:
            yield from _fields(content, 1)


def _fields(data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield types and values, whose lengths have so many octets; what is cut off is left out."""
    while len(data) > size:
        end = 1 + size + _number(data[1 : 1 + size])
        if end > len(data):
            return
        yield data[0], data[1 + size : end]
        data = data[end:]


def _words(code: int, value: bytes) -> tuple[str, ...]:
    _, read_value = KNOWN.get(code, ("", _nothing))
    return read_value(value)


def _name(code: int) -> str:
    return KNOWN[code][0] if code in KNOWN else f"capability {code}"


def _nothing(_: bytes) -> tuple[str, ...]:
    return ()


def _family(afi: int, safi: int) -> str:
    return f"{AFIS.get(afi, f'afi {afi}')} {SAFIS.get(safi, f'safi {safi}')}"


def _families(value: bytes) -> tuple[str, ...]:
    """Read the one family of a multiprotocol capability (RFC 4760 section 8)."""
    return (_family(_number(value[:2]), value[3]),) if len(value) == 4 else ()  # noqa: PLR2004


def _next_hops(value: bytes) -> tuple[str, ...]:
    """Read which families may have a next hop of which other one (RFC 8950 section 4)."""
    parts = (value[at : at + 6] for at in range(0, len(value) - 5, 6))
    return tuple(
        f"{_family(_number(each[:2]), _number(each[2:4]))} over "
        f"{AFIS.get(_number(each[4:]), _number(each[4:]))}"
        for each in parts
    )


def _restart(value: bytes) -> tuple[str, ...]:
    """Read what a router does over a restart (RFC 4724 section 3, RFC 8538)."""
    if len(value) < 2:  # noqa: PLR2004 - octets
        return ()
    flags = value[0] >> 4
    words = [f"{_number(value[:2]) & 0xFFF} s"]
    words += ["restarting"] if flags & 8 else []
    words += ["also over a NOTIFICATION"] if flags & 4 else []
    for at in range(2, len(value) - 3, 4):
        keeps = "keeps forwarding" if value[at + 3] & 0x80 else "does not keep forwarding"
        words.append(f"{_family(_number(value[at : at + 2]), value[at + 2])} {keeps}")
    return tuple(words)


def _long_lived(value: bytes) -> tuple[str, ...]:
    """Read for how long routes are kept as a last resort (RFC 9494 section 3)."""
    return tuple(
        f"{_family(_number(value[at : at + 2]), value[at + 2])} "
        f"{_number(value[at + 4 : at + 7])} s"
        for at in range(0, len(value) - 6, 7)
    )


def _add_path(value: bytes) -> tuple[str, ...]:
    """Read for which families several paths go which way (RFC 7911 section 4)."""
    ways = {1: "receive", 2: "send", 3: "both"}
    return tuple(
        f"{_family(_number(value[at : at + 2]), value[at + 2])} {ways.get(value[at + 3], '?')}"
        for at in range(0, len(value) - 3, 4)
    )


def _host(value: bytes) -> tuple[str, ...]:
    """Read the name of the router (draft-walton-bgp-hostname-capability)."""
    host = value[1 : 1 + value[0]] if value else b""
    rest = value[1 + len(host) :]
    domain = rest[1 : 1 + rest[0]] if rest else b""
    name = ".".join(_text(part) for part in (host, domain) if part)
    return (name,) if name else ()


def _version(value: bytes) -> tuple[str, ...]:
    """Read the router's software (draft-ietf-idr-bgp-version-capability)."""
    return (_text(value[1:]),) if len(value) > 1 else ()


def _role(value: bytes) -> tuple[str, ...]:
    is_known = len(value) == 1 and value[0] < len(ROLES)
    return (ROLES[value[0]],) if is_known else ()


def _own_number(value: bytes) -> tuple[str, ...]:
    return (str(_number(value)),)


def _text(value: bytes) -> str:
    return printable.one_line(value.decode("utf-8", "replace"), TEXT)


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


KNOWN: Mapping[int, tuple[str, Callable[[bytes], tuple[str, ...]]]] = {
    1: ("multiprotocol", _families),
    2: ("route refresh", _nothing),
    5: ("extended next hop", _next_hops),
    6: ("extended message", _nothing),
    9: ("role", _role),
    64: ("graceful restart", _restart),
    65: ("4-octet AS", _own_number),
    67: ("dynamic capability", _nothing),
    68: ("multisession", _nothing),
    69: ("add-path", _add_path),
    70: ("enhanced route refresh", _nothing),
    71: ("long-lived graceful restart", _long_lived),
    73: ("hostname", _host),
    75: ("software version", _version),
    128: ("route refresh (before RFC 2918)", _nothing),
}
"""IANA, "Capability Codes"."""
