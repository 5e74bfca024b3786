"""Our own Pod and its DaemonSet: does a successor come?

Kubernetes does not tell a container why it is stopped. What tells is in the objects: a Pod that
its DaemonSet replaces is marked deleted before the signal comes, and the DaemonSet is still there
and still means this node. A machine that goes down, kubelet's graceful node shutdown and a
container restarted in place mark nothing. So whatever cannot be read, or is not as expected, says
that nobody comes.

Sources: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination and
https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exabgp_k8s import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The controller of an object; empty: it has none that is a DaemonSet."""

    name: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What we use of our own Pod."""

    is_deleted: bool
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSet:
    """What we use of the DaemonSet that owns it."""

    uid: str
    is_deleted: bool
    node_selector: Mapping[str, str]
    """Labels that a node must have for a pod of it."""


def parse_pod(body: bytes) -> Pod:
    """Read a Pod.

    Raises:
        errors.KubeError: it is none.
    """
    metadata = _metadata(_document(body))
    owners = metadata.get("ownerReferences")
    found = [_owner(each) for each in owners] if isinstance(owners, list) else []
    owner = next((each for each in found if each.name), Owner())
    return Pod(is_deleted=bool(metadata.get("deletionTimestamp")), owner=owner)


def parse_daemon_set(body: bytes) -> DaemonSet:
    """Read a DaemonSet.

    Raises:
        errors.KubeError: it is none.
    """
    document = _document(body)
    metadata = _metadata(document)
    match document:
        case {"spec": {"template": {"spec": {"nodeSelector": dict() as selector}}}}:
            wanted = {str(key): str(value) for key, value in selector.items()}
        case _:
            wanted = {}
    return DaemonSet(
        uid=str(metadata.get("uid", "")),
        is_deleted=bool(metadata.get("deletionTimestamp")),
        node_selector=wanted,
    )


def why_nobody_comes(pod: Pod, owner: DaemonSet | None, labels: Mapping[str, str]) -> str:
    """Return in words why no successor of the pod is to be expected; empty: one is.

    Args:
        pod: our own.
        owner: the DaemonSet of its owner's name; None: not asked for yet.
        labels: of the node.
    """
    if not pod.is_deleted:
        return "the pod is not being deleted: its node or its container stops"
    if not pod.owner.name:
        return "no DaemonSet owns the pod"
    if owner is None:
        return ""
    if owner.is_deleted or owner.uid != pod.owner.uid:
        return "the DaemonSet is being deleted"
    if not owner.node_selector.items() <= labels.items():
        return "the DaemonSet no longer selects the node"
    return ""


def _owner(reference: object) -> Owner:
    match reference:
        case {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "controller": True,
            "name": str() as name,
            "uid": str() as uid,
        }:
            return Owner(name=name, uid=uid)
        case _:
            return Owner()


def _metadata(document: Mapping[str, Any]) -> Mapping[str, Any]:
    match document:
        case {"metadata": dict() as metadata}:
            return metadata
        case _:
            raise errors.KubeError("the API server sent an object without metadata")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise errors.KubeError("the API server sent what is no object")
    return document
