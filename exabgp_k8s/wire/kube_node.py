"""A Node of the API, as the dozen facts that we use of it.

Reading one never fails, for anybody who may write a Node can put anything there. What cannot be
understood is left out and named in ``NodeFacts.problems``.

Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exabgp_k8s.core.facts import asns, model, routers
from exabgp_k8s.wire import fields, kubelet

ANNOTATION = "exabgp-k8s.io/announce"
"""The operator's word about this node; it beats every other signal."""

_OVERRIDES = {
    "always": model.Override.ALWAYS,
    "never": model.Override.NEVER,
    "drain": model.Override.NEVER,
}

_PROBLEMS_KEPT = 20
"""Of one Node; anybody who may write it can make thousands."""


def parse(document: object) -> model.NodeFacts:
    """Read a Node; whatever the document is, this returns."""
    read = fields.Reader()
    node = read.mapping(document, "the Node")
    metadata = read.mapping(node.get("metadata"), "metadata")
    spec = read.mapping(node.get("spec"), "spec")
    status = read.mapping(node.get("status"), "status")
    return model.NodeFacts(
        name=read.text(metadata.get("name"), "metadata.name"),
        uid=read.text(metadata.get("uid"), "metadata.uid"),
        labels=_labels(read, metadata.get("labels")),
        annotations=_annotations(metadata.get("annotations")),
        override=_override(read, metadata.get("annotations")),
        is_unschedulable=read.flag(spec.get("unschedulable"), "spec.unschedulable"),
        is_deleting=bool(
            read.text(metadata.get("deletionTimestamp"), "metadata.deletionTimestamp")
        ),
        is_shutting_down=_is_shutting_down(read, status.get("conditions")),
        taints=_taints(read, spec.get("taints")),
        pod_cidrs=_pod_cidrs(read, spec),
        internal_ips=_internal_ips(read, status.get("addresses")),
        problems=tuple(read.problems[:_PROBLEMS_KEPT]),
    )


def _labels(read: fields.Reader, value: object) -> Mapping[str, str]:
    found = {}
    for key, item in read.mapping(value, "metadata.labels").items():
        path = f"metadata.labels[{fields.show(key)}]"
        if read.text(key, path) == key:
            found[key] = read.text(item, path)
    return found


def _annotations(annotations: object) -> Mapping[str, str]:
    """Return the annotations by name, with what can be an AS number or a router's address."""
    found = annotations.items() if isinstance(annotations, dict) else ()
    return {
        key: value if isinstance(value, str) and _is_read(value) else ""
        for key, value in found
        if key != ANNOTATION
    }


def _is_read(value: str) -> bool:
    # The others may be as long as the whole Node.
    is_short = len(value) <= routers.LONGEST
    return is_short and (asns.read(value) is not None or routers.read(value) is not None)


def _override(read: fields.Reader, annotations: object) -> model.Override:
    path = f"metadata.annotations[{ANNOTATION}]"
    word = read.mapping(annotations, "metadata.annotations").get(ANNOTATION)
    if word is None:
        return model.Override.NONE
    if isinstance(word, str) and word in _OVERRIDES:
        return _OVERRIDES[word]
    read.reject(word, path, " or ".join(_OVERRIDES))
    return model.Override.NONE


def _taints(read: fields.Reader, value: object) -> tuple[model.Taint, ...]:
    found = []
    for path, item in read.items(value, "spec.taints"):
        taint = read.mapping(item, path)
        key = read.text(taint.get("key"), f"{path}.key")
        effect = read.text(taint.get("effect"), f"{path}.effect")
        if key:
            found.append(model.Taint(key=key, effect=effect))
    return tuple(found)


def _pod_cidrs(read: fields.Reader, spec: Mapping[str, Any]) -> tuple[model.Network, ...]:
    # podCIDR is the older field; it repeats the first of podCIDRs where both are set.
    if spec.get("podCIDRs"):
        return read.networks(spec["podCIDRs"], "spec.podCIDRs")
    single = spec.get("podCIDR")
    return read.networks([single] if single else None, "spec.podCIDR")


def _internal_ips(read: fields.Reader, value: object) -> tuple[model.Address, ...]:
    found: dict[model.Address, None] = {}
    for path, item in read.items(value, "status.addresses"):
        entry = read.mapping(item, path)
        if entry.get("type") == "InternalIP":
            address = read.address(entry.get("address"), f"{path}.address")
            found |= dict.fromkeys(() if address is None else (address,))
    return tuple(found)


def _is_shutting_down(read: fields.Reader, conditions: object) -> bool:
    return any(
        kubelet.is_shutting_down(read.mapping(item, path))
        for path, item in read.items(conditions, "status.conditions")
    )
