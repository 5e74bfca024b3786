"""What the two OPENs of a session said, and over which ports: for whoever asks about a session.

ExaBGP's table of neighbors has seven capabilities as true or false, and no port. The OPENs as they
were sent and received stand in it here, in hexadecimal, with the ports of the connection. They
stay when the session has ended, or has come no further: a router that wants another AS of us is
understood by its OPEN.

It costs the table a few hundred bytes for each session, and no message more than before.

Replaced in ExaBGP 5.0.15: ``Open.unpack_message``, ``Negotiated.sent`` and ``received`` and
``reactor.peer.Peer.cli_data`` are wrapped, and the command ``show neighbor`` has a
``NeighborTemplate`` of its own: that of the routes' table is as it was.
Noticed by: ``test_the_table_of_neighbors_has_both_openings_and_the_ports`` and
``test_the_opening_of_a_router_with_another_as_stays_readable``.
"""

from __future__ import annotations

from typing import Any

HEADER = 19
"""Octets before the body of a message (RFC 4271 section 4.1)."""
SENT, RECEIVED, PORTS = "open-sent", "open-received", "ports"
PEER = "peer"
"""Under which the answer holds what it is about, for the one who shows it."""


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, show both; after ``external``."""
    from exabgp.bgp.message import Open  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.bgp.message.open.capability import Negotiated  # noqa: PLC0415
    from exabgp.reactor.api.command import neighbor  # noqa: PLC0415
    from exabgp.reactor.peer import Peer  # noqa: PLC0415

    unpack, sent, received = Open.unpack_message, Negotiated.sent, Negotiated.received
    cli_data, template = Peer.cli_data, neighbor.NeighborTemplate

    def unpacked(body: bytes, *arguments: Any) -> Any:
        found = unpack(body, *arguments)
        found.body = bytes(body)
        return found

    def note_sent(negotiated: Any, opening: Any) -> None:
        # Beside what ExaBGP compares and copies of a neighbor, which are its keys.
        negotiated.neighbor.opening_sent = opening.message()[HEADER:].hex()
        sent(negotiated, opening)

    def note_received(negotiated: Any, opening: Any) -> None:
        negotiated.neighbor.opening_received = opening.body.hex()
        received(negotiated, opening)

    def known(peer: Any) -> Any:
        return {**cli_data(peer), PEER: peer}

    class Template(template):  # type: ignore[misc, valid-type]
        @classmethod
        def as_dict(cls, answer: Any) -> Any:
            return {**super().as_dict(answer), **_told(answer[PEER])}

    Open.unpack_message = staticmethod(unpacked)
    Negotiated.sent, Negotiated.received = note_sent, note_received
    Peer.cli_data, neighbor.NeighborTemplate = known, Template


def _told(peer: Any) -> dict[str, Any]:
    return {
        SENT: getattr(peer.neighbor, "opening_sent", ""),
        RECEIVED: getattr(peer.neighbor, "opening_received", ""),
        PORTS: _ports(peer.proto.connection if peer.proto else None),
    }


def _ports(connection: Any) -> list[int] | None:
    """Return the local and the remote port; None where there is no connection."""
    try:
        return [connection.io.getsockname()[1], connection.io.getpeername()[1]]
    except (AttributeError, OSError):
        # None yet, none any more, or one that is being made.
        return None
