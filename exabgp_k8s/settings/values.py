"""What one value of the settings may be: addresses, prefixes, communities, names.

Every function takes what stood in the YAML document and returns the core's value, or raises
``ValueError`` with what to write instead. Nothing here knows pydantic, or any other value.
"""

from __future__ import annotations

import re
import string
import urllib.parse

from exabgp_k8s.core.facts import extended, model, printable

COMMUNITIES = {
    # IANA "BGP Well-known Communities", those that an RFC defines: 1997, 3765, 7611, 7999, 8326,
    # 9026 and 9494. In numbers because of model.GRACEFUL_SHUTDOWN.
    "no-export": (65535, 65281),
    "no-advertise": (65535, 65282),
    "no-export-subconfed": (65535, 65283),
    "no-peer": (65535, 65284),
    "blackhole": (65535, 666),
    "graceful-shutdown": model.GRACEFUL_SHUTDOWN,
    "accept-own": (65535, 1),
    "llgr-stale": (65535, 6),
    "no-llgr": (65535, 7),
    "standby-pe": (65535, 9),
}
PRINTABLE = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")
NOT_IN_DESCRIPTIONS = frozenset("\"'`;{}\\")
"""What would end the string, or the statement, in exabgp.conf."""

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
DNS_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?", re.ASCII)
LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)


quoted = printable.quoted


def text(value: object, example: str) -> str:
    """Return a non-empty string."""
    match value:
        case str() if value:
            return value
        case bool() | int() | float():
            raise ValueError(f'text is needed here; put it in quotes, for example "{example}"')
        case _:
            raise ValueError(f"write for example {example}")


def whole(part: str, maximum: int) -> int | None:
    """Return a plain decimal number up to a maximum; None for anything else."""
    is_number = re.fullmatch(r"0|[1-9][0-9]{0,9}", part, re.ASCII)
    return int(part) if is_number and int(part) <= maximum else None


def community(value: object) -> tuple[int, int]:
    """Return a community (RFC 1997) as its two numbers; well-known names are translated."""
    written = text(value, "64512:10")
    if written in COMMUNITIES:
        return COMMUNITIES[written]
    if (usual := written.lower().replace("_", "-")) in COMMUNITIES:
        raise ValueError(f"write {usual}")
    parts = [whole(part, 0xFFFF) for part in written.split(":")]
    match parts:
        case [int(high), int(low)]:
            return high, low
        case [_, _, _]:
            raise ValueError(f"{quoted(written)} has three parts; write it under largeCommunities")
        case _:
            names = ", ".join(COMMUNITIES)
            raise ValueError(
                f"{quoted(written)} is not a community; write two numbers up to 65535, "
                f"for example 64512:10, or one of {names}"
            )


def extended_community(value: object) -> int:
    """Return an extended community (RFC 4360) as the eight bytes it is."""
    written = text(value, "target:64512:1")
    found = extended.read(written)
    if found is not None:
        return found
    hint = ""
    for kind, usual in {"rt": "target", "ro": "origin", "soo": "origin"}.items():
        if written.lower().startswith(f"{kind}:"):
            hint = f"write {usual} instead of {kind}; "
    raise ValueError(
        f"{quoted(written)} is not an extended community; {hint}"
        "write target or origin, an AS number and a number, for example target:64512:1, or "
        "target:192.0.2.1:1. The last number is at most 65535, or 4294967295 where the AS is at "
        "most 65535"
    )


def write_community(value: tuple[int, ...]) -> str:
    """Return a community, large or not, as people write it."""
    return ":".join(str(part) for part in value)


def large_community(value: object) -> tuple[int, int, int]:
    """Return a large community (RFC 8092) as its three numbers."""
    written = text(value, "64512:1:2")
    match [whole(part, 0xFFFF_FFFF) for part in written.split(":")]:
        case [int(administrator), int(first), int(second)]:
            return administrator, first, second
        case _:
            raise ValueError(
                f"{quoted(written)} is not a large community; "
                "write three numbers up to 4294967295, for example 64512:1:2"
            )


def name(value: object) -> str:
    """Return the name of a peer or a check: a DNS label, fit for metrics and Events."""
    written = text(value, "tor-a1")
    if DNS_LABEL.fullmatch(written):
        return written
    better = re.sub(r"[^a-z0-9]+", "-", written.lower())[:63].strip("-") or "tor-a1"
    raise ValueError(
        f"{quoted(written)} is not a name: at most 63 lower-case letters, digits and dashes; "
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
            f"{quoted(written)} is not a key of a Secret; write letters, digits, '-', '_' and '.'"
        )
    return written


def label_key(value: object) -> str:
    """Return a label or taint key: an optional DNS prefix, a slash, a name."""
    written = text(value, "topology.kubernetes.io/rack")
    prefix, slash, last = written.rpartition("/")
    is_prefix = bool(DNS_NAME.fullmatch(prefix)) if slash else True
    if not is_prefix or not LABEL_NAME.fullmatch(last):
        raise ValueError(
            f"{quoted(written)} is not a label key; write for example rack or "
            "topology.kubernetes.io/rack"
        )
    return written


def label_value(value: object) -> str:
    """Return a label value; the empty one is a value too."""
    if value == "":
        return ""
    written = text(value, "a")
    if not LABEL_NAME.fullmatch(written):
        raise ValueError(f"{quoted(written)} is not a label value; write for example a or rack-a")
    return written


def taint(value: object) -> model.Taint:
    """Return the taint that ``key`` or ``key:effect`` means."""
    key, colon, effect = text(value, "example.com/maintenance:NoExecute").partition(":")
    if colon and effect not in TAINT_EFFECTS:
        listed = ", ".join(TAINT_EFFECTS)
        raise ValueError(
            f"{quoted(effect)} is not a taint effect; write one of {listed}, or the key alone"
        )
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
            f"{quoted(written)} is not an http or https URL; "
            "write for example http://127.0.0.1:10256/healthz"
        )
    return written


def dns_name(value: object) -> str:
    """Return a domain name to look up."""
    written = text(value, "kubernetes.default.svc.cluster.local")
    if not DNS_NAME.fullmatch(written) or ".." in written:
        raise ValueError(
            f"{quoted(written)} is not a domain name; "
            "write for example kubernetes.default.svc.cluster.local"
        )
    return written


def interface(value: object) -> str:
    """Return the name of a network interface: IFNAMSIZ leaves 15 characters."""
    written = text(value, "eth0")
    if not re.fullmatch(r"[!-~]{1,15}", written, re.ASCII) or set(written) & set("/:"):
        raise ValueError(f"{quoted(written)} is not an interface name; write for example eth0")
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
