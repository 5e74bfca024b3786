"""The patch languages of the Kubernetes API, as far as our objects need them.

A JSON patch (RFC 6902) is a list of operations; of those, objects need no more than ``add``,
``replace``, ``remove`` and ``test``, and none that goes into a list.

A merge patch (RFC 7396) replaces lists; a strategic merge patch merges those lists that carry a
merge key. The keys below are those of the Node type; its taints have none. Server-side apply is
taken as a merge that owns whatever it names; nobody here asks who owned it before.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

JSON_PATCH = "application/json-patch+json"

_MERGE_KEYS = {"conditions": "type", "addresses": "type"}


def merge(old: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396 section 2)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def strategic_merge(old: Any, patch: Any) -> Any:
    """Apply a strategic merge patch: as ``merge``, but keyed lists are merged by their key."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif key in _MERGE_KEYS and isinstance(value, list):
            merged[key] = _merge_list(merged.get(key) or [], value, _MERGE_KEYS[key])
        else:
            merged[key] = strategic_merge(merged.get(key), value)
    return merged


def _merge_list(old: list[Any], patch: list[Any], key: str) -> list[Any]:
    merged = {item.get(key): item for item in old}
    for item in patch:
        merged[item.get(key)] = strategic_merge(merged.get(item.get(key)), item)
    return list(merged.values())


BY_CONTENT_TYPE = {
    "application/merge-patch+json": merge,
    "application/strategic-merge-patch+json": strategic_merge,
    "application/apply-patch+yaml": strategic_merge,
}


def operate(old: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """Apply a JSON patch (RFC 6902) to an object.

    Raises:
        LookupError: there is nothing at a path.
        TypeError: the patch is no list of operations, or a path leads into a list.
        ValueError: an operation is not known here, or a test failed.
    """
    new = copy.deepcopy(old)
    for each in operations:
        *parents, last = (
            part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]
        )
        inside = new
        for part in parents:
            inside = inside[part]
        match each["op"]:
            case "add" | "replace" as kind:
                if kind == "replace":
                    inside[last]
                inside[last] = copy.deepcopy(each["value"])
            case "remove":
                del inside[last]
            case "test":
                if inside.get(last) != each["value"]:
                    raise ValueError(f"testing value {each['path']} failed")
            case other:
                raise ValueError(f"Unexpected kind: {other}")
    return new
