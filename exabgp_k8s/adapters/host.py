"""The host's own network: where its uplinks are, and which source address a peer would see.

Two guards need it. A route to the node's own uplink network would turn the routers against their
own connected route, and a session on a node with several uplinks needs the local address that
the kernel would choose.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import psutil

from exabgp_k8s.core import events, model

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

LOOPBACK = "lo"
"""Its Linux name in every network namespace."""

ANY_PORT = 179
"""The kernel chooses the source by address; BGP's port only makes rules by port come true."""


def look(internal_ips: Iterable[model.Address], peers: Iterable[model.Address]) -> events.HostSeen:
    """Return the networks of the node's uplinks, and the source address towards each peer.

    An uplink is an interface that carries one of the node's internal IPs. A peer that no route
    leads to has no source. Nothing is sent.
    """
    wanted = frozenset(internal_ips)
    uplinks: set[model.Network] = set()
    for name, addresses in psutil.net_if_addrs().items():
        carried = [
            _interface(each.address, each.netmask)
            for each in addresses
            if each.family in FAMILIES.values() and each.netmask is not None
        ]
        if name != LOOPBACK and any(each.ip in wanted for each in carried):
            uplinks.update(each.network for each in carried if each.network.prefixlen > 0)
    found = ((peer, _source(peer)) for peer in peers)
    return events.HostSeen(
        uplinks=frozenset(uplinks),
        sources={peer: source for peer, source in found if source is not None},
    )


def _interface(address: str, netmask: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    # ipaddress reads no IPv6 netmask, and psutil gives no prefix length.
    length = int(ipaddress.ip_address(netmask)).bit_count()
    return ipaddress.ip_interface(f"{address.partition('%')[0]}/{length}")


def _source(peer: model.Address) -> model.Address | None:
    try:
        # The kernel may lack the family altogether: ipv6.disable=1.
        with socket.socket(FAMILIES[peer.version], socket.SOCK_DGRAM) as probe:
            probe.connect((str(peer), ANY_PORT))
            found: str = probe.getsockname()[0]
    except OSError:
        return None
    return ipaddress.ip_address(found.partition("%")[0])
