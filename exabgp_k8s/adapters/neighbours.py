"""The routers on a link, as the kernel's own neighbour table has them.

A router says that it is one in its router advertisements (RFC 4861 section 4.2) and in its answers
to neighbor solicitations; the kernel notes that, also where it takes neither addresses nor routes
from them (``accept_ra`` 0, or forwarding). Reading the table needs no right, and nothing is sent.
An entry that did not answer when it was asked is none.
"""

from __future__ import annotations

import collections
import contextlib
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping

from exabgp_k8s.core.facts import model

NEWNEIGH, GETNEIGH = 28, 30
ERROR, DONE = 2, 3
REQUEST_DUMP = 0x301
DESTINATION = 1
IS_ROUTER = 0x80
UNANSWERED = 0x01 | 0x20
"""NUD_INCOMPLETE and NUD_FAILED of linux/neighbour.h."""
HEADER = struct.Struct("=IHHII")
ENTRY = struct.Struct("=BxxxiHBB")
"""struct ndmsg: family, interface, state, flags, type."""
ATTRIBUTE = struct.Struct("=HH")
MOST = 1 << 17
"""Bytes of one answer; the kernel's own are 32 KiB at most."""
PATIENCE = 1.0
"""Seconds; the kernel answers at once or never."""


def routers(interfaces: Iterable[str]) -> Mapping[str, tuple[model.Address, ...]]:
    """Return the link-local addresses of the routers on each of these interfaces.

    Raises:
        OSError: the table cannot be read.
    """
    named: dict[int, str] = {}
    for name in interfaces:
        with contextlib.suppress(OSError):
            named[socket.if_nametoindex(name)] = name
    found: dict[str, list[model.Address]] = collections.defaultdict(list)
    for body in _dump() if named else ():
        _, index, state, flags, _ = ENTRY.unpack_from(body)
        if index in named and flags & IS_ROUTER and not state & UNANSWERED:
            octets = dict(_attributes(body[ENTRY.size :])).get(DESTINATION, b"")
            address = ipaddress.IPv6Address(octets)
            if address.is_link_local:
                found[named[index]].append(ipaddress.IPv6Address(f"{address}%{named[index]}"))
    return {name: tuple(sorted(each, key=int)) for name, each in found.items()}


def _dump() -> Iterator[bytes]:
    """Yield every entry of the IPv6 neighbour table, as rtnetlink(7) has it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asking:
        asking.settimeout(PATIENCE)
        asking.bind((0, 0))
        head = HEADER.pack(HEADER.size + ENTRY.size, GETNEIGH, REQUEST_DUMP, 1, 0)
        asking.send(head + ENTRY.pack(socket.AF_INET6, 0, 0, 0, 0))
        while True:
            answer = asking.recv(MOST)
            while answer:
                length, kind, *_ = HEADER.unpack_from(answer)
                body, answer = answer[HEADER.size : length], answer[(length + 3) & ~3 :]
                if kind == DONE:
                    return
                if kind == ERROR:
                    (number,) = struct.unpack_from("=i", body)
                    raise OSError(-number, os.strerror(-number))
                if kind == NEWNEIGH:
                    yield body


def _attributes(rest: bytes) -> Iterator[tuple[int, bytes]]:
    while len(rest) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(rest)
        if length < ATTRIBUTE.size:
            return
        yield kind, rest[ATTRIBUTE.size : length]
        rest = rest[(length + 3) & ~3 :]
