"""Which nodes: their selectors as one of ours, which is a conjunction and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from exabgp_k8s.translate.source import a_list, a_mapping, a_text

HOSTNAME = "kubernetes.io/hostname"
TERM = re.compile(
    r"""\s*(?:
      (?P<all>all\(\)) | (?P<no>!\s*)?has\(\s*(?P<has>[^)\s]+)\s*\)
    | (?P<key>[-A-Za-z0-9_./]+)\s*(?:
        (?P<op>==|!=)\s*(?P<q>['"])(?P<value>[^'"]*)(?P=q)
      | (?P<set>not\s+in|in)\s*\{(?P<values>[^}]*)\} )
    )\s*""",
    re.VERBOSE,
)
"""One term of Calico's selectors, as its ``libcalico-go`` documents them."""


def named(nodes: Sequence[str]) -> dict[str, Any]:
    """Return the selector of nodes by their names."""
    if len(nodes) == 1:
        return {"matchLabels": {HOSTNAME: nodes[0]}}
    return {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": sorted(nodes)}]}


def any_of(found: Sequence[Any]) -> dict[str, Any] | None:
    """Return one selector that means any of several; None where there is no such one."""
    plain = [standard(each) for each in found if isinstance(each, dict)]
    if len(plain) == 1:
        return plain[0]
    keys: set[Any] = set()
    values: list[Any] = []
    for each in plain:
        pairs = each.get("matchLabels", {})
        expressions = each.get("matchExpressions", [])
        if len(pairs) + len(expressions) != 1:
            return None
        keys |= pairs.keys()
        values += pairs.values()
        for item in expressions:
            if item.get("operator") != "In":
                return None
            keys.add(str(item.get("key")))
            values += map(str, a_list(item.get("values")))
    if len(keys) != 1:
        return {} if not plain else None
    key = keys.pop()
    return {"matchExpressions": [{"key": key, "operator": "In", "values": sorted(set(values))}]}


def standard(found: dict[str, Any]) -> dict[str, Any]:
    """Return a Kubernetes LabelSelector with the keys that ours has."""
    labels = {key: a_text(each) for key, each in a_mapping(found.get("matchLabels")).items()}
    expressions = [each for each in a_list(found.get("matchExpressions")) if a_mapping(each)]
    parts = {"matchLabels": labels, "matchExpressions": expressions}
    return {key: each for key, each in parts.items() if each}


def calico(text: str) -> dict[str, Any] | None:
    """Return what a selector of Calico means; None where ours cannot say it."""
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    for part in text.split("&&"):
        term = TERM.fullmatch(part)
        if term is None:
            return None
        key = term["has"] or term["key"]
        if term["all"]:
            continue
        if term["has"]:
            operator = "DoesNotExist" if term["no"] else "Exists"
            expressions.append({"key": key, "operator": operator})
        elif term["op"] == "==" and key not in labels:
            labels[key] = term["value"]
        else:
            listed = re.findall(r"['\"]([^'\"]*)['\"]", term["values"] or f"'{term['value']}'")
            is_out = term["op"] == "!=" or str(term["set"]).startswith("not")
            operator = "NotIn" if is_out else "In"
            expressions.append({"key": key, "operator": operator, "values": listed})
    found = {"matchLabels": labels, "matchExpressions": expressions}
    return {key: value for key, value in found.items() if value}
