"""The routers on a link, as the kernel's own neighbour table has them; nothing is sent."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Mapping

from exabgp_k8s.adapters import rtnetlink
from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import neighbour_table


def routers(interfaces: Iterable[str]) -> Mapping[str, tuple[model.Address, ...]]:
    """Return the link-local addresses of the routers on each of these interfaces.

    Raises:
        OSError: the table cannot be read.
    """
    named: dict[int, str] = {}
    for name in interfaces:
        with contextlib.suppress(OSError):
            named[socket.if_nametoindex(name)] = name
    found: dict[str, list[model.Address]] = {}
    for kind, content in rtnetlink.dump(neighbour_table.QUESTION) if named else ():
        router = neighbour_table.router(kind, content)
        if router is not None and router.link in named:
            link = named[router.link]
            found.setdefault(link, []).append(ipaddress.IPv6Address(f"{router.address}%{link}"))
    return {name: tuple(sorted(each, key=int)) for name, each in found.items()}
