"""A router of any AS but ours: ``peer-as 0``, which is no speaker's number (RFC 7607).

ExaBGP has "peer-as auto" for a router of any AS, ours included. Its events are no JSON then, and
``show neighbor`` fails. So the configuration says 0 here: an OPEN with our own number is refused
as from a wrong AS, and with any other one the session is an external one. The table of neighbors
shows what the router said.

Replaced in ExaBGP 5.0.15: ``Negotiated.validate``, ``reactor.peer.Peer.cli_data``.
Noticed by: ``test_a_router_of_any_as_but_ours_is_taken_and_shown``.
"""

from __future__ import annotations

from typing import Any

ANY = 0
BAD_PEER_AS = (2, 2, "the router has our own AS, and external was asked for")


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, know what external means."""
    from exabgp.bgp.message.open.capability import Negotiated  # noqa: PLC0415
    from exabgp.reactor.peer import Peer  # noqa: PLC0415

    validate, cli_data = Negotiated.validate, Peer.cli_data

    def validated(self: Any, neighbor: Any) -> Any:
        if neighbor["peer-as"] != ANY:
            return validate(self, neighbor)
        if self.peer_as == self.local_as:
            return BAD_PEER_AS
        return validate(self, {**neighbor, "peer-as": None})

    def shown(self: Any) -> Any:
        found = cli_data(self)
        if found["peer-as"] == ANY and self.proto and self.proto.negotiated.received_open:
            found["peer-as"] = int(self.proto.negotiated.peer_as)
        return found

    Negotiated.validate, Peer.cli_data = validated, shown
