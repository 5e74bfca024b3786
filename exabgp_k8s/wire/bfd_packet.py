"""The one BFD packet that is ours: AdminDown, "I stop on purpose" (RFC 5880 section 4.1).

BIRD ends a session by falling silent, and to a router silence is a dead node. What says otherwise
is a packet in this state; RFC 5882 section 4.2 has the router draw no conclusion from it. Routers
take it only with the numbers of the session, which BIRD does not tell: they are in the packets
that it sends, so ours is its last one with another state.
"""

from __future__ import annotations

import struct

PORT, PORT_BEYOND = 3784, 4784
"""Where routers listen: between neighbors (RFC 5881), and over several hops (RFC 5883)."""
TTL = 255
"""What a packet between neighbors must arrive with; nobody minds it over several hops."""
LENGTH = 24
"""Bytes of a packet without authentication, which we do not use."""

_VERSION, _ADMINISTRATIVELY_DOWN, _ADMIN_DOWN = 1, 7, 0
_SLOW = 1_000_000
"""Microseconds between packets of a session that is not up (RFC 5880 section 6.8.3)."""
_UDP = 17
_IP4_HEADER, _IP6_HEADER, _UDP_HEADER = 20, 40, 8


def admin_down(sent: bytes) -> bytes:
    """Return a packet of ours in the place of one that BIRD sent."""
    multiplier, mine, theirs = sent[2], sent[4:8], sent[8:12]
    state = (_VERSION << 5 | _ADMINISTRATIVELY_DOWN, _ADMIN_DOWN << 6, multiplier, LENGTH)
    return bytes(state) + mine + theirs + struct.pack("!III", _SLOW, _SLOW, 0)


def find(datagram: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return source, destination and payload of an IP packet that is BFD; None for any other."""
    version = datagram[0] >> 4 if datagram else 0
    if version == 4 and len(datagram) >= _IP4_HEADER:  # noqa: PLR2004 - of IP
        start, protocol = 4 * (datagram[0] & 0xF), datagram[9]
        source, destination = datagram[12:16], datagram[16:20]
    elif version == 6 and len(datagram) >= _IP6_HEADER:  # noqa: PLR2004 - of IP
        start, protocol = _IP6_HEADER, datagram[6]
        source, destination = datagram[8:24], datagram[24:40]
    else:
        return None
    port = int.from_bytes(datagram[start + 2 : start + 4], "big")
    payload = datagram[start + _UDP_HEADER :][:LENGTH]
    is_bfd = protocol == _UDP and port in {PORT, PORT_BEYOND} and len(payload) == LENGTH
    return (source, destination, payload) if is_bfd else None
