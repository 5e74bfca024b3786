"""Link-local addresses: each means something on one link only, so it is never known without it.

``fe80::1%eth1`` (RFC 4007 section 11) is an address like any other here: two routers that both
call themselves fe80::1 are two addresses. Only what a router reads is without the link.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from exabgp_k8s.core.facts import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is known of an interface: our link-local addresses, and the routers seen on it.

    Of an interface that the host does not have, nothing is known.
    """

    own: tuple[model.Address, ...] = ()
    routers: tuple[model.Address, ...] = ()
    """Those that said so themselves, by router or neighbor advertisement, and still answer."""


def of(address: model.Address) -> str:
    """Return the interface that an address is on; nothing for one that holds everywhere."""
    return (address.scope_id or "") if isinstance(address, ipaddress.IPv6Address) else ""


def plain(address: model.Address) -> model.Address:
    """Return the address as it is on the wire: without its link."""
    return ipaddress.IPv6Address(int(address)) if of(address) else address
