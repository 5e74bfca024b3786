"""What ExaBGP makes of the routes that a router sends: nothing at all.

We use no route of a router's. But ExaBGP parses each UPDATE, and keeps every AS number and every
community that it ever saw: 355 MB in 12 s from a router that makes them up. What it cannot parse,
or thinks worse of than the RFCs, ends the session: an attribute that is to be discarded (RFC 7606
section 7.10), an End-of-RIB of a family that was not negotiated; again after each return.

Here an UPDATE from a router is one without routes, whatever is in it. It is counted, and it
renews the hold timer, as ever.

Replaced in ExaBGP 5.0.15: how ``bgp.message.Message`` reads an UPDATE. What we send, ExaBGP reads
by another way to report it.
Noticed by: ``test_routers_may_send_what_they_like_and_exabgp_keeps_none_of_it`` and
``test_what_is_of_no_use_ends_no_session``.
"""

from __future__ import annotations

from typing import Any


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, read no UPDATE of a router's."""
    from exabgp.bgp.message import Message, Update  # noqa: PLC0415 - a new clock comes first
    from exabgp.bgp.message.update.attribute import Attributes  # noqa: PLC0415

    empty = Update([], Attributes())

    class Unread:
        """How an UPDATE is read."""

        @staticmethod
        def unpack_message(*_: Any) -> Any:
            return empty

    if Message.CODE.UPDATE not in Message.registered_message:
        raise TypeError("exabgp.bgp.message.Message does not know UPDATE")
    Message.registered_message[Message.CODE.UPDATE] = Unread
