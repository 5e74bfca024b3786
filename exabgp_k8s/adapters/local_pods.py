"""Which addresses the pods of this host have, as far as its own routes show it.

The agent has no right to read Pods, and is to have none: it would open the specification of every
Pod of the cluster, environment and all, to whoever breaks into one node. The kernel knows better
anyway: a packet for a pod that is here leaves by a route without a gateway, through an interface
that a network plugin has made. The plugins name these in their own ways, so only what has such a
name counts; a container of Docker, a virtual machine or a tunnel is no pod. A pod on the host's
network has no such route.

Nothing is read but two files of the kernel's, once a minute.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.pod_ranges import PodsSeen

PROC_NET = Path("/proc/net")

OF_EACH_POD = ("cali", "lxc", "veth", "eni", "azv", "gke")
"""Calico; Cilium with endpoint routes; kindnet and the plugin ptp; the clouds' own. The interface
is one pod's, and has a route to its one address."""

OF_ALL_PODS = frozenset(
    {"cni0", "cbr0", "kube-bridge", "antrea-gw0", "ovn-k8s-mp0", "cilium_host", "weave"}
)
"""bridge and flannel; kubenet; kube-router; Antrea; OVN-Kubernetes; Cilium; Weave: the network
that they are connected to is the node's pods', or the address is one that was meant for a pod."""

MOST = 512
"""Addresses that are told of one kind; a node has fewer pods."""
MOST_LINES = 50_000
"""Of one table; a node that has all routes of the Internet has no time for this."""

_UP, _GATEWAY = 0x1, 0x2
_NOT_A_WAY = 0x8000_0000 | 0x0010_0000 | 0x0100_0000
"""RTF_LOCAL, RTF_ANYCAST and RTF_CACHE of linux/ipv6_route.h: own addresses, and clones."""


class _Route(NamedTuple):
    interface: str
    flags: int
    network: model.Network


def look(proc_net: Path = PROC_NET) -> PodsSeen:
    """Return the pods' addresses; of a network of pods its first one."""
    found: dict[str, set[model.Address]] = {}
    for route in (*_routes(proc_net / "route", _v4), *_routes(proc_net / "ipv6_route", _v6)):
        is_way = route.flags & _UP and not route.flags & (_GATEWAY | _NOT_A_WAY)
        name = _kind(route.interface, route.network)
        if is_way and name and not route.network.network_address.is_link_local:
            found.setdefault(name, set()).add(route.network.network_address)
    return PodsSeen(
        addresses={
            name: tuple(sorted(of_kind, key=lambda each: (each.version, int(each)))[:MOST])
            for name, of_kind in sorted(found.items())
        }
    )


def _kind(interface: str, network: model.Network) -> str:
    """Return how such interfaces are called; empty: it is none of a pod's."""
    if interface in OF_ALL_PODS:
        return interface
    is_host = network.prefixlen == network.max_prefixlen
    prefix = next((each for each in OF_EACH_POD if interface.startswith(each)), "")
    return f"{prefix}*" if prefix and is_host else ""


def _routes(path: Path, read: Callable[[list[str]], _Route]) -> Iterator[_Route]:
    """Yield the routes of the interfaces that may be pods'; a table that is not there has none."""
    try:
        with path.open(encoding="ascii") as lines:
            for line in itertools.islice(lines, MOST_LINES):
                words = line.split()
                # The name is the first word of one table and the last one of the other.
                if any(_may_be_of_pods(each) for each in (words[0], words[-1])):
                    yield read(words)
    except (OSError, ValueError, IndexError):
        # This is only a warning: what cannot be read gives none.
        return


def _may_be_of_pods(interface: str) -> bool:
    return interface in OF_ALL_PODS or interface.startswith(OF_EACH_POD)


def _v4(words: list[str]) -> _Route:
    interface, destination, _, flags, *_ = words
    address, mask = (
        int.from_bytes(bytes.fromhex(each), "little") for each in (destination, words[7])
    )
    network = ipaddress.IPv4Network((address, mask.bit_count()))
    return _Route(interface, int(flags, 16), network)


def _v6(words: list[str]) -> _Route:
    network = ipaddress.IPv6Network((int(words[0], 16), int(words[1], 16)))
    is_direct = int(words[4], 16) == 0
    flags = int(words[8], 16) & ~_GATEWAY | (0 if is_direct else _GATEWAY)
    return _Route(words[9], flags, network)
