"""The dashboard asks for metrics and labels that exist, and leaves none out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture import exposition, repository
from tests.architecture.test_alerts import BY_PROMETHEUS, selected
from tests.dashboard import document as made
from tests.dashboard import grafana

NOT_SHOWN = {
    "exabgp_k8s_agent_start_time_seconds": "restarts_total says more",
    "exabgp_k8s_peers_selected": "no-peer is one of the reasons of what is withheld",
    "exabgp_k8s_session_established_total": "session_flaps_total says what moved traffic",
    "exabgp_k8s_session_prefixes_sent": "who announces what has it by prefix",
    "exabgp_k8s_bfd_seconds": "`exabgp-k8s sessions` has it",
    "exabgp_k8s_check_failures_total": "checks that fail are shown",
}
"""And why; of the cluster's own, the pages of the looking glass show all."""
FROM_OUTSIDE = BY_PROMETHEUS | {"cluster", "le", "alertname", "alertstate", "severity", "Value"}


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(repository.read(made.TARGET))
    return found


def panels() -> list[Any]:
    return [pytest.param(each, id=each["title"]) for each in document()["panels"]]


def queries() -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each query with its variables replaced, beside its target."""
    for panel in document()["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"].replace("$__rate_interval", "5m")
            yield target, re.sub(r"\$\w+", ".*", text)


def test_it_is_made_from_its_source() -> None:
    """Otherwise run ``python -m tests.dashboard.document``."""
    assert repository.read(made.TARGET) == made.render()
    assert repository.read(made.CONFIG_MAP) == made.config_map()
    found = yaml.safe_load(made.config_map())
    assert json.loads(found["data"]["exabgp-k8s.json"]) == document()


def test_prometheus_reads_every_query(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: install the package `prometheus`, or run .ci/packages"
    recorded = [
        {"record": f"query:{number}", "expr": text} for number, (_, text) in enumerate(queries())
    ]
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": recorded}]}))

    done = subprocess.run(
        [promtool, "check", "rules", str(rules)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_asks_for_metrics_and_labels_that_exist() -> None:
    known = exposition.metrics_and_labels()
    for target, text in queries():
        of_all: set[str] = set()
        for name, labels in selected(text):
            assert name in known, text
            assert labels <= known[name] | FROM_OUTSIDE, text
            of_all |= known[name]
        grouped = " ".join(re.findall(r"(?:by|on) \((.*?)\)", text))
        named = set(re.findall(r"\w+", grouped)) | set(
            re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
        )
        assert named <= of_all | FROM_OUTSIDE, text


def test_every_metric_of_a_node_is_shown_or_left_out_for_a_reason() -> None:
    shown = {name for _, text in queries() for name, _ in selected(text)}
    of_nodes = {each for each in exposition.metrics_and_labels() if "_k8s_cluster_" not in each}

    assert of_nodes - shown == NOT_SHOWN.keys()


@pytest.mark.parametrize("panel", panels())
def test_a_panel_is_inside_of_the_grid_and_on_no_other(panel: dict[str, Any]) -> None:
    def cells(of: dict[str, Any]) -> set[tuple[int, int]]:
        at = of["gridPos"]
        rows, columns = range(at["y"], at["y"] + at["h"]), range(at["x"], at["x"] + at["w"])
        return {(row, column) for row in rows for column in columns}

    mine = cells(panel)
    assert max(column for _, column in mine) < grafana.COLUMNS
    others = [each for each in document()["panels"] if each["id"] != panel["id"]]
    assert not any(cells(each) & mine for each in others)
    assert len(others) == len({each["id"] for each in others}) == len(document()["panels"]) - 1


@pytest.mark.parametrize("panel", panels())
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    if panel["type"] != "row":
        assert panel["description"].endswith(".")
        assert panel["targets"]


def test_a_table_shows_labels_that_its_rows_have() -> None:
    known = exposition.metrics_and_labels()
    for panel in document()["panels"]:
        if panel["type"] != "table" or "ALERTS" in panel["targets"][0]["expr"]:
            continue
        names = set(panel["transformations"][0]["options"]["include"]["names"])
        text = panel["targets"][0]["expr"]
        of_all = set().union(*(known[name] for name, _ in selected(text)))
        assert names <= of_all | FROM_OUTSIDE, panel["title"]


def test_the_variables_are_those_that_are_asked_with() -> None:
    names = {each["name"] for each in document()["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(document()["panels"])))

    assert names == used - {"__rate_interval"}
