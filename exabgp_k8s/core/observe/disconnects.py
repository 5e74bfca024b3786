"""Why a session is down, in words that differ where the causes differ.

"No connection" sends an admin to the wrong end as often as to the right one: a refusal is about
the router's daemon, silence about a firewall or a password, a missing route about this host. What
the launcher of ExaBGP tells, ``lost CAUSE in STATE``, becomes a sentence here, and what it tells
of a NOTIFICATION goes to ``notifications``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.observe import notifications

LOST = re.compile(r"lost (\w+) in (\w+)(?: \[md5 ([\w ]+)\])?$")
"""What the launcher says of an attempt or a session that ended without a NOTIFICATION."""

CONNECTING = "IDLE"
"""The state in which ExaBGP connects."""

NO_CONNECTION: Mapping[str, str] = {
    "ECONNREFUSED": "connection refused: the router is there, but nothing listens "
    "for us at {peer} port {port}, or a firewall rejects it",
    "ETIMEDOUT": "no answer from {peer}: a firewall drops our packets, the router is away, {key}",
    "EHOSTUNREACH": "no route: {peer} is unreachable, because nobody has that address on this "
    "link or a router on the way says so",
    "ENETUNREACH": "no route: this host has none to {peer}",
    "EADDRNOTAVAIL": "our own address {local} is not on this host",
    "ECONNRESET": "connection reset by {peer} while connecting",
    "EACCES": "a firewall of this host forbids the connection to {peer}",
    "EPERM": "a firewall of this host forbids the connection to {peer}",
}
"""By the error of an attempt (connect(2), bind(2)); "no answer" also says what it may mean."""

KEY_DIFFERS = "or its TCP MD5 password is another one or none"
KEY_WANTED = "or it expects a TCP MD5 password"

MD5: Mapping[str, str] = {
    "TCPMD5NotFound": "packets without a TCP MD5 signature",
    "TCPMD5Unexpected": "packets with a TCP MD5 signature that nobody here expects",
    "TCPMD5Failure": "packets with a wrong TCP MD5 signature",
}
"""What the kernel dropped meanwhile; it does not say whose they were."""

WHEN: Mapping[str, str] = {
    "CONNECT": "before its OPEN; it may not know {local} as a neighbor",
    "OPENSENT": "before its OPEN; it may not know {local} as a neighbor",
    "OPENCONFIRM": "after its OPEN, without a NOTIFICATION",
    "ESTABLISHED": "without a NOTIFICATION; its daemon was stopped, killed or crashed",
}
INSIDE = "ExaBGP met an error of its own; its log has more"
"""All that can be said of an end without a reason."""
RESETS = frozenset({"ECONNRESET", "EPIPE"})


def named(said: str, neighbor: model.Neighbor | None) -> str:
    """Return what ExaBGP says of an attempt or a session that ended, in words.

    Args:
        said: the reason as the launcher tells it.
        neighbor: how the session is configured; None where it is not any more.
    """
    lost = LOST.match(said)
    if lost is None:
        return notifications.named(said, neighbor) or INSIDE
    cause, state, dropped = lost[1], lost[2], lost[3] or ""
    words = _attempt(cause) if state == CONNECTING else _session(cause, state)
    told = words.format(
        peer=neighbor.address if neighbor else "the router",
        port=neighbor.port if neighbor else 179,
        local=neighbor.local_address if neighbor else "this node",
        key=KEY_DIFFERS if neighbor and neighbor.password else KEY_WANTED,
    )
    seen = [MD5[name] for name in dropped.split() if name in MD5]
    return f"{told} (meanwhile the kernel dropped {', '.join(seen)})" if seen else told


def is_attempt(said: str) -> bool:
    """Return whether this is about an attempt in vain, and not about a session or its OPEN."""
    lost = LOST.match(said)
    return lost is not None and lost[2] != "ESTABLISHED"


def _attempt(cause: str) -> str:
    return NO_CONNECTION.get(cause, f"connecting to {{peer}} failed: {cause}")


def _session(cause: str, state: str) -> str:
    if cause == "ETIMEDOUT":
        return "connection timed out: {peer} does not acknowledge what we send"
    if cause in {"EHOSTUNREACH", "ENETUNREACH"}:
        return "no route any more to {peer}, over which the session was"
    verb = "reset" if cause in RESETS else "closed" if cause == "FIN" else f"lost ({cause})"
    return f"{verb} by the router {WHEN.get(state, '')}".strip()
