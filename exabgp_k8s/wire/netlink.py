"""Default routes as the kernel's rtnetlink tells them (Linux, rtnetlink(7)).

The files below /proc/net do not do: the one of IPv4 shows one next hop of several, the one of IPv6
does not say which table a route is in.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from exabgp_k8s.core.facts import model

DONE, ERROR, ROUTE = 3, 2, 24
"""NLMSG_DONE, NLMSG_ERROR, RTM_NEWROUTE."""
GET_ROUTES = struct.pack("=IHHII", 28, 26, 0x301, 1, 0)
"""The header of RTM_GETROUTE, NLM_F_REQUEST and NLM_F_DUMP."""
FAMILIES = {model.Family.IPV4: 2, model.Family.IPV6: 10}
"""AF_INET and AF_INET6."""
MAIN, UNICAST = 254, 1
"""RT_TABLE_MAIN, RTN_UNICAST."""
OUT_OF_ORDER = 1 | 16
"""RTNH_F_DEAD and RTNH_F_LINKDOWN: the link is down, or has no carrier."""
OIF, GATEWAY, PRIORITY, MULTIPATH, TABLE = 4, 5, 6, 9, 15
"""RTA_ of linux/rtnetlink.h."""
NUMBER = struct.Struct("=I")
HEADER, BODY, ATTRIBUTE, HOP = (
    struct.Struct(f"={each}") for each in ("IHHII", "8BI", "HH", "HBBi")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A default route by way of one gateway."""

    metric: int
    link: int
    """Number of the interface."""
    gateway: model.Address


def request(family: model.Family) -> bytes:
    """Return what asks for all routes of a family."""
    return GET_ROUTES + BODY.pack(FAMILIES[family], 0, 0, 0, MAIN, 0, 0, UNICAST, 0)


def is_last(message: bytes) -> bool:
    """Return whether one answer, of several messages, is the last."""
    return any(kind == DONE for kind, _ in _messages(message))


def is_refused(message: bytes) -> bool:
    """Return whether the kernel answers that it does not tell."""
    return any(kind == ERROR for kind, _ in _messages(message))


def hops(message: bytes) -> Iterator[Hop]:
    """Yield the gateways of the default routes in an answer; what cannot be read has none."""
    for kind, content in _messages(message):
        if kind == ROUTE and len(content) >= BODY.size:
            _, length, _, _, table, _, _, what, flags = BODY.unpack_from(content)
            if length == 0 and what == UNICAST:
                yield from _route(content[BODY.size :], table, flags)


def _messages(message: bytes) -> Iterator[tuple[int, bytes]]:
    while len(message) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(message)
        if not HEADER.size <= length <= len(message):
            return
        yield kind, message[HEADER.size : length]
        message = message[_aligned(length) :]


def _route(content: bytes, table: int, flags: int) -> Iterator[Hop]:
    found = dict(_attributes(content))
    if _number(found.get(TABLE), table) != MAIN:
        return
    metric = _number(found.get(PRIORITY), 0)
    yield from _hop(found, metric, _number(found.get(OIF), 0), flags)
    several = found.get(MULTIPATH, b"")
    while len(several) >= HOP.size:
        length, flags, _, link = HOP.unpack_from(several)
        if not HOP.size <= length <= len(several):
            return
        yield from _hop(dict(_attributes(several[HOP.size : length])), metric, link, flags)
        several = several[_aligned(length) :]


def _hop(found: dict[int, bytes], metric: int, link: int, flags: int) -> Iterator[Hop]:
    # An IPv4 route by an IPv6 next hop says it in another attribute, and has no gateway for us.
    packed = found.get(GATEWAY, b"")
    if len(packed) in (4, 16) and not flags & OUT_OF_ORDER:
        yield Hop(metric=metric, link=link, gateway=ipaddress.ip_address(packed))


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    while len(content) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(content)
        if not ATTRIBUTE.size <= length <= len(content):
            return
        yield kind, content[ATTRIBUTE.size : length]
        content = content[_aligned(length) :]


def _number(packed: bytes | None, default: int) -> int:
    if packed is None or len(packed) != NUMBER.size:
        return default
    return int(NUMBER.unpack(packed)[0])


def _aligned(length: int) -> int:
    return (length + 3) & ~3
