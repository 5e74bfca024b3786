"""What the kernel of a namespace knows, read from the kernel itself: routes and TCP sockets.

A test that waits asks again and again, and a process for each question costs more than all that
is being waited for. A thread that enters the namespace asks at next to no cost (``inside`` of
``namespaces``): routes over rtnetlink, as ``ip route`` does, sockets from ``/proc``.
"""

from __future__ import annotations

import collections
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

FAMILIES = (socket.AF_INET, socket.AF_INET6)
ESTABLISHED, LISTEN = "01", "0A"

_RTM_NEWROUTE, _RTM_GETROUTE = 24, 26
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x301
_TABLE_MAIN = 254
_DST, _GATEWAY, _MULTIPATH, _TABLE, _VIA = 1, 5, 9, 15, 18
_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=8BI")
_HOP = struct.Struct("=HBBi")
_ATTRIBUTE = struct.Struct("=HH")


def routes() -> Mapping[str, frozenset[str]]:
    """Return the gateways of each prefix of the main table; a hop on the link itself is empty."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for family in FAMILIES:
        for route in _dump(family):
            length, table = route[1], route[4]
            attributes = dict(_attributes(route[_ROUTE.size :]))
            if _TABLE in attributes:
                (table,) = struct.unpack("=I", attributes[_TABLE])
            if table == _TABLE_MAIN:
                prefix = f"{_address(family, attributes.get(_DST))}/{length}"
                found[prefix].update(_gateways(family, attributes))
    return {prefix: frozenset(hops) for prefix, hops in found.items()}


def listening() -> frozenset[int]:
    """Return the TCP ports that something listens on."""
    return frozenset(port for state, port, _ in _sockets() if state == LISTEN)


def connected(port: int) -> dict[str, str]:
    """Return the far end's port of each TCP connection to a port here, by the far address."""
    return {
        address: far_port
        for state, own, (address, far_port) in _sockets()
        if state == ESTABLISHED and own == port
    }


def _dump(family: int) -> Iterator[bytes]:
    """Yield every route of a family, as rtnetlink(7) has it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asking:
        asking.bind((0, 0))
        size = _HEADER.size + _ROUTE.size
        head = _HEADER.pack(size, _RTM_GETROUTE, _REQUEST_DUMP, 1, 0)
        asking.send(head + _ROUTE.pack(family, *[0] * 8))
        while True:
            answer = asking.recv(1 << 17)
            while answer:
                length, kind, *_ = _HEADER.unpack_from(answer)
                body, answer = answer[_HEADER.size : length], answer[(length + 3) & ~3 :]
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    (number,) = struct.unpack_from("=i", body)
                    raise OSError(-number, os.strerror(-number))
                if kind == _RTM_NEWROUTE:
                    yield body


def _attributes(rest: bytes) -> Iterator[tuple[int, bytes]]:
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        yield kind, rest[_ATTRIBUTE.size : length]
        rest = rest[(length + 3) & ~3 :]


def _gateways(family: int, attributes: Mapping[int, bytes]) -> Iterator[str]:
    """Yield the gateway of each next hop; RTA_VIA holds one of the other family (RFC 5549)."""
    if _MULTIPATH in attributes:
        rest = attributes[_MULTIPATH]
        while len(rest) >= _HOP.size:
            length, *_ = _HOP.unpack_from(rest)
            yield from _gateways(family, dict(_attributes(rest[_HOP.size : length])))
            rest = rest[(length + 3) & ~3 :]
    elif _VIA in attributes:
        (other,) = struct.unpack_from("=H", attributes[_VIA])
        yield _address(other, attributes[_VIA][2:])
    elif _GATEWAY in attributes:
        yield _address(family, attributes[_GATEWAY])
    else:
        yield ""


def _address(family: int, octets: bytes | None) -> str:
    nothing = "0.0.0.0" if family == socket.AF_INET else "::"
    return nothing if octets is None else socket.inet_ntop(family, octets)


def _sockets() -> Iterator[tuple[str, int, tuple[str, str]]]:
    """Yield the state, the own port, and the far address and port of each TCP socket."""
    for name in ("tcp", "tcp6"):
        rows = Path("/proc/thread-self/net", name).read_text().splitlines()[1:]
        for row in rows:
            _, own, far, state, *_ = row.split()
            address, _, port = far.partition(":")
            yield state, int(own.rpartition(":")[2], 16), (_shown(address), str(int(port, 16)))


def _shown(words: str) -> str:
    """Return an address that ``/proc`` shows as 32-bit words in the machine's own byte order."""
    octets = b"".join(
        int(words[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(words), 8)
    )
    address = ipaddress.ip_address(octets)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
