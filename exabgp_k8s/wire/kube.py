"""The API server's JSON, as values of ours: lists, lines of a watch, errors.

One of the wrong shape says nothing about any object, so it raises ``KubeError`` and what was known
stands. What is in the objects is another matter: ``kube_node`` reads a Node whatever it holds.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import fields

_SHOWN_OF_STATUS = 300
"""Characters of the message of a Status: it names the user and the right that is missing."""

_GONE = 410
_CODES = 1000
"""HTTP's have three digits; whoever writes another number there may write thousands."""


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
            shown = fields.show(document)
            raise errors.KubeError(f"the answer is not a list with a version: {shown}")


def parse_page(body: bytes) -> tuple[list[Any], str]:
    """Return the items of a page, and what to ask for the next one with; empty: it is the last.

    Raises:
        errors.KubeError: the body is no list of the Kubernetes API.
    """
    document = _json(body)
    match document:
        case {"items": list() | None as items, "metadata": {"continue": str() as rest}}:
            return items or [], rest
        case {"items": list() | None as items, "metadata": {}}:
            return items or [], ""
        case _:
            raise errors.KubeError(f"the answer is not a list: {fields.show(document)}")


def rest_of(body: bytes) -> str:
    """Return what to ask for the next page of a list with; empty: this was the last one."""
    match _json(body):
        case {"metadata": {"continue": str() as rest}}:
            return rest
        case _:
            return ""


def parse_object(body: bytes) -> Mapping[str, Any]:
    """Return one object of the API.

    Raises:
        errors.KubeError: the body is none.
    """
    document = _json(body)
    if isinstance(document, dict) and isinstance(document.get("metadata"), dict):
        return document
    raise errors.KubeError(f"the answer is not an object: {fields.show(document)}")


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
            raise errors.KubeError(
                f"the watch sent a line of unknown shape: {fields.show(document)}"
            )


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
    said = fields.show(message, _SHOWN_OF_STATUS) if message else "without a message"
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
    read = fields.Reader()
    found: dict[model.Network, None] = {}
    for number, item in enumerate(items):
        path = f"items[{number}]"
        spec = read.mapping(read.mapping(item, path).get("spec"), f"{path}.spec")
        found |= dict.fromkeys(read.networks(spec.get("cidrs"), f"{path}.spec.cidrs"))
    if read.problems:
        raise errors.KubeError("the ServiceCIDR objects: " + "; ".join(read.problems))
    return tuple(found)


def _json(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise errors.KubeError(
            f"the API server sent what is no JSON: {fields.show(text)}"
        ) from None
