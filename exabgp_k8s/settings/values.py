"""What one value of the settings may be: addresses, prefixes, communities, names.

Every function takes what stood in the YAML document and returns the core's value, or raises
``ValueError`` with what to write instead. Nothing here knows pydantic, or any other value.
"""

from __future__ import annotations

import ipaddress
import re
import string
import urllib.parse

from exabgp_k8s.core import model

COMMUNITIES = {
    # IANA "BGP Well-known Communities"; in numbers because of model.GRACEFUL_SHUTDOWN.
    "graceful-shutdown": model.GRACEFUL_SHUTDOWN,
    "no-export": (65535, 65281),
    "no-advertise": (65535, 65282),
    "no-export-subconfed": (65535, 65283),
    "no-peer": (65535, 65284),
}
RESERVED_ASNS = frozenset({0, 23456, 65535, 4294967295})
"""RFC 7607, RFC 6793 (AS_TRANS) and RFC 7300: never the AS of a speaker."""

WIDEST = 8
"""Prefix length; two halves of the Internet would be a default route in disguise."""

PRINTABLE = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")
NOT_IN_DESCRIPTIONS = frozenset("\"'`;{}\\")
"""What would end the string, or the statement, in exabgp.conf."""

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
DNS_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?", re.ASCII)
LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)


def text(value: object, example: str) -> str:
    """Return a non-empty string."""
    match value:
        case str() if value:
            return value
        case bool() | int() | float():
            raise ValueError(f'text is needed here; put it in quotes, for example "{example}"')
        case _:
            raise ValueError(f"write for example {example}")


def _whole(part: str, maximum: int) -> int | None:
    """Return a plain decimal number up to a maximum; None for anything else."""
    is_number = re.fullmatch(r"0|[1-9][0-9]{0,9}", part, re.ASCII)
    return int(part) if is_number and int(part) <= maximum else None


def asn(value: int) -> int:
    """Return an AS number that a speaker may have."""
    if value in RESERVED_ASNS:
        raise ValueError(f"AS {value} is reserved; write the number of a real or private AS")
    return value


def address(value: object) -> model.Address:
    """Return a unicast address that ExaBGP can connect from or to."""
    written = text(value, "192.0.2.1")
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        hint = "; leave the prefix length out" if "/" in written else ""
        raise ValueError(
            f"{written!r} is not an IPv4 or IPv6 address{hint}; write for example 192.0.2.1"
        ) from None
    if found.is_multicast or found.is_unspecified:
        raise ValueError(f"{found} is not a unicast address; write the one the host has")
    if found.version == 6 and (found.is_link_local or found.scope_id):  # noqa: PLR2004
        raise ValueError(f"{found} is link-local; write a global or unique-local address")
    return found


def router_id(value: object) -> ipaddress.IPv4Address | str:
    """Return ``auto`` or a router id (RFC 6286: any four octets but zero)."""
    if value == "auto":
        return "auto"
    try:
        found = ipaddress.IPv4Address(text(value, "192.0.2.1"))
    except ipaddress.AddressValueError:
        raise ValueError(f"{value!r} is not a router id; write auto or an IPv4 address") from None
    if not int(found):
        raise ValueError("0.0.0.0 is no router id; write auto or an IPv4 address")
    return found


def network(value: object) -> model.Network:
    """Return a prefix that may be announced, or a range that such prefixes may lie in."""
    written = text(value, "10.96.0.0/16")
    base, slash, length = written.partition("/")
    if not slash:
        raise ValueError(f"{written!r} has no length; write for example 10.96.0.0/16")
    try:
        found = ipaddress.ip_network(written, strict=False)
    except ValueError:
        raise ValueError(f"{written!r} is not a prefix; write for example 10.96.0.0/16") from None
    if ipaddress.ip_address(base) != found.network_address or not length.isdecimal():
        raise ValueError(f"{written} is not the start of its range; write {found}")
    if found.prefixlen < WIDEST:
        raise ValueError(f"{found} is wider than /{WIDEST}; write the range of this cluster")
    if found.is_multicast or found.is_loopback or found.is_link_local:
        raise ValueError(f"{found} is not a unicast range that a router can use")
    return found


def community(value: object) -> tuple[int, int]:
    """Return a community (RFC 1997) as its two numbers; well-known names are translated."""
    written = text(value, "64512:10")
    if written in COMMUNITIES:
        return COMMUNITIES[written]
    parts = [_whole(part, 0xFFFF) for part in written.split(":")]
    match parts:
        case [int(high), int(low)]:
            return high, low
        case [_, _, _]:
            raise ValueError(f"{written} has three parts; write it under largeCommunities")
        case _:
            names = ", ".join(COMMUNITIES)
            raise ValueError(
                f"{written!r} is not a community; write two numbers up to 65535, "
                f"for example 64512:10, or one of {names}"
            )


def write_community(value: tuple[int, ...]) -> str:
    """Return a community, large or not, as people write it."""
    return ":".join(str(part) for part in value)


def large_community(value: object) -> tuple[int, int, int]:
    """Return a large community (RFC 8092) as its three numbers."""
    written = text(value, "64512:1:2")
    match [_whole(part, 0xFFFF_FFFF) for part in written.split(":")]:
        case [int(administrator), int(first), int(second)]:
            return administrator, first, second
        case _:
            raise ValueError(
                f"{written!r} is not a large community; write three numbers up to 4294967295, "
                "for example 64512:1:2"
            )


