"""The end of BFD in words: every router is told that its session ends on purpose.

It takes the right to see what the node sends (NET_RAW), which BIRD's container has and nobody
else of us: see ``wire.bfd_packet``.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Collection, Mapping

from exabgp_k8s.core.facts import bfd, links, model
from exabgp_k8s.wire import bfd_packet

EVERYTHING = 0x0003
"""ETH_P_ALL: of a socket for one protocol only, the kernel keeps what is sent (packet(7))."""
LARGEST = 2048
LISTEN = 2.0
"""Seconds to hear what BIRD sends; a session that is not up sends once in one."""
PAUSE, TIMES = 0.3, 5
"""Seconds between two packets that end a session, and how many: any of them may be lost."""


def overhear(watched: Collection[bfd.Wanted]) -> Mapping[model.Address, bytes]:
    """Return the last packet that was sent to each of these routers; none if it is not allowed."""
    missing = {
        (links.plain(each.local).packed, links.plain(each.address).packed): each.address
        for each in watched
    }
    found = dict[model.Address, bytes]()
    deadline = time.monotonic() + LISTEN
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERYTHING)) as heard,
    ):
        while missing and (left := deadline - time.monotonic()) > 0:
            heard.settimeout(left)
            packet = bfd_packet.find(heard.recv(LARGEST))
            if packet is not None and (address := missing.pop(packet[:2], None)) is not None:
                found[address] = packet[2]
    return found


def part(watched: Collection[bfd.Wanted], sent: Mapping[model.Address, bytes]) -> None:
    """Tell the routers that these sessions end on purpose; BIRD is silent by now."""
    for _ in range(TIMES if sent else 0):
        for each in watched:
            if each.address in sent:
                _send(each, bfd_packet.admin_down(sent[each.address]))
        time.sleep(PAUSE)


def _send(each: bfd.Wanted, packet: bytes) -> None:
    port = bfd_packet.PORT_BEYOND if each.timing.is_multihop else bfd_packet.PORT
    if each.address.version == 4:  # noqa: PLR2004 - of IP
        family, hops = socket.AF_INET, (socket.IPPROTO_IP, socket.IP_TTL)
    else:
        family, hops = socket.AF_INET6, (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as out:
        out.setblocking(False)
        out.setsockopt(*hops, bfd_packet.TTL)
        link = links.of(each.address)
        scope = (0, socket.if_nametoindex(link)) if link else ()
        out.bind((str(links.plain(each.local)), 0, *scope))
        out.sendto(packet, (str(links.plain(each.address)), port, *scope))
