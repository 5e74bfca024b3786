"""What a NOTIFICATION says, in the words of IANA's registry "BGP Error (Notification) Codes"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from exabgp_k8s.core.facts import asns, model

NAMES: Mapping[tuple[int, int], str] = {
    # Message header: RFC 4271 section 6.1.
    (1, 1): "connection not synchronized",
    (1, 2): "bad message length",
    (1, 3): "bad message type",
    # OPEN: RFC 4271 section 6.2, RFC 5492, RFC 9234.
    (2, 1): "unsupported version number",
    (2, 2): "bad peer AS",
    (2, 3): "bad BGP identifier",
    (2, 4): "unsupported optional parameter",
    (2, 5): "authentication failure",
    (2, 6): "unacceptable hold time",
    (2, 7): "unsupported capability",
    (2, 11): "role mismatch",
    # UPDATE: RFC 4271 section 6.3.
    (3, 1): "malformed attribute list",
    (3, 2): "unrecognized well-known attribute",
    (3, 3): "missing well-known attribute",
    (3, 4): "attribute flags error",
    (3, 5): "attribute length error",
    (3, 6): "invalid ORIGIN attribute",
    (3, 7): "AS routing loop",
    (3, 8): "invalid NEXT_HOP attribute",
    (3, 9): "optional attribute error",
    (3, 10): "invalid network field",
    (3, 11): "malformed AS_PATH",
    # Hold timer: it has no subcodes.
    (4, 0): "hold timer expired",
    # Finite state machine: RFC 6608.
    (5, 1): "unexpected message in OpenSent",
    (5, 2): "unexpected message in OpenConfirm",
    (5, 3): "unexpected message in Established",
    # Cease: RFC 4486, RFC 9003, RFC 8538, RFC 9384.
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
    # ROUTE-REFRESH: RFC 7313.
    (7, 1): "invalid ROUTE-REFRESH message length",
}
"""Every subcode that is assigned; 0 stands for none in particular."""

CODES: Mapping[int, str] = {
    1: "message header error",
    2: "OPEN message error",
    3: "UPDATE message error",
    4: "hold timer expired",
    5: "finite state machine error",
    6: "cease",
    7: "ROUTE-REFRESH message error",
    8: "send hold timer expired",
}
"""What an error is about (RFC 4271, 7313, 9687)."""

BAD_PEER_AS = (2, 2)
SENT = re.compile(r"notification sent \((\d+),(\d+)\)(?: peer-as (\d+))?( no-open)?$")
RECEIVED = re.compile(r"notification received \(\d+,\d+\)(?: peer-as (\d+))?$")
NO_OPEN = "the router is connected, but no OPEN of it came"
ONE_SIDED = "without ttlSecurity (GTSM) at the router, its packets are dropped here"
COMMUNICATION = "Shutdown Communication: "
"""How ExaBGP introduces the router admin's own words (RFC 9003)."""


def received(code: int, subcode: int, message: str, neighbor: model.Neighbor | None) -> str:
    """Return what the router said when it closed the session."""
    # With most errors come bytes that are no text, such as the AS number in question.
    said = message.removeprefix(COMMUNICATION) if message.isprintable() else ""
    if (code, subcode) == BAD_PEER_AS and neighbor is not None:
        said = f"the router expects another AS of us than {neighbor.local_asn}"
    return f"notification {code}/{subcode} ({_name(code, subcode)}) {said}".strip()


def named(said: str, neighbor: model.Neighbor | None) -> str:
    """Return what ExaBGP says of a NOTIFICATION that we sent, in words that say something."""
    sent = SENT.match(said)
    if sent is None:
        return said
    code, subcode = int(sent[1]), int(sent[2])
    told = f"notification sent {code}/{subcode} ({_name(code, subcode)})"
    if (code, subcode) == BAD_PEER_AS and sent[3] and neighbor is not None:
        told += f" the router is AS {sent[3]}, and the settings say {_expected(neighbor)}"
    if sent[4]:
        told += f" {NO_OPEN}"
        told += f"; {ONE_SIDED}" if neighbor is not None and neighbor.ttl_security else ""
    return told


def with_router_asn(problem: str, said: str, neighbor: model.Neighbor | None) -> str:
    """Return what the router said of our AS together with its own, if its OPEN had come."""
    found = RECEIVED.match(said)
    if found is None or found[1] is None or neighbor is None or "; its own is " in problem:
        return problem
    doubt = f", not {_expected(neighbor)}"
    if found[1] == str(neighbor.peer_asn) or neighbor.peer_asn == asns.ANY_EXTERNAL:
        doubt = ""
    return f"{problem}; its own is {found[1]}{doubt}"


def _expected(neighbor: model.Neighbor) -> int | str:
    is_any = neighbor.peer_asn == asns.ANY_EXTERNAL
    return f"{asns.Relation.EXTERNAL}, any but ours" if is_any else neighbor.peer_asn


def _name(code: int, subcode: int) -> str:
    return NAMES.get((code, subcode)) or CODES.get(code, "unknown")


TOLD = re.compile(r"notification (sent )?(\d+)/(\d+) \(([^)]*)\) ?(.*)", re.DOTALL)


def read(problem: str) -> Mapping[str, object] | None:
    """Return a NOTIFICATION that was put into words here as a plain row; None: it was none."""
    told = TOLD.match(problem)
    if told is None:
        return None
    return {
        "direction": "sent" if told[1] else "received",
        "code": int(told[2]),
        "subcode": int(told[3]),
        "name": told[4],
        "text": told[5],
    }
