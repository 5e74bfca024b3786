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
from exabgp_k8s.wire import netlink

NEW_ROUTE, GET_ROUTE = 24, 26
"""RTM_NEWROUTE, RTM_GETROUTE."""
FAMILIES = {model.Family.IPV4: 2, model.Family.IPV6: 10}
"""AF_INET and AF_INET6."""
MAIN, UNICAST = 254, 1
"""RT_TABLE_MAIN, RTN_UNICAST."""
OUT_OF_ORDER = 1 | 16
"""RTNH_F_DEAD and RTNH_F_LINKDOWN: the link is down, or has no carrier."""
OIF, GATEWAY, PRIORITY, MULTIPATH, TABLE = 4, 5, 6, 9, 15
"""RTA_ of linux/rtnetlink.h."""
NUMBER, BODY, HOP = struct.Struct("=I"), struct.Struct("=8BI"), struct.Struct("=HBBi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A default route by way of one gateway."""

    metric: int
    link: int
    """Number of the interface."""
    gateway: model.Address


def question(family: model.Family) -> bytes:
    """Return what asks for all routes of a family."""
    body = BODY.pack(FAMILIES[family], 0, 0, 0, MAIN, 0, 0, UNICAST, 0)
    return netlink.question(GET_ROUTE, body)


def hops(kind: int, content: bytes) -> Iterator[Hop]:
    """Yield the gateways of a message that is a default route; of any other none."""
    if kind == NEW_ROUTE and len(content) >= BODY.size:
        _, length, _, _, table, _, _, what, flags = BODY.unpack_from(content)
        if length == 0 and what == UNICAST:
            yield from _route(content[BODY.size :], table, flags)


def _route(content: bytes, table: int, flags: int) -> Iterator[Hop]:
    found = dict(netlink.attributes(content))
    if _number(found.get(TABLE), table) != MAIN:
        return
    metric = _number(found.get(PRIORITY), 0)
    yield from _hop(found, metric, _number(found.get(OIF), 0), flags)
    several = found.get(MULTIPATH, b"")
    while len(several) >= HOP.size:
        length, flags, _, link = HOP.unpack_from(several)
        if not HOP.size <= length <= len(several):
            return
        own = dict(netlink.attributes(several[HOP.size : length]))
        yield from _hop(own, metric, link, flags)
        several = several[netlink.aligned(length) :]


def _hop(found: dict[int, bytes], metric: int, link: int, flags: int) -> Iterator[Hop]:
    # An IPv4 route by an IPv6 next hop says it in another attribute, and has no gateway for us.
    packed = found.get(GATEWAY, b"")
    if len(packed) in (4, 16) and not flags & OUT_OF_ORDER:
        yield Hop(metric=metric, link=link, gateway=ipaddress.ip_address(packed))


def _number(packed: bytes | None, default: int) -> int:
    if packed is None or len(packed) != NUMBER.size:
        return default
    return int(NUMBER.unpack(packed)[0])
