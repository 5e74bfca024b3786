"""The chart is what the manifests make of it, and its values know the settings.

What it installs is computed here without Helm; that real Helm makes the same is tested where there
is one: functional/test_chart.py.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

import exabgp_k8s
from exabgp_k8s.settings import load
from tests.architecture import chart, helm, kustomize, repository

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


def whole(objects: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return objects by name with the settings as what they mean; Helm adds its pull policy."""
    found = kustomize.by_name(objects)
    settings = found["ConfigMap", "exabgp-k8s", "exabgp-k8s"]
    settings["data"]["settings.yaml"] = yaml.safe_load(settings["data"]["settings.yaml"])
    settings["metadata"].pop("labels")
    for each in objects:
        pod = each.get("spec", {}).get("template", {}).get("spec", {})
        for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
            container.pop("imagePullPolicy", None)
    return found


def from_plugin(name: str) -> dict[str, Any]:
    """Return settings that ask for a network plugin's pod ranges."""
    pods = {"from": name, "within": ["10.0.0.0/8"]}
    return {**SETTINGS, "announce": {**SETTINGS["announce"], "pods": pods}}


@pytest.mark.parametrize(
    ("components", "values"),
    [
        ([], {}),
        (["bfd"], {"bfd": {"enabled": True}}),
        (["looking-glass"], {"lookingGlass": {"enabled": True}}),
        (["monitoring"], {"monitoring": {"enabled": True}}),
        (["openshift"], {"openshift": {"enabled": True}}),
        (["pods-from-cilium"], {"settings": from_plugin("cilium")}),
        (["pods-from-calico"], {"settings": from_plugin("calico")}),
        (
            ["bfd", "looking-glass", "monitoring", "labelled-nodes"],
            {
                **{each: {"enabled": True} for each in ("bfd", "lookingGlass", "monitoring")},
                "nodeSelector": {"exabgp-k8s.io/speaker": "yes"},
            },
        ),
    ],
    ids=["base", "bfd", "looking-glass", "monitoring", "openshift", "cilium", "calico", "all"],
)
def test_the_chart_and_the_components_make_the_same_objects(
    components: list[str], values: dict[str, Any]
) -> None:
    document = {
        # What the base says of the image is not said of the components above it.
        "images": repository.manifest("kustomization.yaml")["images"],
        "resources": [str(kustomize.BASE)],
        "components": [f"components/{each}" for each in components],
    }
    values = {"settings": SETTINGS, "settingsCheck": {"enabled": False}, **values}
    ours = whole(helm.template(values))
    theirs = whole(kustomize.made(document, kustomize.BASE))
    del theirs["Namespace", "", "exabgp-k8s"]
    config_map = "ConfigMap", "exabgp-k8s", "exabgp-k8s"
    assert ours.pop(config_map)["data"]["settings.yaml"] == values["settings"]
    del theirs[config_map]

    glass = theirs.get(("Deployment", "exabgp-k8s", "exabgp-k8s-looking-glass"))
    if glass and "nodeSelector" in values:
        glass["spec"]["template"]["spec"]["nodeSelector"] |= values["nodeSelector"]
    assert ours == theirs


def test_the_values_of_the_page_are_right_and_a_node_takes_their_settings(
    judge: jsonschema.Draft202012Validator,
) -> None:
    page = repository.read("docs/how-to/helm.md")
    values = yaml.safe_load(page.partition("```text\n")[2].partition("```")[0])

    assert not list(judge.iter_errors(values))
    made = kustomize.by_name(helm.template(values))
    speaker = made["DaemonSet", "exabgp-k8s", "exabgp-k8s"]["spec"]["template"]["spec"]
    text = made["ConfigMap", "exabgp-k8s", "exabgp-k8s"]["data"]["settings.yaml"]
    assert speaker["containers"][0]["image"] == f"REGISTRY/exabgp-k8s:{exabgp_k8s.__version__}"
    assert load.parse(text, "settings.yaml").peers


def test_every_value_stands_in_the_table_of_the_page() -> None:
    values = yaml.safe_load((chart.FOLDER / "values.yaml").read_text("utf-8"))
    rows = [line.split(" | ")[0] for line in repository.read("docs/how-to/helm.md").splitlines()]
    table = " ".join(row for row in rows if row.startswith("| `"))
    names = {
        f"{key}.{inner}" if isinstance(value, dict) and value and key != "resources" else key
        for key, value in values.items()
        for inner in (value if isinstance(value, dict) and value else [""])
    }

    assert {name for name in names if f"`{name}`" not in table} == set()


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
