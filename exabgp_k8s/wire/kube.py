"""The API server's JSON, as values of ours.

Of a Node we use a dozen fields, and anybody who may write one can put anything there: a wrong
type, a range that is none, a newline meant for somebody's command pipe. So reading a Node never
fails. What cannot be understood is left out and named in ``NodeFacts.problems``; text that is
kept is printable; addresses and ranges are numbers from here on.

A list or a watch line of the wrong shape is another matter: it says nothing about the node at
all, so it raises ``KubeError`` and what was known stands.

Sources: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/ and
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import enum
import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from exabgp_k8s import errors
from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import kubelet

ANNOTATION = "exabgp-k8s.io/announce"
"""The operator's word about this node; it beats every other signal."""

_OVERRIDES = {
    "always": model.Override.ALWAYS,
    "never": model.Override.NEVER,
    "drain": model.Override.NEVER,
}

_SHOWN = 60
"""Characters of a foreign value that are shown in a problem."""

_SHOWN_OF_STATUS = 300
"""The same for the message of a Status: it names the user and the right that is missing."""

_PROBLEMS_KEPT = 20
"""Of one Node; anybody who may write it can make thousands."""

_GONE = 410
_CODES = 1000
"""HTTP's have three digits; whoever writes another number there may write thousands."""

_T = TypeVar("_T", model.Address, model.Network)


