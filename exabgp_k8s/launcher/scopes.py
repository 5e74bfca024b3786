"""A router at a link-local address: ``fe80::1%eth1`` is one on that interface.

A link-local address means something on one link only, and many routers have the same one on each:
fe80::1 behind eth1 and fe80::1 behind eth2 are two of them. ExaBGP takes the link from a setting
beside the address, ``source-interface``, and all it tells and is told goes by the address alone: a
command for one of the two reaches both, and an event of either could be of the other.

Here an address may name its link (RFC 4007 section 11), and ExaBGP knows the neighbor by that:
in its configuration, in commands, in events and in its tables. On the wire, and to the kernel,
it is the address; the socket is bound to the interface, as ever.

Replaced in ExaBGP 5.0.15: ``IP.pton`` and ``IPv6.__init__`` of ``protocol.ip``, and
``reactor.network.outgoing.Outgoing.__init__``.
Noticed by: ``test_both_families_go_over_each_of_two_links_and_carry_traffic``.
"""

from __future__ import annotations

from typing import Any


def _plain(address: str) -> str:
    return address.partition("%")[0]


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, know addresses with their link."""
    from exabgp.protocol.ip import IP, IPv6  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor.network.outgoing import Outgoing  # noqa: PLC0415

    pton, begin = IP.pton, Outgoing.__init__

    def packed(address: str) -> bytes:
        octets: bytes = pton(_plain(address))
        return octets

    def made(self: Any, string: str, octets: bytes | None = None) -> None:
        self.init(string, octets or packed(string))

    def outgoing(
        self: Any, afi: Any, peer: str, local: str | None, *rest: Any, **more: Any
    ) -> None:
        begin(self, afi, _plain(peer), local and _plain(local), *rest, **more)

    IP.pton, IPv6.__init__ = staticmethod(packed), made
    Outgoing.__init__ = outgoing
