"""Routers in the kernel's own neighbour table, as its rtnetlink tells them (Linux, rtnetlink(7)).

A router says that it is one in its router advertisements (RFC 4861 section 4.2) and in its answers
to neighbor solicitations; the kernel notes that, also where it takes neither addresses nor routes
from them (``accept_ra`` 0, or forwarding). An entry that did not answer when it was asked is none.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from exabgp_k8s.wire import netlink

NEW_NEIGHBOUR, GET_NEIGHBOUR = 28, 30
"""RTM_NEWNEIGH, RTM_GETNEIGH."""
IPV6 = 10
"""AF_INET6."""
DESTINATION, IS_ROUTER = 1, 0x80
"""NDA_DST, NTF_ROUTER."""
UNANSWERED = 0x01 | 0x20
"""NUD_INCOMPLETE and NUD_FAILED of linux/neighbour.h."""
BODY = struct.Struct("=BxxxiHBB")
"""struct ndmsg: family, interface, state, flags, type."""
OCTETS = 16

QUESTION = netlink.question(GET_NEIGHBOUR, BODY.pack(IPV6, 0, 0, 0, 0))
"""What asks for the whole IPv6 table."""


class Router(NamedTuple):
    """A router on a link."""

    link: int
    """Number of the interface."""
    address: ipaddress.IPv6Address
    """Link-local, without the link's name."""


def router(kind: int, content: bytes) -> Router | None:
    """Return the router that a message is about; None: it is about none."""
    if kind != NEW_NEIGHBOUR or len(content) < BODY.size:
        return None
    _, link, state, flags, _ = BODY.unpack_from(content)
    octets = dict(netlink.attributes(content[BODY.size :])).get(DESTINATION, b"")
    if not flags & IS_ROUTER or state & UNANSWERED or len(octets) != OCTETS:
        return None
    address = ipaddress.IPv6Address(octets)
    return Router(link, address) if address.is_link_local else None
