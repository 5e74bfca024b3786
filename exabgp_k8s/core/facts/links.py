"""Link-local addresses: each means something on one link only, so it is never known without it.

``fe80::1%eth1`` (RFC 4007 section 11) is an address like any other here: two routers that both
call themselves fe80::1 are two addresses. Only what a router reads is without the link.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from exabgp_k8s.core.facts import model

NAME = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,14}", re.ASCII)
"""Of what the kernel allows as a name only what means nothing else to ExaBGP's parser."""
COMMANDS = (
    "crash", "disable-ack", "enable-ack", "help", "reload", "reset", "restart", "shutdown",
    "silence-ack", "teardown", "version",
)  # fmt: skip
"""What ExaBGP takes for a command wherever in a line a word ends in it."""


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


def is_tellable(interface: str) -> bool:
    """Return whether the name of an interface may stand in what ExaBGP is told."""
    return NAME.fullmatch(interface) is not None and not interface.endswith(COMMANDS)


def plain(address: model.Address) -> model.Address:
    """Return the address as it is on the wire: without its link."""
    return ipaddress.IPv6Address(int(address)) if of(address) else address
