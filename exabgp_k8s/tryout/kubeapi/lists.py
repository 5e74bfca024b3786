"""What a list leaves out: label selectors, and all but a page of what is found.

A real server goes on with the list as it was at the first page; this one with what is there now,
after the last name that was sent.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exabgp_k8s.tryout.kubeapi import store

_REQUIREMENT = re.compile(
    r"(?P<key>[^\s,=!()]+)(?:\s*==?\s*(?P<value>[^\s,=!()]*)|\s+in\s+\((?P<values>[^()]*)\))"
)


def select(items: list[store.Object], selector: str) -> list[store.Object]:
    """Return the objects whose labels a selector of ``key=value`` and ``key in (a,b)`` matches.

    Raises:
        store.StatusError: 400, the selector is of another kind.
    """
    wanted: dict[str, set[str]] = {}
    rest = selector
    while rest:
        found = _REQUIREMENT.match(rest)
        if found is None or rest[found.end() : found.end() + 1] not in {"", ","}:
            raise store.StatusError(400, "BadRequest", f"labelSelector not supported: {selector}")
        values = found["values"] if found["value"] is None else found["value"]
        wanted[found["key"]] = {each.strip() for each in values.split(",")}
        rest = rest[found.end() + 1 :]
    return [item for item in items if _matches(item["metadata"].get("labels") or {}, wanted)]


def _matches(labels: Mapping[str, str], wanted: Mapping[str, set[str]]) -> bool:
    return all(labels.get(key) in values for key, values in wanted.items())


def page(
    items: list[store.Object], query: Mapping[str, str]
) -> tuple[list[store.Object], dict[str, Any]]:
    """Return the part of a list that is asked for, and what its metadata says of the rest.

    The items are in the order of their names.
    """
    after, limit = query.get("continue", ""), int(query.get("limit") or 0)
    left = [item for item in items if item["metadata"]["name"] > after]
    if not limit or len(left) <= limit:
        return left, {}
    says: dict[str, Any] = {"continue": left[limit - 1]["metadata"]["name"]}
    if not (query.get("labelSelector") or query.get("fieldSelector")):
        says["remainingItemCount"] = len(left) - limit
    return left[:limit], says
