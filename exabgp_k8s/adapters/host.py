"""The host's own network: where its addresses are, and which source address a peer would see.

A route to the node's own uplink network would turn the routers against their own connected
route. A session keeps its address for as long as the host has it, and its next hops are on the
same interface. On a node with several uplinks it needs the address that the kernel would choose.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import psutil

from exabgp_k8s.adapters import neighbours, routing
from exabgp_k8s.core.facts import events, links, model, places

IPV6 = 6
FAMILIES = {4: socket.AF_INET, IPV6: socket.AF_INET6}

LOOPBACK = "lo"
"""Its Linux name in every network namespace."""

ANY_PORT = 179
"""The kernel chooses the source by address; BGP's port only makes rules by port come true."""

IF_INET6 = Path("/proc/net/if_inet6")
ODD_FLAGS = 0x01 | 0x08 | 0x20
"""IFA_F_TEMPORARY, IFA_F_DADFAILED and IFA_F_DEPRECATED of linux/if_addr.h."""


Interfaces = Mapping[str, tuple[places.Interface, ...]]


def look(
    addresses: Iterable[model.Address],
    peers: Iterable[model.Address],
    gateways: Iterable[model.Family] = (),
    wanted_links: Iterable[str] = (),
    where: places.LookedFor = places.NOWHERE,
) -> events.HostSeen | events.HostLost:
    """Return where these addresses are, the source towards each peer, and what is on links.

    And the addresses of these places, but none of the cluster's inner ranges. An uplink is an
    interface that carries one of all these. A peer that no route leads to has no source. Nothing
    is sent. A host that shows nothing has not lost its addresses: it could not be looked at.
    """
    try:
        by_default = {family: routing.gateways(family) for family in gateways}
        towards = (*peers, *(each for found in by_default.values() for each in found))
        sources = {peer: source for peer in towards if (source := _source(peer)) is not None}
        interfaces = _interfaces()
        odd = _odd_addresses()
        on_links = _links(interfaces, odd, frozenset(wanted_links))
    except OSError as error:
        return events.HostLost(problem=f"the interfaces cannot be read: {error}")
    there = {place: _at(place, interfaces, odd, where.inner) for place in where.places}
    own = {address for link in on_links.values() for address in link.own}
    named = _by_address(interfaces, {*addresses, *sources.values(), *own})
    further = _by_address(interfaces, {each.ip for at in there.values() for each in at or ()})
    is_empty = not any(carried for name, carried in interfaces.items() if name != LOOPBACK)
    if is_empty and (None in named.values() or not all(there.values())):
        return events.HostLost(problem="the host shows no interface with an address but lo")
    return events.HostSeen(
        # A single address at a place, as one of kube-ipvs0, is nobody's uplink.
        uplinks=_networks(interfaces, named, 1) | _networks(interfaces, further, 2),
        sources=sources,
        gateways=by_default,
        addresses={
            address: () if name is None else _beside(interfaces[name], odd, address)
            for address, name in (further | named).items()
        },
        links=on_links,
        places=there,
    )


def _by_address(
    interfaces: Interfaces, addresses: Iterable[model.Address]
) -> dict[model.Address, str | None]:
    return {address: _interface_of(interfaces, address) for address in addresses}


def _networks(
    interfaces: Interfaces, where: Mapping[model.Address, str | None], least: int
) -> frozenset[model.Network]:
    """Return the networks of the interfaces of some addresses that have so many addresses."""
    return frozenset(
        each.network
        for name in where.values()
        if name not in (None, LOOPBACK)
        for each in interfaces[name or ""]
        if each.network.prefixlen > 0 and each.network.num_addresses >= least
    )


def _at(
    place: places.Place,
    interfaces: Interfaces,
    odd: frozenset[model.Address],
    inner: Collection[model.Network],
) -> tuple[places.Interface, ...] | None:
    """Return the addresses of a place, the ones that will stay there first."""
    there = places.among(place, interfaces, inner)
    return there and tuple(sorted(there, key=lambda each: _is_passing(each, odd)))


def _links(
    interfaces: Interfaces, odd: frozenset[model.Address], wanted: frozenset[str]
) -> Mapping[str, links.Link]:
    """Return what is on each link; our own addresses there are the ones that will stay.

    A host that advertises itself as a router hears that, too.
    """
    routers = neighbours.routers(wanted) if wanted else {}
    found = {}
    for name in sorted(wanted & interfaces.keys()):
        carried = [each.ip for each in interfaces[name] if each.version == IPV6]
        found[name] = links.Link(
            own=tuple(
                ipaddress.IPv6Address(f"{each}%{name}")
                for each in carried
                if each.is_link_local and each not in odd
            ),
            routers=tuple(
                each for each in routers.get(name, ()) if links.plain(each) not in carried
            ),
        )
    return found


def _interfaces() -> Interfaces:
    return {
        name: tuple(
            _interface(each.address, each.netmask)
            for each in carried
            if each.family in FAMILIES.values() and each.netmask is not None
        )
        for name, carried in psutil.net_if_addrs().items()
    }


def _interface_of(interfaces: Interfaces, address: model.Address) -> str | None:
    if link := links.of(address):
        plain = links.plain(address)
        return link if any(each.ip == plain for each in interfaces.get(link, ())) else None
    for name, carried in interfaces.items():
        if any(each.ip == address for each in carried):
            return name
    # Every address of a network on the loopback interface is the host's own.
    carried = interfaces.get(LOOPBACK, ())
    return LOOPBACK if any(address in each.network for each in carried) else None


def _beside(
    carried: Iterable[places.Interface],
    odd: frozenset[model.Address],
    address: model.Address,
) -> tuple[model.Address, ...]:
    """Return an address and the others of its interface, the ones that will stay there first."""
    others = [
        each
        for each in carried
        if each.ip != links.plain(address) and not (each.ip.is_link_local or each.ip.is_loopback)
    ]
    others.sort(key=lambda each: _is_passing(each, odd))
    return (address, *(each.ip for each in others))


def _is_passing(each: places.Interface, odd: frozenset[model.Address]) -> tuple[bool, bool]:
    """Return whether an address is likely to go away.

    One without a network may be a virtual address that another host takes over.
    """
    return each.ip in odd, each.network.num_addresses == 1


def _odd_addresses() -> frozenset[model.Address]:
    """Return the IPv6 addresses that are temporary, deprecated or held by another host as well."""
    try:
        lines = IF_INET6.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        # The kernel lacks the family altogether.
        return frozenset()
    rows = (line.split() for line in lines)
    return frozenset(
        ipaddress.IPv6Address(int(row[0], 16)) for row in rows if int(row[4], 16) & ODD_FLAGS
    )


def _interface(address: str, netmask: str) -> places.Interface:
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
