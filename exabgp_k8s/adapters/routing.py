"""The gateways that the kernel uses by default, read from its main table.

All routes pass by, because the kernel does not pick; a node has hundreds. Of the default routes
those of the lowest metric count, as for the kernel.
"""

from __future__ import annotations

import ipaddress
import socket

from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import netlink

LONGEST_ANSWER = 64 * 1024
MOST_ANSWERS = 4096
"""Several hundred thousand routes, more than the agent should look through every few seconds."""
PATIENCE = 2.0
"""Seconds; the kernel answers while it is asked."""


def gateways(family: model.Family) -> tuple[model.Address, ...]:
    """Return the gateways of the best default routes of a family, in a stable order.

    Raises:
        OSError: where the kernel does not tell its routes.
    """
    found: list[netlink.Hop] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(PATIENCE)
        kernel.send(netlink.request(family))
        for _ in range(MOST_ANSWERS):
            answer = kernel.recv(LONGEST_ANSWER)
            if netlink.is_refused(answer):
                raise OSError("the kernel does not tell its routes")
            found += netlink.hops(answer)
            if netlink.is_last(answer):
                break
        else:
            raise OSError("there are too many routes to find the default one")
    best = min((each.metric for each in found), default=0)
    return tuple(sorted({_address(each) for each in found if each.metric == best}, key=int))


def _address(hop: netlink.Hop) -> model.Address:
    if not hop.gateway.is_link_local:
        return hop.gateway
    return ipaddress.ip_address(f"{hop.gateway}%{socket.if_indextoname(hop.link)}")
