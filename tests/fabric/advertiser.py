"""Router advertisements on links, once a second: how an unnumbered router hears of its neighbor.

FRR (``neighbor IFACE interface``) takes whoever sends one for the neighbor. On a real host radvd,
systemd-networkd or an FRR without BGP sends them, with a lifetime of 0: no default route by it.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ALL_NODES = "ff02::1"
ADVERTISEMENT = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0)
"""Type 134 with a hop limit of 64 (RFC 4861 section 4.2); the kernel adds the checksum."""
SOURCE_LINK_ADDRESS = b"\1\1"


def send(interface: str) -> None:
    """Send one."""
    index = socket.if_nametoindex(interface)
    octets = Path("/sys/class/net", interface, "address").read_text().strip().replace(":", "")
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as link:
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        packet = ADVERTISEMENT + SOURCE_LINK_ADDRESS + bytes.fromhex(octets)
        link.sendto(packet, (ALL_NODES, 0, 0, index))


def main(interfaces: Sequence[str]) -> None:
    """Send one on each interface, again and again."""
    while True:
        for interface in interfaces:
            send(interface)
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1:])
