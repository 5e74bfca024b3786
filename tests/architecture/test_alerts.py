"""The alerts load in Prometheus, fire when they should, and ask for metrics that exist.

promtool is Prometheus' own word on it; Debian and Ubuntu have it in the package ``prometheus``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.architecture import alert_rules, exposition, repository

RULES = alert_rules.SOURCE
UNIT_TESTS = "docs/prometheus/exabgp-k8s.rules.test.yaml"
RUNBOOKS = "docs/how-to/alerts.md"
PARTS = ("_bucket", "_count", "_sum")
"""The series of a histogram."""
BY_PROMETHEUS = {"instance"}
METRIC = re.compile(r"\b(exabgp_k8s_\w+)(?:\{([^}]*)\})?")


def rules() -> list[Any]:
    """Return every alert of the file."""
    return [
        pytest.param(rule, id=rule["alert"])
        for group in yaml.safe_load(repository.read(RULES))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def recorded() -> Mapping[str, str]:
    """Return the name of each recording rule and its expression."""
    return {
        rule["record"]: rule["expr"]
        for group in yaml.safe_load(repository.read(RULES))["groups"]
        for rule in group["rules"]
        if "record" in rule
    }


def whole(expression: str) -> str:
    """Return an expression with what is recorded written out."""
    for name, each in recorded().items():
        expression = expression.replace(name, f"({each})")
    return expression


def selected(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield every metric that an expression asks for, with the labels that it looks at."""
    known = exposition.metrics_and_labels()
    for name, labels in METRIC.findall(whole(expression)):
        found = next((base for part in PARTS if (base := name.removesuffix(part)) in known), name)
        yield found, set(re.findall(r"(\w+)(?==~?|!=|!~)", labels))


def labels_of(rule: Mapping[str, Any]) -> frozenset[str]:
    """Return the labels of all metrics that a rule asks for."""
    known = exposition.metrics_and_labels()
    return frozenset().union(*(known[name] for name, _ in selected(rule["expr"])))


@pytest.mark.parametrize("command", [["check", "rules", RULES], ["test", "rules", UNIT_TESTS]])
def test_prometheus_takes_the_rules_and_their_tests_hold(command: list[str]) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: install the package `prometheus`, or run .ci/packages"

    done = subprocess.run(
        [promtool, *command], cwd=repository.ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_operators_object_has_the_same_rules() -> None:
    """Otherwise run ``python -m tests.architecture.alert_rules``."""
    assert repository.read(alert_rules.TARGET) == alert_rules.render()
    assert yaml.safe_load(alert_rules.render())["spec"] == yaml.safe_load(repository.read(RULES))


def test_every_alert_is_seen_to_fire_and_seen_to_be_silent() -> None:
    document = yaml.safe_load(repository.read(UNIT_TESTS))
    silent: set[str] = set()
    fired: set[str] = set()
    for case in document["tests"]:
        for each in case.get("alert_rule_test", ()):
            (fired if each.get("exp_alerts") else silent).add(each["alertname"])
        for each in case.get("promql_expr_test", ()):
            said = each["expr"] + "".join(row["labels"] for row in each["exp_samples"])
            names = re.findall(r'alertname=~?"([\w|]+)"', said)
            fired |= {name for found in names for name in found.split("|")}

    alerts = {rule.id for rule in rules()}
    assert silent == alerts
    assert fired == alerts


def test_every_alert_has_its_part_of_the_runbook_and_nothing_else_has() -> None:
    told = re.findall(r"^### (\w+)$", repository.read(RUNBOOKS), re.MULTILINE)
    alerts = [rule.id for rule in rules()]

    assert sorted(told) == sorted(alerts)


@pytest.mark.parametrize("rule", rules())
def test_a_rule_asks_for_metrics_and_labels_that_exist(rule: Mapping[str, Any]) -> None:
    known = exposition.metrics_and_labels()

    asked = list(selected(rule["expr"]))

    assert asked
    for name, labels in asked:
        assert name in known
        assert labels <= known[name]
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \((.*?)\)", whole(rule["expr"])))))
    assert grouped <= labels_of(rule) | BY_PROMETHEUS


@pytest.mark.parametrize("rule", rules())
def test_a_rule_says_what_happened_where_and_what_to_do(rule: Mapping[str, Any]) -> None:
    said = rule["annotations"]

    assert set(said) == {"summary", "description", "runbook"}
    assert said["runbook"] == f"{RUNBOOKS}#{rule['alert'].lower()}"
    assert rule["labels"]["severity"] in {"critical", "warning"}
    named = set(re.findall(r"\$labels\.(\w+)", str(said)))
    # What is added up over all nodes says nothing of one.
    is_of_one = "sum by (prefix)" not in whole(rule["expr"])
    assert named <= labels_of(rule) | (BY_PROMETHEUS if is_of_one else set())


@pytest.mark.parametrize("rule", rules())
def test_a_rule_names_commands_that_exist(rule: Mapping[str, Any]) -> None:
    for words in re.findall(r"`exabgp-k8s ([^`]+)`", rule["annotations"]["description"]):
        repository.parse(words.split())
