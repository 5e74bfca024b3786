"""The chart is what the manifests make of it, and its values know the settings.

Real Helm has its say in functional/test_chart.py, where it is installed.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from tests.architecture import chart, repository

SETTINGS = yaml.safe_load(repository.read("daemonset/settings.yaml"))


@pytest.fixture(scope="module")
def judge() -> jsonschema.Draft202012Validator:
    """Judges values by the chart's schema."""
    return jsonschema.Draft202012Validator(
        json.loads((chart.FOLDER / "values.schema.json").read_text("utf-8"))
    )


def test_the_chart_is_up_to_date() -> None:
    """Otherwise run ``python -m tests.architecture.chart``."""
    files = (path for path in chart.FOLDER.rglob("*") if path.is_file())
    found = {str(path.relative_to(chart.FOLDER)): path.read_text("utf-8") for path in files}
    del found["values.yaml"]

    assert found == chart.render()


def test_every_component_is_a_value() -> None:
    folders = (repository.ROOT / "daemonset/components").iterdir()

    assert {each.name for each in folders} - chart.NOT_HERE.keys() <= chart.CHOSEN.keys()


def test_the_defaults_are_those_of_the_manifests() -> None:
    values = yaml.safe_load((chart.FOLDER / "values.yaml").read_text("utf-8"))
    pod = repository.manifest("daemonset.yaml")["spec"]["template"]["spec"]

    assert values["resources"] == pod["containers"][0]["resources"]
    assert values["passwords"]["secretName"] == pod["volumes"][1]["secret"]["secretName"]


@pytest.mark.parametrize(
    ("values", "is_right"),
    [
        ({"settings": SETTINGS}, True),
        ({"settings": SETTINGS, "nodeSelector": {"rack": "a"}}, True),
        ({}, False),
        ({"settings": {}}, False),
        ({"settings": {**SETTINGS, "peer": []}}, False),
        ({"settings": SETTINGS, "lookingglass": {"enabled": True}}, False),
        ({"settings": SETTINGS, "bfd": {"enabled": "yes"}}, False),
    ],
)
def test_values_are_judged_as_far_as_a_schema_can(
    judge: jsonschema.Draft202012Validator, values: dict[str, Any], is_right: bool
) -> None:
    assert judge.is_valid(values) is is_right
