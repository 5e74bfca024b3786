"""Why one node announces a prefix or not, with all that is known of it, and what to do."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from exabgp_k8s.cluster import rows
from exabgp_k8s.cluster.states import Standing
from exabgp_k8s.core.facts import model

Row = Mapping[str, Any]


def row(standing: Standing, inside: model.Network | None = None) -> Row:
    """Return one node with its faults, its prefixes and its sessions.

    Args:
        standing: the node.
        inside: only the prefixes that cover this one, such as an address; None: all of them.

    Keys: those of ``rows.nodes``, and ``prefixes`` (as ``rows.routes``), ``session_rows`` (as
    ``rows.sessions``).
    """
    prefixes = [each for each in rows.prefixes(standing) if covers(each["prefix"], inside)]
    named = {each["prefix"] or each["class"] for each in prefixes}
    found = rows.node(standing)
    return {
        **found,
        "faults": [each for each in found["faults"] if inside is None or _is_about(each, named)],
        "prefixes": prefixes,
        "session_rows": list(rows.of_node(standing)),
    }


def _is_about(fault: Row, prefixes: set[str]) -> bool:
    """Return whether a fault concerns one of some prefixes; one of the node concerns all."""
    return not fault["prefixes"] or not prefixes.isdisjoint(fault["prefixes"])


def covers(prefix: str | None, inside: model.Network | None) -> bool:
    """Return whether a prefix is asked for; all are where none is named."""
    if inside is None:
        return True
    try:
        return prefix is not None and model.is_inside(inside, ipaddress.ip_network(prefix))
    except ValueError:
        return False
