"""Each router as its admin thinks of it: who should be in which ECMP set, and who is not.

A router only sees who is there. Who is *meant* to be there is known to the nodes: every node whose
settings select the peer and announce it the prefix. The difference, with its reason and since
when, is what a router's admin asks for first.

    10.96.0.0/16 at tor-a1: 3 of 5
      n2  cordoned                         2026-11-26T02:31:07Z
      n4  notification 2/2 (bad peer AS)   2026-11-26T02:12:40Z

A prefix that one node alone is meant to announce, such as its pod range, is no set: those are
counted, and only the missing ones are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exabgp_k8s.cluster import glance as glances
from exabgp_k8s.cluster import rows, states
from exabgp_k8s.cluster.glance import Glance
from exabgp_k8s.cluster.speaker import Prefix, Session
from exabgp_k8s.cluster.states import Standing, State

Row = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class _Set:
    """One prefix at one router while it is gathered."""

    prefix_class: str
    has: list[str] = field(default_factory=list)
    missing: list[Row] = field(default_factory=list)

    @property
    def meant(self) -> int:
        return len(self.has) + len(self.missing)


def peers(glance: Glance) -> list[Row]:
    """Return one row for each peer of the settings that a node is meant for.

    Keys: ``peer``, ``addresses``, ``asns``, ``is_well``, ``sessions_up``, ``sessions_of``,
    ``sessions`` (rows as of ``rows.sessions``), ``prefixes`` (the sets: each with ``prefix``,
    ``class``, ``width``, ``healthy``, ``meant``, ``nodes`` and ``missing``), ``own`` (``sent``,
    ``meant`` and ``missing`` of prefixes that one node alone is meant to announce).

    ``width`` counts the nodes that have sent it, ``meant`` those that should in ordinary times,
    ``healthy`` those of them that nothing on the node itself speaks against. Each of ``missing``
    has ``node``, ``prefix``, ``state``, ``reason``, ``since``, ``on_purpose``, and ``is_ill``: the
    node itself speaks against it, and not the way to the router.
    """
    sessions: dict[str, list[Row]] = {}
    for row in rows.sessions(glance):
        sessions.setdefault(row["peer"], []).append(row)
    sets = _sets(glance)
    names = sorted(sessions.keys() | sets.keys(), key=glances.place)
    return [_peer(name, sessions.get(name, []), sets.get(name, {})) for name in names]


def _peer(name: str, sessions: list[Row], sets: Mapping[str, _Set]) -> Row:
    shared = {key: each for key, each in sets.items() if _is_shared(each)}
    own = [each for key, each in sets.items() if key not in shared]
    own_missing = [row for each in own for row in each.missing]
    missing = [row for each in shared.values() for row in each.missing]
    up = sum(each["is_up"] for each in sessions)
    return {
        "peer": name,
        "addresses": _each_once(sessions, "address"),
        "asns": _each_once(sessions, "peer_asn"),
        "is_well": all(each["on_purpose"] for each in (*missing, *own_missing))
        and all(each["is_up"] or not each["is_current"] for each in sessions),
        "sessions_up": up,
        "sessions_of": len(sessions),
        "sessions": sessions,
        "prefixes": [_shown(key, shared[key]) for key in sorted(shared, key=glances.place)],
        "own": {
            "sent": sum(len(each.has) for each in own),
            "meant": sum(each.meant for each in own),
            "missing": own_missing,
        },
    }


def _is_shared(found: _Set) -> bool:
    return found.meant > 1 or found.prefix_class == "services"


def _shown(prefix: str, found: _Set) -> Row:
    ill = sum(each["is_ill"] for each in found.missing)
    return {
        "prefix": prefix,
        "class": found.prefix_class,
        "width": len(found.has),
        "healthy": found.meant - ill,
        "meant": found.meant,
        "nodes": found.has,
        "missing": found.missing,
    }


def _each_once(sessions: Iterable[Row], key: str) -> list[Any]:
    return list(dict.fromkeys(each[key] for each in sessions if each[key] is not None))


def _sets(glance: Glance) -> Mapping[str, Mapping[str, _Set]]:
    """Return the sets by peer and prefix, in the order of the nodes."""
    usual = _usual(glance)
    found: dict[str, dict[str, _Set]] = {}
    for standing in glance.nodes.values():
        if standing.speaker is None or standing.state is State.GONE:
            continue
        is_current = standing.is_current
        sessions = {each.peer: each for each in standing.speaker.sessions}
        for prefix in standing.speaker.prefixes:
            if not prefix.prefix:
                continue
            for peer in _meant_for(sessions, prefix, usual):
                sets = found.setdefault(peer, {})
                if (one := sets.get(prefix.prefix)) is None:
                    one = sets[prefix.prefix] = _Set(prefix_class=prefix.prefix_class)
                if is_current and peer in prefix.sent_to:
                    one.has.append(standing.node)
                else:
                    one.missing.append(_missing(standing, prefix, peer, sessions.get(peer)))
    return found


def _usual(glance: Glance) -> frozenset[tuple[str, str]]:
    """Return which peers some node names for a class."""
    return frozenset(
        (prefix.prefix_class, peer)
        for each in glance.nodes.values()
        for prefix in (each.speaker.prefixes if each.speaker else ())
        for peer in (*prefix.sent_to, *(peer for why in prefix.reasons for peer in why.peers))
    )


def _meant_for(
    sessions: Mapping[str, Session], prefix: Prefix, usual: frozenset[tuple[str, str]]
) -> list[str]:
    """Return the peers that are meant to have a prefix, of which the object has the number.

    Those that have it, or are kept from it, it names. A prefix that all are kept from names none:
    then it is those peers of the node that hear this class from others.
    """
    named = dict.fromkeys(
        (*prefix.sent_to, *(peer for why in prefix.reasons for peer in why.peers))
    )
    lacking = max(prefix.meant - len(named), 0)
    family = "ipv6" if ":" in prefix.prefix else "ipv4"
    left = [each for each in sessions.values() if each.peer not in named]
    # What was negotiated is a hint only: a router may refuse a family that is meant for it.
    left.sort(
        key=lambda each: (
            (prefix.prefix_class, each.peer) not in usual,
            family not in each.families,
        )
    )
    return [*named, *(each.peer for each in left[:lacking])]


def _missing(standing: Standing, prefix: Prefix, peer: str, session: Session | None) -> Row:
    """Return why one node is not in a set: what ails the node comes before what ails the way."""
    state, reason, since = prefix.state, "", prefix.since
    common = [why for why in prefix.reasons if not why.peers]
    own = [why for why in prefix.reasons if peer in why.peers]
    if not standing.is_current:
        state, reason, since = str(standing.state), standing.reason, standing.since
    elif common:
        first = min(common, key=lambda why: why.reason != standing.reason)
        reason, since = first.reason, first.since
    elif session is not None and not session.is_up:
        state = session.state
        reason, since = session.last_error or session.state, session.since
    elif own:
        state, reason, since = "withheld", own[0].reason, own[0].since
    is_on_purpose = states.is_on_purpose(reason)
    if not standing.is_current:
        is_on_purpose = standing.faults[0].is_on_purpose
    return {
        "node": standing.node,
        "prefix": prefix.prefix,
        "state": state,
        "reason": reason or state,
        "since": since,
        "on_purpose": is_on_purpose,
        "is_ill": bool(common) or not standing.is_current,
    }
