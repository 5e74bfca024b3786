"""Nodes, sessions and routes of the whole cluster as plain rows.

The same rows feed ``exabgp-k8s cluster``, the looking glass and the metrics. Values are JSON's own
types. A moment (``since``) is text in UTC and the very one that stands in the BGPSpeaker; where
nobody published one it is None. Words of states and reasons are the nodes' own, too.

Where the node is not ready, or its agent silent, nobody knows what is so now: ``is_current`` is
False then, and what counts as up, announced or sent is as if it were not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from exabgp_k8s.cluster import speaker, states
from exabgp_k8s.cluster.glance import Glance
from exabgp_k8s.cluster.states import Standing

Row = Mapping[str, Any]

UNKNOWN = "unknown"
"""The state of what a node that is not heard of said last."""


def nodes(glance: Glance) -> list[Row]:
    """Return one row for each node.

    Keys: ``node``, ``state`` (a word of ``states.State``), ``reason`` and ``since`` (the foremost
    one; None where all is well), ``is_well``, ``is_current``, ``sessions`` (``1/2``),
    ``sessions_up``, ``sessions_of``, ``services``, ``pods``, ``phase``, ``ready``, ``cordoned``,
    ``last_contact``, ``stale_settings``, ``settings_problems``, ``settings_digest``, ``version``,
    ``labels``, ``conditions``, and ``faults``: one for each thing that is not as usual, see
    ``fault``.
    """
    return [node(each) for each in glance.nodes.values()]


def node(standing: Standing) -> Row:
    """Return the row of one node."""
    member, said = standing.member, standing.speaker
    return {
        "node": standing.node,
        "state": str(standing.state),
        "reason": standing.reason or None,
        "since": standing.since,
        "is_well": standing.is_well,
        "is_current": standing.is_current,
        **_summary(standing),
        "phase": said.phase if said else None,
        "ready": member.ready if member else None,
        "cordoned": member.is_cordoned if member else None,
        "last_contact": said.last_contact if said else None,
        "stale_settings": said.is_stale if said else None,
        "settings_problems": list(said.problems) if said else [],
        "settings_digest": said.digest if said else None,
        "version": said.version if said else None,
        "labels": dict(member.labels) if member else {},
        "conditions": [dataclasses.asdict(each) for each in said.conditions] if said else [],
        "faults": [fault(each) for each in standing.faults],
    }


def _summary(standing: Standing) -> Row:
    """Return the node's own numbers and words, which are not known of one that is silent."""
    said = standing.speaker
    if said is None or not standing.is_current:
        of = said.sessions_of if said else 0
        words: Row = dict.fromkeys(speaker.CLASSES, UNKNOWN)
        return {"sessions": f"?/{of}", "sessions_up": 0, "sessions_of": of, **words}
    up, of = said.sessions_up, said.sessions_of
    return {"sessions": f"{up}/{of}", "sessions_up": up, "sessions_of": of, **said.classes}


def fault(found: states.Fault) -> Row:
    """Return one thing that is not as usual: what, why, since when, and what to do.

    Keys: ``about`` (``node``, ``session PEER``, ``prefixes`` or ``settings``), ``reason``,
    ``since``, ``text``, ``do``, ``on_purpose``, ``prefixes``, ``peers``.
    """
    return {
        "about": found.about,
        "reason": found.reason,
        "since": found.since,
        "text": found.text,
        "do": found.do,
        "on_purpose": found.is_on_purpose,
        "prefixes": list(found.prefixes),
        "peers": list(found.peers),
    }


def sessions(glance: Glance) -> list[Row]:
    """Return one row for each session of each node.

    Keys: ``node``, ``peer``, ``address``, ``local_address``, ``local_asn``, ``peer_asn``,
    ``state``, ``is_up``, ``is_current``, ``since``, ``last_error``, ``families``,
    ``graceful_restart``, ``prefixes_sent``, ``bfd``, ``do`` (None where it is up).
    """
    return [row for each in glance.nodes.values() for row in of_node(each)]


def of_node(standing: Standing) -> Iterator[Row]:
    """Yield the sessions of one node."""
    faults = {each.about: each for each in standing.faults}
    for each in standing.speaker.sessions if standing.speaker else ():
        down = faults.get(f"session {each.peer}")
        yield {
            "node": standing.node,
            "peer": each.peer,
            "address": each.address or None,
            "local_address": each.local_address or None,
            "local_asn": each.local_asn,
            "peer_asn": each.peer_asn,
            "state": each.state if standing.is_current else f"{UNKNOWN}, was {each.state}",
            "is_up": each.is_up and standing.is_current,
            "is_current": standing.is_current,
            "since": each.since,
            "last_error": each.last_error or None,
            "families": list(each.families),
            "graceful_restart": each.is_restartable,
            "prefixes_sent": each.prefixes_sent,
            "bfd": each.bfd or None,
            "do": down.do if down else None,
        }


def routes(glance: Glance) -> list[Row]:
    """Return one row for each prefix of each node.

    Keys: ``prefix`` (None where there is none to name yet), ``class``, ``node``, ``state``,
    ``sent``, ``meant``, ``sent_to``, ``since``, ``is_current``, ``is_well`` (all routers have
    it, or it is withheld on purpose), and ``reasons``: each with ``reason``, ``since`` and
    ``peers`` (empty: it keeps the prefix from all).
    """
    return [row for each in glance.nodes.values() for row in prefixes(each)]


def prefixes(standing: Standing) -> Iterator[Row]:
    """Yield the prefixes of one node."""
    is_current = standing.is_current
    for each in standing.speaker.prefixes if standing.speaker else ():
        yield {
            "prefix": each.prefix or None,
            "class": each.prefix_class,
            "node": standing.node,
            "state": each.state if is_current else f"{UNKNOWN}, was {each.state}",
            "sent": each.sent if is_current else 0,
            "meant": each.meant,
            "sent_to": list(each.sent_to) if is_current else [],
            "since": each.since,
            "is_current": is_current,
            "is_well": is_current and _is_well(each),
            "reasons": [
                {"reason": why.reason, "since": why.since, "peers": list(why.peers)}
                for why in each.reasons
            ],
        }


def _is_well(prefix: speaker.Prefix) -> bool:
    """Return whether every router meant has it, or somebody keeps it back on purpose."""
    if prefix.sent:
        return prefix.sent >= prefix.meant
    return any(states.is_on_purpose(each.reason) for each in prefix.reasons if not each.peers)
