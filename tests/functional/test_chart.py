"""What real Helm makes of the chart.

Collected only where it is on the PATH. That the chart is what the manifests are is looked at where
there is none, too: architecture/test_chart.py.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture import chart, kustomize, schemas
from tests.architecture import helm as ours

pytestmark = pytest.mark.functional

SETTINGS, EVERYTHING = schemas.SETTINGS, schemas.EVERYTHING


def helm(*words: str | Path, values: dict[str, Any]) -> tuple[int, str]:
    """Run Helm with values; return its exit code and what it said."""
    program = shutil.which("helm")
    assert program is not None
    done = subprocess.run(
        [program, *map(str, words), "--values", "-"],
        input=yaml.safe_dump(values),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def made(namespace: str = "exabgp-k8s", **values: Any) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return what Helm would install."""
    values = {"settings": SETTINGS, **values}
    code, said = helm("template", "any", chart.FOLDER, "--namespace", namespace, values=values)
    assert code == 0, said
    return kustomize.by_name([each for each in yaml.safe_load_all(said) if each])


@pytest.mark.parametrize("source", ["node", "cilium", "calico"])
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_helm_makes_what_is_looked_at_where_there_is_no_helm(
    values: dict[str, Any], source: str
) -> None:
    announce = {**SETTINGS["announce"], "pods": {"from": source, "within": ["10.0.0.0/8"]}}
    values = {"settings": {**SETTINGS, "announce": announce}, **values}

    assert made(**values) == kustomize.by_name(ours.template(values))


def test_helm_finds_nothing_wrong_with_all_of_it() -> None:
    code, said = helm(
        "lint", "--strict", chart.FOLDER, values={"settings": SETTINGS, **EVERYTHING}
    )

    assert code == 0, said


def test_every_value_arrives() -> None:
    found = made(
        "bgp",
        **EVERYTHING,
        settings={**SETTINGS, "bgp": {"asn": 4_200_000_001}},
        image={"repository": "r/x", "digest": "sha256:1", "pullSecrets": [{"name": "s"}]},
        nodeSelector={"rack": "a"},
        apiServer={"host": "192.0.2.9"},
        passwords={"secretName": "other"},
    )
    pod = found["DaemonSet", "bgp", "exabgp-k8s"]["spec"]["template"]["spec"]
    environment = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    settings = found["ConfigMap", "bgp", "exabgp-k8s"]["data"]["settings.yaml"]

    assert yaml.safe_load(settings)["bgp"]["asn"] == 4_200_000_001
    assert pod["containers"][0]["image"] == "r/x@sha256:1"
    assert pod["imagePullSecrets"] == [{"name": "s"}]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "rack": "a"}
    assert environment["KUBERNETES_SERVICE_HOST"] == "192.0.2.9"
    assert environment["KUBERNETES_SERVICE_PORT"] == "6443"
    assert pod["volumes"][1]["secret"]["secretName"] == "other"


def test_only_the_role_for_events_is_in_another_namespace_than_the_release() -> None:
    assert {(kind, where) for kind, where, _ in made("bgp", **EVERYTHING) if where} >= {
        ("Role", "default"),
        ("RoleBinding", "default"),
    }
    assert not [name for name in made("bgp", **EVERYTHING) if name[1] == "exabgp-k8s"]


def test_a_value_of_false_leaves_its_objects_out() -> None:
    off = {"enabled": False}
    found = {kind for kind, _, _ in made(admission=off, bgpSpeakers=off)}

    assert not [each for each in found if each.startswith("Validating")]
    assert "CustomResourceDefinition" not in found
    assert {each["kind"] for each in made().values()} - found


def test_helm_itself_refuses_settings_that_a_schema_knows_as_wrong() -> None:
    code, said = helm("template", "any", chart.FOLDER, values={"settings": {"bgp": {}}})

    assert code != 0
    assert "missing propert" in said
