"""What the API server said last, as text to keep beside the last good settings.

The text has the shape of the API's own objects, so that what reads them reads this too: it may
have been cut off by a crash, or written by another version of ours.
"""

from __future__ import annotations

import json
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.core.facts import events, model
from exabgp_k8s.wire import kube, kube_node, kubelet


def dump(node: model.NodeFacts, service_cidrs: tuple[model.Network, ...] | None) -> str:
    """Return what ``load`` reads back; what could not be understood is not kept."""
    ranges = [{"spec": {"cidrs": [str(each) for each in service_cidrs or ()]}}]
    return json.dumps(
        {"node": _node(node), "serviceCIDRs": None if service_cidrs is None else ranges}
    )


def _node(node: model.NodeFacts) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": kubelet.NOT_READY,
        "message": kubelet.SHUTTING_DOWN,
    }
    return {
        "metadata": {
            "name": node.name,
            "uid": node.uid,
            "labels": dict(node.labels),
            "annotations": {**node.annotations, **_override(node)},
            "deletionTimestamp": "set" if node.is_deleting else None,
        },
        "spec": {
            "unschedulable": node.is_unschedulable,
            "taints": [{"key": taint.key, "effect": taint.effect} for taint in node.taints],
            "podCIDRs": [str(each) for each in node.pod_cidrs],
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": str(each)} for each in node.internal_ips
            ],
            "conditions": [condition] if node.is_shutting_down else [],
        },
    }


def _override(node: model.NodeFacts) -> dict[str, str]:
    return {kube_node.ANNOTATION: str(node.override)} if node.override else {}


def load(text: str, node_name: str) -> events.Remembered | None:
    """Return what was kept; None if it is not of this node or cannot be read."""
    try:
        document = json.loads(text)
        items = document["serviceCIDRs"]
        ranges = None if items is None else kube.parse_service_cidrs(items)
        node = kube_node.parse(document["node"])
    except (ValueError, TypeError, KeyError, RecursionError, errors.KubeError):
        return None
    if node.name != node_name or node.problems:
        return None
    return events.Remembered(node=node, service_cidrs=ranges)
