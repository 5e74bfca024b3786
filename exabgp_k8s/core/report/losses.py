"""Sessions that were lost, each with a reason that may be a label: one of a few hundred words.

``Session.problem`` has a router's own text in it, and a label that anybody may write into would
make a series of each text. Of a NOTIFICATION the code and subcode stay, as far as they are
assigned; the rest is told apart by whether there was one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.observe import notifications
from exabgp_k8s.core.report import whose

NOTIFICATION = re.compile(r"(notification (?:sent )?)(\d{1,3})/(\d{1,3})\b")
CLOSED, OTHER = "closed without a notification", "other"


def lost(before: World, after: World) -> Iterator[tuple[str, str]]:
    """Yield the peer and the reason of every session that ended between two turns."""
    if before.sessions is after.sessions:
        return
    for address, session in after.sessions.items():
        was = before.sessions.get(address)
        if was is None or not was.is_up or session.is_up:
            continue
        peer = whose.at(after, address)
        yield was.name or (peer.name if peer else str(address)), reason(session.problem)


def reason(problem: str) -> str:
    """Return the part of a problem that can be counted."""
    found = NOTIFICATION.match(problem)
    if found is None:
        return CLOSED if "without a NOTIFICATION" in problem else OTHER
    code, subcode = int(found[2]), int(found[3])
    if (code, subcode) in notifications.NAMES or (code in notifications.CODES and not subcode):
        return f"{found[1]}{code}/{subcode}"
    return f"{found[1]}{code}/other" if code in notifications.CODES else f"{found[1]}other"
