"""What a router's ROUTE-REFRESH brings about: our routes once, however often it asks.

ExaBGP queues its whole table for each request. A router that asks as fast as it can makes it
send, and report to the agent, as fast as *it* can, so that the agent was late and was ended, and
the sessions of other routers were too; where that router does not read, the queue grows without
bound. ExaBGP also answers what is no request, the markers of RFC 7313, and ends the session at a
subtype that it does not know, which is to be ignored (RFC 7313 section 5), as is a family that
was not negotiated (RFC 2918 section 4).

Here a family is sent once in ``PAUSE`` seconds at most. A request in between is answered when
they are over, together with all others, and a route waits in the queue once.

Replaced in ExaBGP 5.0.15: ``rib.OutgoingRIB`` by a class of the same, in what it does of
``resend`` and ``pending``; and how ``bgp.message.Message`` reads a ROUTE-REFRESH.
Noticed by: ``test_refreshes_are_answered_but_not_each_of_them`` and
``test_what_is_of_no_use_ends_no_session``.
"""

from __future__ import annotations

import struct
import time
from typing import Any

PAUSE = 1.0
"""Seconds from one answer to the next one for the same family of a peer, at least."""
REQUEST = 0
"""The subtype of a request (RFC 7313 section 3)."""


class Answers:
    """The part of an outgoing RIB that sends everything again; goes before ExaBGP's own class."""

    _refresh_changes: list[Any]
    """ExaBGP's own: the changes to be sent again."""

    def __init__(self, *arguments: Any) -> None:
        self._asked: dict[Any, bool] = {}
        self._answered: dict[Any, float] = {}
        super().__init__(*arguments)

    def reset(self) -> None:
        """Forget what was asked for: a new session is sent everything."""
        self._asked.clear()
        super().reset()  # type: ignore[misc]

    def resend(self, enhanced: bool, family: Any = None) -> None:
        """Take a router's request for a family, or do what the agent asks for: all of them."""
        if family is None:
            self._queue(enhanced, None)
        else:
            self._asked[family] = enhanced

    def pending(self) -> bool:
        """Return whether anything is to be sent; asked in every turn of the session."""
        now = time.monotonic()
        for family, enhanced in tuple(self._asked.items()):
            if now >= self._answered.get(family, float("-inf")) + PAUSE:
                del self._asked[family]
                self._answered[family] = now
                self._queue(enhanced, family)
        waiting: bool = super().pending()  # type: ignore[misc]
        return waiting

    def _queue(self, enhanced: bool, family: Any) -> None:
        super().resend(enhanced, family)  # type: ignore[misc]
        once = {change.index(): change for change in self._refresh_changes}
        self._refresh_changes = list(once.values())


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, answer refreshes by these rules."""
    from exabgp import rib  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.bgp.message import Message  # noqa: PLC0415
    from exabgp.bgp.message.nop import _NOP as NOTHING  # noqa: PLC0415
    from exabgp.bgp.message.refresh import RouteRefresh  # noqa: PLC0415

    class Request:
        """How a ROUTE-REFRESH is read; its length was checked with the header."""

        @staticmethod
        def unpack_message(data: bytes, _: Any, negotiated: Any) -> Any:
            afi, subtype, safi = struct.unpack("!HBB", data)
            is_answered = subtype == REQUEST and (afi, safi) in negotiated.families
            return RouteRefresh(afi, safi) if is_answered else NOTHING

    rib.OutgoingRIB = type("OutgoingRIB", (Answers, rib.OutgoingRIB), {})
    Message.registered_message[Message.CODE.ROUTE_REFRESH] = Request
