"""The alerts load in Prometheus, and ask for metrics and labels that exist.

The parser is a package of PyPI with Prometheus' own grammar: promtool itself comes with a whole
Prometheus, 100 MB, on every machine that runs the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser as promql
import pytest
import yaml

from tests.architecture import exposition, repository

RULES = "docs/prometheus/exabgp-k8s.rules.yaml"
KEYS = {"alert", "expr", "for", "labels", "annotations"}
PARTS = ("_bucket", "_count", "_sum")
"""The series of a histogram."""
BY_PROMETHEUS = {"instance"}


def rules() -> list[Any]:
    """Return every rule of the file."""
    return [
        pytest.param(rule, id=rule["alert"])
        for group in yaml.safe_load(repository.read(RULES))["groups"]
        for rule in group["rules"]
    ]


def selectors(expression: str) -> Iterator[promql.VectorSelector]:
    """Yield every metric that an expression asks for."""
    found: list[promql.VectorSelector] = []

    def visit(node: promql.Expr) -> bool:
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        return True

    promql.walk(promql.parse(expression), visit)
    yield from found


def labels_of(rule: Mapping[str, Any]) -> frozenset[str]:
    """Return the labels of all metrics that a rule asks for."""
    known = exposition.metrics_and_labels()
    return frozenset().union(*(known[_name(each)] for each in selectors(rule["expr"])))


def _name(selector: promql.VectorSelector) -> str:
    name = selector.name or ""
    known = exposition.metrics_and_labels()
    return next((whole for part in PARTS if (whole := name.removesuffix(part)) in known), name)


def test_the_file_has_the_shape_that_prometheus_reads() -> None:
    document = yaml.safe_load(repository.read(RULES))

    assert set(document) == {"groups"}
    for group in document["groups"]:
        assert set(group) == {"name", "rules"}
    names = [rule["alert"] for group in document["groups"] for rule in group["rules"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("rule", rules())
def test_a_rule_loads(rule: Mapping[str, Any]) -> None:
    assert {"alert", "expr", "labels", "annotations"} <= set(rule) <= KEYS
    assert re.fullmatch(r"[A-Z][A-Za-z]+", rule["alert"])
    assert all(isinstance(text, str) for text in (rule["expr"], *rule["annotations"].values()))
    assert promql.parse_duration(rule.get("for", "1m"))
    promql.parse(rule["expr"])


@pytest.mark.parametrize("rule", rules())
def test_a_rule_asks_for_metrics_and_labels_that_exist(rule: Mapping[str, Any]) -> None:
    known = exposition.metrics_and_labels()

    asked = list(selectors(rule["expr"]))

    assert asked
    for each in asked:
        assert _name(each) in known
        assert {matcher.name for matcher in each.matchers.matchers} <= known[_name(each)]
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \((.*?)\)", rule["expr"]))))
    assert grouped <= labels_of(rule)


@pytest.mark.parametrize("rule", rules())
def test_a_rule_says_what_happened_where_and_what_to_do(rule: Mapping[str, Any]) -> None:
    said = rule["annotations"]

    assert set(said) == {"summary", "description"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    named = set(re.findall(r"\$labels\.(\w+)", str(said)))
    # What is added up over all nodes says nothing of one.
    assert named <= labels_of(rule) | (set() if " by " in rule["expr"] else BY_PROMETHEUS)


@pytest.mark.parametrize("rule", rules())
def test_a_rule_names_commands_that_exist(rule: Mapping[str, Any]) -> None:
    for words in re.findall(r"`exabgp-k8s ([^`]+)`", rule["annotations"]["description"]):
        repository.parse(words.split())
