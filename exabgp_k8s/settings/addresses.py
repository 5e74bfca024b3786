"""Addresses and prefixes of the settings, and none that could not work.

A router is reached at a unicast address in its own spelling, and a router can use a unicast
range. Everything else would be accepted and stay down for ever, without a word why.
"""

from __future__ import annotations

import ipaddress

from exabgp_k8s.core.facts import links, model
from exabgp_k8s.core.facts.routers import BROADCAST, THIS_NETWORK, V4_IN_V6
from exabgp_k8s.settings import values

IPV4 = 4
WIDEST = 8
"""Prefix length; two halves of the Internet would be a default route in disguise."""


def router(value: object) -> model.Address:
    """Return the address of a router; a link-local one says on which interface it is."""
    written = values.text(value, "192.0.2.1")
    plain, has_link, link = written.partition("%")
    try:
        found = ipaddress.ip_address(plain)
    except ValueError:
        return address(plain)
    if not found.is_link_local or found.version == IPV4:
        if has_link:
            raise ValueError(f"{found} is no link-local address; leave %{link} out")
        return address(plain)
    if not has_link:
        raise ValueError(
            f"{found} is link-local: say on which interface it is, for example {found}%eth1"
        )
    return ipaddress.IPv6Address(f"{found}%{interface(link)}")


def interface(value: object) -> str:
    """Return the name of an interface that may stand in ExaBGP's configuration and commands."""
    written = values.text(value, "eth1")
    if not links.NAME.fullmatch(written):
        raise ValueError(
            f"{values.quoted(written)} is not an interface name; write for example eth1"
        )
    if found := next((word for word in links.COMMANDS if written.endswith(word)), None):
        raise ValueError(
            f"the interface {written} ends in {found}, which ExaBGP would take for a command; "
            "give it another name (ip link set dev ... name ...)"
        )
    return written


def address(value: object) -> model.Address:
    """Return a unicast address that ExaBGP can connect from or to."""
    written = values.text(value, "192.0.2.1")
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        hint = "; leave the prefix length out" if "/" in written else ""
        raise ValueError(
            f"{values.quoted(written)} is not an IPv4 or IPv6 address{hint}; "
            "write for example 192.0.2.1"
        ) from None
    if isinstance(found, ipaddress.IPv6Address):
        return _ipv6(found)
    if found.is_multicast or found == BROADCAST or found in THIS_NETWORK:
        raise ValueError(f"{found} is not a unicast address; write the one the host has")
    return found


def _ipv6(found: ipaddress.IPv6Address) -> ipaddress.IPv6Address:
    if found.is_link_local or found.scope_id:
        plain = ipaddress.IPv6Address(int(found))
        raise ValueError(f"{plain} is link-local; write a global or unique-local address")
    if found.is_multicast or found.is_unspecified:
        raise ValueError(f"{found} is not a unicast address; write the one the host has")
    if not found.is_loopback and any(found in each for each in V4_IN_V6):
        plain_v4 = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        raise ValueError(f"{found} is an IPv4 address in an IPv6 spelling; write {plain_v4}")
    return found


def router_id(value: object) -> ipaddress.IPv4Address | str:
    """Return ``auto`` or a router id (RFC 6286: any four octets but zero)."""
    if value == "auto":
        return "auto"
    try:
        found = ipaddress.IPv4Address(values.text(value, "192.0.2.1"))
    except ipaddress.AddressValueError:
        raise ValueError(
            f"{values.quoted(str(value))} is not a router id; write auto or an IPv4 address"
        ) from None
    if not int(found):
        raise ValueError("0.0.0.0 is no router id; write auto or an IPv4 address")
    return found


def network(value: object) -> model.Network:
    """Return a prefix that may be announced, or a range that such prefixes may lie in."""
    written = values.text(value, "10.96.0.0/16")
    base, slash, length = written.partition("/")
    if not slash:
        raise ValueError(f"{values.quoted(written)} has no length; write for example 10.96.0.0/16")
    try:
        found = ipaddress.ip_network(written, strict=False)
    except ValueError:
        raise ValueError(
            f"{values.quoted(written)} is not a prefix; write for example 10.96.0.0/16"
        ) from None
    if ipaddress.ip_address(base) != found.network_address or not length.isdecimal():
        raise ValueError(f"{values.quoted(written)} is not the start of its range; write {found}")
    if problem := _problem_of(found):
        raise ValueError(f"{found} {problem}")
    return found


def _problem_of(found: model.Network) -> str:
    """Return why no router can use a range; nothing if one can."""
    if found.prefixlen < WIDEST:
        return f"is wider than /{WIDEST}; write the range of this cluster"
    if found.is_multicast or found.is_loopback or found.is_link_local:
        return "is not a unicast range that a router can use"
    if isinstance(found, ipaddress.IPv6Network):
        return _in_ipv6_spelling(found) if any(map(found.overlaps, V4_IN_V6)) else ""
    is_usable = found.network_address not in THIS_NETWORK and BROADCAST not in found
    return "" if is_usable else "is not a unicast range that a router can use"


def _in_ipv6_spelling(found: ipaddress.IPv6Network) -> str:
    if found.prefixlen < V4_IN_V6[0].prefixlen:
        return "holds addresses that no router can use; write the range of this cluster"
    base = ipaddress.IPv4Address(int(found.network_address) & 0xFFFF_FFFF)
    length = found.prefixlen - V4_IN_V6[0].prefixlen
    return f"is an IPv4 range in an IPv6 spelling; write {base}/{length}"


def endpoint(value: object) -> tuple[str, int]:
    """Return the host and the port of ``host:port``; an IPv6 host stands in brackets."""
    written = values.text(value, "10.96.0.10:53")
    host, _, port = written.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        found: str | None = str(address(host[1:-1]))
    else:
        found = host if values.DNS_NAME.fullmatch(host) else None
    number = values.whole(port, 0xFFFF)
    if found is None or not number:
        raise ValueError(
            f"{values.quoted(written)} is not host:port; "
            "write for example 10.96.0.10:53 or [fd00::a]:53"
        )
    return found, number


def write_endpoint(value: tuple[str, int]) -> str:
    """Return ``host:port``, with brackets where the host has colons itself."""
    host, port = value
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
