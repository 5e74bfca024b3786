"""Routers whose address each node finds itself, and which addresses a router can have.

Where every rack has another gateway, a document for all nodes cannot name it. The node can: its
kernel knows the gateway, and whoever sets up nodes can write an annotation.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from exabgp_k8s.core.facts import model

V4_IN_V6 = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("::/96"))
"""IPv4 addresses in an IPv6 spelling (RFC 4291 section 2.5.5): no router is reached by one."""
BROADCAST = ipaddress.IPv4Address("255.255.255.255")
THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
"""Only ever a source, of a host that does not know its own address yet (RFC 6890)."""
LONGEST = 45
"""Characters of an address, as INET6_ADDRSTRLEN has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The gateway that the kernel uses by default."""

    family: model.Family

    def __str__(self) -> str:
        return f"default gateway of {self.family}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """The address that an annotation of the Node says."""

    key: str

    def __str__(self) -> str:
        return f"annotation {self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLink:
    """The one router on a link."""

    interface: str

    def __str__(self) -> str:
        return f"router on {self.interface}"


Where = Gateway | Annotated | OnLink


def read(text: str) -> model.Address | None:
    """Return the address of a router that a text means; None if no router can have it."""
    if len(text) > LONGEST:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found if is_reachable(found) else None


def is_reachable(address: model.Address) -> bool:
    """Return whether a router beyond this host could have an address."""
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        return False
    if address.is_link_local:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address != BROADCAST and address not in THIS_NETWORK
    return not address.scope_id and not any(address in each for each in V4_IN_V6)
