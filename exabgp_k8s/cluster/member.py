"""One Node object as far as it matters here: is it there, is it ready, is it cordoned.

A node that died can no longer say so itself. Its kubelet's Lease does, by not being renewed, and
the control plane then sets the condition ``Ready`` to Unknown: that is taken from here, so that a
dead node looks healthy for no longer than it does to the rest of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exabgp_k8s.cluster import reading

READY, NOT_READY, UNKNOWN = "True", "False", "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One Node of the cluster."""

    name: str
    labels: Mapping[str, str]
    ready: str
    """``True``, ``False`` or ``Unknown``, as the condition has it; without one it is not known."""
    ready_reason: str
    ready_since: str | None
    is_cordoned: bool
    created: str | None

    @property
    def is_ready(self) -> bool:
        """Whether kubelet says that the node works."""
        return self.ready == READY


def parse(document: object) -> Member | None:
    """Read a Node; None for what has no name."""
    found = reading.mapping(document)
    metadata = reading.mapping(found.get("metadata"))
    name = reading.text(metadata.get("name"), reading.LONGEST_NAME)
    if not name:
        return None
    conditions = reading.objects(reading.mapping(found.get("status")).get("conditions"))
    ready = next((each for each in conditions if each.get("type") == "Ready"), {})
    status = reading.text(ready.get("status"))
    return Member(
        name=name,
        labels=reading.labels(metadata.get("labels")),
        ready=status if status in (READY, NOT_READY) else UNKNOWN,
        ready_reason=reading.text(ready.get("reason")),
        ready_since=reading.moment(ready.get("lastTransitionTime")),
        is_cordoned=reading.flag(reading.mapping(found.get("spec")).get("unschedulable")),
        created=reading.moment(metadata.get("creationTimestamp")),
    )
