"""IPv4 routes over an IPv6 next hop: only to a router that agreed to them (RFC 8950).

ExaBGP sends what it was given, whatever was negotiated. FRR took such an UPDATE for a route all
the same, BIRD for a withdrawal, and ExaBGP itself, reading it to report it, ends the session; the
route is kept, so that happened again at each return, 1,600 times in 45 s.

Here a route of that kind does not leave where the session has not agreed to it. The agent decides
by the same: what was agreed stands in the event ``negotiated``, and in the table of neighbors,
where ExaBGP does not show it. This is for the moment between an OPEN and the agent's answer to it.

Replaced in ExaBGP 5.0.15: ``bgp.message.update.Update.messages`` and
``reactor.peer.Peer.cli_data``.
Noticed by: ``test_an_ipv6_next_hop_leaves_only_where_the_router_agreed_to_it``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, keep such routes to itself."""
    from exabgp.bgp.message.action import Action  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.bgp.message.update import Update  # noqa: PLC0415
    from exabgp.protocol.family import AFI, SAFI  # noqa: PLC0415
    from exabgp.reactor.peer import Peer  # noqa: PLC0415

    messages, cli_data = Update.messages, Peer.cli_data
    over_ipv6 = (AFI.ipv4, SAFI.unicast, AFI.ipv6)

    def is_of_the_kind(nlri: Any) -> bool:
        is_announced = nlri.afi == AFI.ipv4 and nlri.action == Action.ANNOUNCE
        return bool(is_announced and nlri.nexthop.afi == AFI.ipv6)

    def agreed(self: Any, negotiated: Any, include_withdraw: bool = True) -> Iterator[Any]:
        if over_ipv6 not in negotiated.nexthop:
            self.nlris = [each for each in self.nlris if not is_of_the_kind(each)]
        yield from messages(self, negotiated, include_withdraw)

    def shown(self: Any) -> Any:
        found = cli_data(self)
        has_open = self.proto is not None and self.proto.negotiated.received_open
        ours = bool(self.neighbor["capability"]["nexthop"])
        theirs = over_ipv6 in self.proto.negotiated.nexthop if has_open else None
        found["capabilities"]["nexthop"] = (ours, theirs)
        return found

    Update.messages, Peer.cli_data = agreed, shown
