"""What ExaBGP says around a refresh: only what the router negotiated.

At each start of a session, and now and then, the agent has ExaBGP send its whole table once more,
and ExaBGP puts Begin- and End-of-RIB-Refresh (RFC 7313) around it where *its own* configuration
allows refreshes, whatever the router's OPEN said. A router that does not know the message ends
the session (BIRD with ``enable route refresh off`` never kept one); one that knows only the plain
refresh takes the markers for requests and sends its whole table four times, or warns.

Here a ROUTE-REFRESH leaves only if the two OPENs agreed on it: the markers where both offered
enhanced refresh, the plain request where both offered any, and neither for a family that the
session does not carry.

Replaced in ExaBGP 5.0.15: ``reactor.protocol.Protocol.send`` and ``write``, through which every
message leaves, whatever command it comes from.
Noticed by: ``test_no_refresh_is_sent_that_was_not_negotiated``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

KIND = 18
"""Where the type stands in a message (RFC 4271 section 4.1)."""
ROUTE_REFRESH = 5
REQUEST = 0
"""The subtype of the plain request; 1 and 2 are the markers (RFC 7313 section 3)."""


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, send only what was negotiated."""
    from exabgp.bgp.message.open.capability.refresh import REFRESH  # noqa: PLC0415 - as elsewhere
    from exabgp.reactor.protocol import Protocol  # noqa: PLC0415

    send, write = Protocol.send, Protocol.write

    def is_negotiated(negotiated: Any, raw: bytes) -> bool:
        if raw[KIND] != ROUTE_REFRESH:
            return True
        afi, subtype, safi = struct.unpack_from("!HBB", raw, KIND + 1)
        known = (REFRESH.ENHANCED, REFRESH.NORMAL) if subtype == REQUEST else (REFRESH.ENHANCED,)
        return negotiated.refresh in known and (afi, safi) in negotiated.families

    def sent(self: Any, raw: bytes) -> Iterable[bool]:
        return send(self, raw) if is_negotiated(self.negotiated, raw) else ()

    def written(self: Any, message: Any, negotiated: Any = None) -> Iterable[bool]:
        is_meant = is_negotiated(self.negotiated, message.message(negotiated))
        return write(self, message, negotiated) if is_meant else ()

    Protocol.send, Protocol.write = sent, written
