"""What a NOTIFICATION says, in the words of RFC 4271 section 4.5, 4486, 8538 and 9384."""

from __future__ import annotations

import re

NAMES = {
    (2, 1): "unsupported version",
    (2, 2): "bad peer AS",
    (2, 3): "bad BGP identifier",
    (2, 4): "unsupported optional parameter",
    (2, 6): "unacceptable hold time",
    (2, 7): "unsupported capability",
    (4, 0): "hold timer expired",
    (6, 1): "maximum number of prefixes reached",
    (6, 2): "administrative shutdown",
    (6, 3): "peer de-configured",
    (6, 4): "administrative reset",
    (6, 5): "connection rejected",
    (6, 6): "other configuration change",
    (6, 7): "connection collision resolution",
    (6, 8): "out of resources",
    (6, 9): "hard reset",
    (6, 10): "BFD down",
}
"""Subcodes that an admin can do something about."""

CODES = {
    1: "message header",
    2: "OPEN",
    3: "UPDATE",
    4: "hold timer",
    5: "state machine",
    6: "cease",
}
"""What the other errors are about."""

CLOSING = "closing connection"
"""All that ExaBGP says when there is no connection, or no longer one."""
SENT = re.compile(r"notification sent \((\d+),(\d+)\)$")
COMMUNICATION = "Shutdown Communication: "
"""How ExaBGP introduces the router admin's own words (RFC 9003)."""


def received(code: int, subcode: int, message: str) -> str:
    """Return what the router said when it closed the session."""
    # With most errors come bytes that are no text, such as the AS number in question.
    said = message.removeprefix(COMMUNICATION) if message.isprintable() else ""
    return f"notification {code}/{subcode} ({_name(code, subcode)}) {said}".strip()


def named(problem: str) -> str:
    """Return what ExaBGP says of a session that ended, in words that say something."""
    if problem == CLOSING:
        return "no connection, or it was lost"
    sent = SENT.match(problem)
    if sent is None:
        return problem
    code, subcode = int(sent[1]), int(sent[2])
    return f"notification sent {code}/{subcode} ({_name(code, subcode)})"


def _name(code: int, subcode: int) -> str:
    return NAMES.get((code, subcode)) or CODES.get(code, "unknown")
