"""Places of a host where our own end of a session can be: an interface, or a network.

A document is for all nodes, and each has other addresses. What they have in common is where the
address stands.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
"""An address with the network that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnInterface:
    """An address of the interface of this name."""

    interface: str

    def __str__(self) -> str:
        return f"interface {self.interface}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InSubnet:
    """An address of the host in this network, whichever interface has it."""

    subnet: ipaddress.IPv4Network | ipaddress.IPv6Network

    def __str__(self) -> str:
        return f"subnet {self.subnet}"


Place = OnInterface | InSubnet
Found = Mapping[Place, tuple[Interface, ...] | None]
"""The addresses of each place; None: there is no such interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedFor:
    """The places that are to be looked at."""

    places: frozenset[Place] = frozenset()
    inner: frozenset[ipaddress.IPv4Network | ipaddress.IPv6Network] = frozenset()
    """Ranges of the cluster. An address in one, as those of a bridge of pods or of Services with
    IPVS, is no address of the host for anybody outside."""


NOWHERE = LookedFor()


def among(
    place: Place,
    interfaces: Mapping[str, tuple[Interface, ...]],
    inner: Collection[ipaddress.IPv4Network | ipaddress.IPv6Network] = (),
) -> tuple[Interface, ...] | None:
    """Return the addresses of a place, but those of inner ranges; None: no such interface."""
    carried: Iterable[Interface]
    match place:
        case OnInterface(interface=name):
            if name not in interfaces:
                return None
            carried = interfaces[name]
        case InSubnet(subnet=subnet):
            all_of_them = itertools.chain.from_iterable(interfaces.values())
            carried = (each for each in all_of_them if each.ip in subnet)
    return tuple(
        each
        for each in carried
        if not (each.ip.is_link_local or each.ip.is_loopback)
        and not any(each.ip in network for network in inner)
    )
