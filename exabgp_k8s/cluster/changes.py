"""What has changed between two looks at the cluster: one row for each node, with the cause.

Nobody publishes a history: an object says how things are, and what it said before is gone. So
whoever watches tells the difference when it is seen. The moment is the node's own where it has
given one, and otherwise that of the look.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from exabgp_k8s.cluster.glance import Glance
from exabgp_k8s.cluster.speaker import Speaker
from exabgp_k8s.cluster.states import Standing

Row = Mapping[str, Any]

ABSENT = "absent"
"""The state of a node that there is not, before it comes or after it has gone."""


def between(before: Glance, after: Glance) -> list[Row]:
    """Return what has become of the nodes, in the order of their names.

    Keys: ``at``, ``node``, ``before`` and ``after`` (words of ``states.State``, or ``absent``),
    ``reason`` and ``since`` (the foremost one; None: there is none), ``is_well``, ``details``
    (one sentence for each session, prefix and edit that changed) and ``text`` (all in one).
    """
    seen = dt.datetime.fromtimestamp(int(after.at), tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = dict.fromkeys((*after.nodes, *before.nodes))
    found = (_of(name, before.nodes.get(name), after.nodes.get(name), seen) for name in names)
    return [each for each in found if each is not None]


def _of(name: str, was: Standing | None, now: Standing | None, seen: str) -> Row | None:
    details = list(_details(was.speaker, now.speaker)) if was and now else []
    words = (_word(was), _word(now))
    reasons = (was.reason if was else "", now.reason if now else "")
    if words[0] == words[1] and reasons[0] == reasons[1] and not details:
        return None
    # A state that has just begun did so when the node says; one that has ended did so by now.
    is_new = now is not None and now.since is not None and (was is None or was.since != now.since)
    row = {
        "at": now.since if is_new and now is not None and now.since else seen,
        "node": name,
        "before": words[0],
        "after": words[1],
        "reason": reasons[1] or None,
        "since": now.since if now else None,
        "is_well": now is None or now.is_well,
        "details": details,
    }
    return {**row, "text": _text(row)}


def _word(standing: Standing | None) -> str:
    return ABSENT if standing is None else str(standing.state)


def _text(row: Row) -> str:
    moved = row["after"] if row["before"] == row["after"] else f"{row['before']} → {row['after']}"
    because = f"; {row['reason']}" if row["reason"] else ""
    return f"{row['node']}: {moved}{because}"


def _details(was: Speaker | None, now: Speaker | None) -> Iterator[str]:
    yield from _sessions(was, now)
    yield from _prefixes(was, now)
    if was and now and was.is_stale != now.is_stale:
        yield "edited settings refused" if now.is_stale else "the settings are in force again"
    elif was and now and was.digest != now.digest:
        yield "other settings are in force"


def _sessions(was: Speaker | None, now: Speaker | None) -> Iterator[str]:
    before = {each.peer: each for each in was.sessions} if was else {}
    after = {each.peer: each for each in now.sessions} if now else {}
    for peer in dict.fromkeys((*before, *after)):
        old, new = before.get(peer), after.get(peer)
        words = old.state if old else ABSENT, new.state if new else ABSENT
        # One that is down is dialled again and again, and goes through all states each time.
        is_news = old is None or new is None or old.is_up != new.is_up
        if is_news:
            error = f"; {new.last_error}" if new and not new.is_up and new.last_error else ""
            yield f"session {peer}: {words[0]} → {words[1]}{error}"


def _prefixes(was: Speaker | None, now: Speaker | None) -> Iterator[str]:
    before = {each.prefix: each for each in was.prefixes} if was else {}
    after = {each.prefix: each for each in now.prefixes} if now else {}
    for prefix in dict.fromkeys((*before, *after)):
        old, new = before.get(prefix), after.get(prefix)
        words = old.state if old else ABSENT, new.state if new else ABSENT
        counts = old.sent if old else 0, new.sent if new else 0
        if words[0] != words[1]:
            yield f"{prefix or 'a prefix'}: {words[0]} → {words[1]}"
        elif new is not None and counts[0] != counts[1]:
            yield f"{prefix}: sent to {counts[1]} of {new.meant}, was {counts[0]}"