def name(value: object) -> str:
    """Return the name of a peer or a check: a DNS label, fit for metrics and Events."""
    written = text(value, "tor-a1")
    if DNS_LABEL.fullmatch(written):
        return written
    better = re.sub(r"[^a-z0-9]+", "-", written.lower())[:63].strip("-") or "tor-a1"
    raise ValueError(
        f"{written[:80]!r} is not a name: at most 63 lower-case letters, digits and dashes; "
        f"write for example {better}"
    )


def description(value: object) -> str:
    """Return a description that exabgp.conf can carry."""
    if value == "":
        return ""
    written = text(value, "rack a, upper")
    if len(written) > 80:  # noqa: PLR2004 - the limit is in the message
        raise ValueError(f"{len(written)} characters are too many; write at most 80")
    bad = sorted({char for char in written if char not in PRINTABLE - NOT_IN_DESCRIPTIONS})
    if bad:
        listed = " ".join(repr(char) for char in bad[:8])
        raise ValueError(
            f"leave out {listed}; letters, digits and plain punctuation are allowed, "
            "but no quotes, backslashes, semicolons or braces"
        )
    return written


def secret_key(value: object) -> str:
    """Return a key of a Secret, which is also a file name (Kubernetes, Secret ``data``)."""
    written = text(value, "tor-a1")
    is_key = re.fullmatch(r"[-._A-Za-z0-9]{1,253}", written, re.ASCII)
    if not is_key or written.startswith(".."):
        raise ValueError(
            f"{written[:80]!r} is not a key of a Secret; write letters, digits, '-', '_' and '.'"
        )
    return written


def label_key(value: object) -> str:
    """Return a label or taint key: an optional DNS prefix, a slash, a name."""
    written = text(value, "topology.kubernetes.io/rack")
    prefix, slash, last = written.rpartition("/")
    is_prefix = bool(DNS_NAME.fullmatch(prefix)) if slash else True
    if not is_prefix or not LABEL_NAME.fullmatch(last):
        raise ValueError(
            f"{written[:80]!r} is not a label key; write for example rack or "
            "topology.kubernetes.io/rack"
        )
    return written


def label_value(value: object) -> str:
    """Return a label value; the empty one is a value too."""
    if value == "":
        return ""
    written = text(value, "a")
    if not LABEL_NAME.fullmatch(written):
        raise ValueError(f"{written[:80]!r} is not a label value; write for example a or rack-a")
    return written


def taint(value: object) -> model.Taint:
    """Return the taint that ``key`` or ``key:effect`` means."""
    key, colon, effect = text(value, "example.com/maintenance:NoExecute").partition(":")
    if colon and effect not in TAINT_EFFECTS:
        listed = ", ".join(TAINT_EFFECTS)
        raise ValueError(f"{effect!r} is not a taint effect; write one of {listed}, or only {key}")
    return model.Taint(key=label_key(key), effect=effect)


def write_taint(value: model.Taint) -> str:
    """Return a taint as ``key`` or ``key:effect``."""
    return f"{value.key}:{value.effect}" if value.effect else value.key


def url(value: object) -> str:
    """Return an http or https URL without credentials: it is shown in status and logs."""
    written = text(value, "http://127.0.0.1:10256/healthz")
    # First of all, because the other message repeats what was written.
    if "@" in written:
        raise ValueError("leave user and password out of the URL: it is shown in status and logs")
    try:
        parts = urllib.parse.urlsplit(written)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or set(written) - (PRINTABLE - {" "}):
        raise ValueError(
            f"{written[:80]!r} is not an http or https URL; "
            "write for example http://127.0.0.1:10256/healthz"
        )
    return written


def endpoint(value: object) -> tuple[str, int]:
    """Return the host and the port of ``host:port``; an IPv6 host stands in brackets."""
    written = text(value, "10.96.0.10:53")
    host, _, port = written.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        found: str | None = str(address(host[1:-1]))
    else:
        found = host if DNS_NAME.fullmatch(host) else None
    number = _whole(port, 0xFFFF)
    if found is None or not number:
        raise ValueError(
            f"{written[:80]!r} is not host:port; write for example 10.96.0.10:53 or [fd00::a]:53"
        )
    return found, number


def write_endpoint(value: tuple[str, int]) -> str:
    """Return ``host:port``, with brackets where the host has colons itself."""
    host, port = value
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dns_name(value: object) -> str:
    """Return a domain name to look up."""
    written = text(value, "kubernetes.default.svc.cluster.local")
    if not DNS_NAME.fullmatch(written) or ".." in written:
        raise ValueError(
            f"{written[:80]!r} is not a domain name; "
            "write for example kubernetes.default.svc.cluster.local"
        )
    return written


def interface(value: object) -> str:
    """Return the name of a network interface: IFNAMSIZ leaves 15 characters."""
    written = text(value, "eth0")
    if not re.fullmatch(r"[!-~]{1,15}", written, re.ASCII) or set(written) & set("/:"):
        raise ValueError(f"{written[:80]!r} is not an interface name; write for example eth0")
    return written


def argument(value: object) -> str:
    """Return one argument of a command; the kernel ends it at the first NUL."""
    if value == "":
        return ""
    written = text(value, "/usr/local/bin/check")
    if "\0" in written:
        raise ValueError("a NUL character cannot be part of an argument")
    return written


def process(value: object) -> str:
    """Return the name of a process as ``ps -o comm`` shows it."""
    return argument(text(value, "kube-proxy"))
