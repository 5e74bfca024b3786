"""The gateways that the kernel uses by default, read from its main table.

Of the default routes those of the lowest metric count, as for the kernel.
"""

from __future__ import annotations

import ipaddress
import socket

from exabgp_k8s.adapters import rtnetlink
from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import default_routes


def gateways(family: model.Family) -> tuple[model.Address, ...]:
    """Return the gateways of the best default routes of a family, in a stable order.

    Raises:
        OSError: where the kernel does not tell its routes.
    """
    told = rtnetlink.dump(default_routes.question(family))
    found = [hop for kind, content in told for hop in default_routes.hops(kind, content)]
    best = min((each.metric for each in found), default=0)
    return tuple(sorted({_address(each) for each in found if each.metric == best}, key=int))


def _address(hop: default_routes.Hop) -> model.Address:
    if not hop.gateway.is_link_local:
        return hop.gateway
    return ipaddress.ip_address(f"{hop.gateway}%{socket.if_indextoname(hop.link)}")