class LineType(enum.StrEnum):
    """What a line of a watch reports."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLine:
    """One change, or a bookmark, with the version to resume from after it."""

    type: LineType
    version: str
    object: Mapping[str, Any]


def parse_node(document: object) -> model.NodeFacts:
    """Read a Node; whatever the document is, this returns."""
    read = _Reader()
    node = read.mapping(document, "the Node")
    metadata = read.mapping(node.get("metadata"), "metadata")
    spec = read.mapping(node.get("spec"), "spec")
    status = read.mapping(node.get("status"), "status")
    return model.NodeFacts(
        name=read.text(metadata.get("name"), "metadata.name"),
        uid=read.text(metadata.get("uid"), "metadata.uid"),
        labels=read.labels(metadata.get("labels")),
        override=read.override(metadata.get("annotations")),
        is_unschedulable=read.flag(spec.get("unschedulable"), "spec.unschedulable"),
        is_deleting=bool(
            read.text(metadata.get("deletionTimestamp"), "metadata.deletionTimestamp")
        ),
        is_shutting_down=_is_shutting_down(read, status.get("conditions")),
        taints=read.taints(spec.get("taints")),
        pod_cidrs=read.pod_cidrs(spec),
        internal_ips=read.internal_ips(status.get("addresses")),
        problems=tuple(read.problems[:_PROBLEMS_KEPT]),
    )


def parse_list(body: bytes) -> tuple[list[Any], str]:
    """Return the items of a list and the version to watch from.

    Raises:
        errors.KubeError: the body is no list of the Kubernetes API.
    """
    document = _json(body)
    match document:
        case {"items": list() | None as items, "metadata": {"resourceVersion": str() as version}}:
            return items or [], version
        case _:
            shown = _show(document)
            raise errors.KubeError(f"the answer is not a list with a version: {shown}")


def parse_watch_line(line: bytes) -> WatchLine:
    """Read one line of a watch.

    Raises:
        errors.Expired: the line reports that the version watched from is too old.
        errors.KubeError: the line reports another error, or cannot be understood.
    """
    document = _json(line)
    match document:
        case {"type": "ERROR", "object": status}:
            raise parse_status(status)
        case {
            "type": str() as kind,
            "object": {"metadata": {"resourceVersion": str() as version}} as found,
        } if kind in list(LineType):
            return WatchLine(type=LineType(kind), version=version, object=found)
        case _:
            raise errors.KubeError(f"the watch sent a line of unknown shape: {_show(document)}")


def parse_status(document: object, code: int = 0, retry_after: float = 0) -> errors.KubeError:
    """Turn a Status object into the error to raise.

    Args:
        document: the body of the answer, whatever it is.
        code: the HTTP status; 0 inside a stream, where the Status object has it.
        retry_after: seconds from the header; else the Status object's own are taken.
    """
    status = document if isinstance(document, Mapping) else {}
    details = status.get("details")
    wait = details.get("retryAfterSeconds") if isinstance(details, Mapping) else None
    inner = status.get("code")
    code = code or (inner if type(inner) is int and inner in range(_CODES) else 0)
    message = status.get("message")
    said = _show(message, _SHOWN_OF_STATUS) if message else "without a message"
    kind = errors.Expired if code == _GONE else errors.KubeError
    return kind(
        f"the API server answered {code}: {said}",
        status=code,
        retry_after=retry_after or (wait if type(wait) is int else 0),
    )


def parse_service_cidrs(items: list[Any]) -> tuple[model.Network, ...]:
    """Return the ranges of ServiceCIDR objects (networking.k8s.io/v1), each once.

    Raises:
        errors.KubeError: a range cannot be read; half of the ranges is worse than the old ones.
    """
    read = _Reader()
    found: dict[model.Network, None] = {}
    for number, item in enumerate(items):
        path = f"items[{number}]"
        spec = read.mapping(read.mapping(item, path).get("spec"), f"{path}.spec")
        found |= dict.fromkeys(read.networks(spec.get("cidrs"), f"{path}.spec.cidrs"))
    if read.problems:
        raise errors.KubeError("the ServiceCIDR objects: " + "; ".join(read.problems))
    return tuple(found)


class _Reader:
    """Takes values out of JSON and notes what was not as it should be.

    A field that is absent or null is no problem: most fields are optional.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    def mapping(self, value: object, path: str) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self._expect(value, path, "an object")
        return {}

    def items(self, value: object, path: str) -> Iterator[tuple[str, Any]]:
        """Yield the items of a list, each with its path."""
        if not isinstance(value, list):
            self._expect(value, path, "a list")
            return
        for number, item in enumerate(value):
            yield f"{path}[{number}]", item

    def text(self, value: object, path: str) -> str:
        if isinstance(value, str) and value.isprintable():
            return value
        self._expect(value, path, "printable text")
        return ""

    def flag(self, value: object, path: str) -> bool:
        if isinstance(value, bool):
            return value
        self._expect(value, path, "true or false")
        return False

    def labels(self, value: object) -> Mapping[str, str]:
        found = {}
        for key, item in self.mapping(value, "metadata.labels").items():
            path = f"metadata.labels[{_show(key)}]"
            if self.text(key, path) == key:
                found[key] = self.text(item, path)
        return found

    def override(self, annotations: object) -> model.Override:
        path = f"metadata.annotations[{ANNOTATION}]"
        word = self.mapping(annotations, "metadata.annotations").get(ANNOTATION)
        if word is None:
            return model.Override.NONE
        if isinstance(word, str) and word in _OVERRIDES:
            return _OVERRIDES[word]
        self._expect(word, path, " or ".join(_OVERRIDES))
        return model.Override.NONE

    def taints(self, value: object) -> tuple[model.Taint, ...]:
        found = []
        for path, item in self.items(value, "spec.taints"):
            taint = self.mapping(item, path)
            key = self.text(taint.get("key"), f"{path}.key")
            effect = self.text(taint.get("effect"), f"{path}.effect")
            if key:
                found.append(model.Taint(key=key, effect=effect))
        return tuple(found)

    def pod_cidrs(self, spec: Mapping[str, Any]) -> tuple[model.Network, ...]:
        # podCIDR is the older field; it repeats the first of podCIDRs where both are set.
        if spec.get("podCIDRs"):
            return self.networks(spec["podCIDRs"], "spec.podCIDRs")
        single = spec.get("podCIDR")
        return self.networks([single] if single else None, "spec.podCIDR")

    def internal_ips(self, value: object) -> tuple[model.Address, ...]:
        found: dict[model.Address, None] = {}
        for path, item in self.items(value, "status.addresses"):
            entry = self.mapping(item, path)
            if entry.get("type") == "InternalIP":
                address = self._number(
                    entry.get("address"), f"{path}.address", _unicast, "an IP address of one host"
                )
                found |= dict.fromkeys(() if address is None else (address,))
        return tuple(found)

    def networks(self, value: object, path: str) -> tuple[model.Network, ...]:
        found: dict[model.Network, None] = {}
        for where, item in self.items(value, path):
            network = self._number(item, where, _network, "a range like 10.244.1.0/24")
            found |= dict.fromkeys(() if network is None else (network,))
        return tuple(found)

    def _number(self, value: object, path: str, make: Callable[[str], _T], what: str) -> _T | None:
        # An IPv6 zone ("%eth0") is free text to ipaddress, and no address of a node has one.
        if isinstance(value, str) and "%" not in value:
            try:
                return make(value)
            except ValueError:
                pass
        self.problems.append(f"{path} is {_show(value)}: it must be {what}")
        return None

    def _expect(self, value: object, path: str, what: str) -> None:
        if value is not None:
            self.problems.append(f"{path} is {_show(value)}: it must be {what}")


def _is_shutting_down(read: _Reader, conditions: object) -> bool:
    return any(
        kubelet.is_shutting_down(read.mapping(item, path))
        for path, item in read.items(conditions, "status.conditions")
    )


def _unicast(text: str) -> model.Address:
    # As a next hop any other would make a router drop the route, if not the session.
    address = ipaddress.ip_address(text)
    is_odd = isinstance(address, ipaddress.IPv6Address) and (
        address.is_link_local or address.ipv4_mapped is not None
    )
    if address.is_unspecified or address.is_multicast or is_odd:
        raise ValueError(text)
    return address


def _network(text: str) -> model.Network:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text)


def _json(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise errors.KubeError(f"the API server sent what is no JSON: {_show(text)}") from None


def _show(value: object, limit: int = _SHOWN) -> str:
    """Show a foreign value in one short line of ASCII."""
    text = ascii(value) if isinstance(value, str | bytes | int | float) else type(value).__name__
    return text if len(text) <= limit else text[:limit] + "..."
