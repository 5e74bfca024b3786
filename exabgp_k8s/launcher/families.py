"""What an OPEN that names no family means: IPv4 unicast.

A router that knows no capabilities, or offers none for a family, speaks IPv4 unicast (RFC 4271;
RFC 4760 section 8 is for everything else). ExaBGP agrees with it on no family at all: the session
comes up, and nothing is ever announced.

Replaced in ExaBGP 5.0.15: ``Negotiated.received`` in ``bgp.message.open.capability``.
Noticed by: ``test_a_router_has_the_ipv4_routes_whatever_it_offers``.
"""

from __future__ import annotations

from typing import Any


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, read an OPEN as it is meant."""
    from exabgp.bgp.message.open.capability import Capability, Negotiated  # noqa: PLC0415
    from exabgp.bgp.message.open.capability.mp import MultiProtocol  # noqa: PLC0415
    from exabgp.protocol.family import AFI, SAFI  # noqa: PLC0415

    received = Negotiated.received

    def understood(self: Any, received_open: Any) -> None:
        if not received_open.capabilities.announced(Capability.CODE.MULTIPROTOCOL):
            meant = MultiProtocol()
            meant.append((AFI.ipv4, SAFI.unicast))
            received_open.capabilities[Capability.CODE.MULTIPROTOCOL] = meant
        received(self, received_open)

    Negotiated.received = understood
