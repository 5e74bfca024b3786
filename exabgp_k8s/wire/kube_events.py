"""A notice as the Event object of core/v1, in the form that every tool reads.

The newer form (events.k8s.io) is stricter and shown by fewer tools. An Event about a Node, which
is in no namespace, has to be in ``default``. A repetition is a merge patch of count and time.

Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.report.notice import Notice

COLLECTION = "/api/v1/namespaces/default/events"

COMPONENT = "exabgp-k8s"
"""What ``kubectl describe`` shows under From."""

LONGEST_MESSAGE = 1000
"""Characters; the newer API refuses more than 1024 bytes, and nobody reads more in a table."""

LONGEST_NAME = 236
"""Characters of a Node's name in the name of an Event, which has 253 at most."""


def event(notice: Notice, node: model.NodeFacts, at: float, number: int) -> Mapping[str, Any]:
    """Return a new Event.

    Args:
        notice: what happened.
        node: to which Node; kubectl finds Events by its uid, or by its name in place of one.
        at: when, in seconds since 1970.
        number: makes the name unique, for example the nanoseconds since 1970.
    """
    when = _time(at)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{node.name[:LONGEST_NAME].rstrip('-.')}.{number:016x}",
            "namespace": "default",
        },
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Node",
            "name": node.name,
            "uid": node.uid or node.name,
        },
        "type": str(notice.kind),
        "reason": str(notice.word),
        "message": _message(notice.message),
        "source": {"component": COMPONENT, "host": node.name},
        "reportingComponent": COMPONENT,
        "reportingInstance": node.name,
        "firstTimestamp": when,
        "lastTimestamp": when,
        "count": 1,
    }


def repetition(count: int, at: float) -> Mapping[str, Any]:
    """Return the merge patch that says that an Event happened again."""
    return {"count": count, "lastTimestamp": _time(at)}


def _time(at: float) -> str:
    moment = dt.datetime.fromtimestamp(at, tz=dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _message(text: str) -> str:
    """Return one printable line: a part of it may be the words of a router or of a file."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"
