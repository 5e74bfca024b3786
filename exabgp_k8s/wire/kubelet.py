"""What kubelet writes into its Node's Ready condition when the machine shuts down.

There is no field for it, only a text among others: the condition's message lists whatever keeps
the node from being ready, and some of that comes from elsewhere. A container runtime, a network
plugin, a monitor that writes conditions may say of anything that it is "shutting down". A node is
taken out for good by this, so only kubelet's own words count, whole:

    node is shutting down
    [container runtime is down, node is shutting down]
    [..., node is shutting down, missing node capacity for resources: cpu]. WARNING: ...

Kubernetes 1.20 to 1.36 write them so: one error as it is, several in brackets with ", " between
them (``ShutdownStatus`` in pkg/kubelet/nodeshutdown, ``ReadyCondition`` in
pkg/kubelet/nodestatus/setters.go, ``Aggregate.Error`` in apimachinery's pkg/util/errors).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_READY = "KubeletNotReady"
"""The condition's reason when kubelet wrote it, and not the controller that misses a kubelet."""

SHUTTING_DOWN = "node is shutting down"

_WARNING = ". WARNING: "
"""What follows is about the container manager, whether the node is ready or not."""


def is_shutting_down(condition: Mapping[str, Any]) -> bool:
    """Return whether a condition says that kubelet's graceful node shutdown runs."""
    match condition:
        case {"type": "Ready", "status": "False", "reason": str(reason), "message": str(message)}:
            return reason == NOT_READY and SHUTTING_DOWN in _errors(message)
        case _:
            return False


def _errors(message: str) -> list[str]:
    said = message.partition(_WARNING)[0]
    is_list = said.startswith("[") and said.endswith("]")
    return said[1:-1].split(", ") if is_list else [said]
