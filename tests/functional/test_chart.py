"""What real Helm makes of the chart is what real kustomize makes of the manifests.

Collected only where there are both: ``helm`` on the PATH, and ``KUBEBUILDER_ASSETS`` with kubectl.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture import chart, repository, test_kustomizations
from tests.support import controlplane

pytestmark = pytest.mark.functional

SETTINGS = yaml.safe_load(repository.read("daemonset/settings.yaml"))
EVERYTHING = {
    name: {"enabled": True} for name in ("bfd", "lookingGlass", "monitoring", "settingsCheck")
}


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
    values = {"settings": SETTINGS, "settingsCheck": {"enabled": False}, **values}
    code, said = helm("template", "any", chart.FOLDER, "--namespace", namespace, values=values)
    assert code == 0, said
    return by_name(said)


def by_name(text: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return objects by kind, namespace and name."""
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in yaml.safe_load_all(text)
        if each
    }


def built(folder: Path, *components: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return what kustomize makes of the base with components, without the namespace."""
    base = test_kustomizations.BASE.relative_to("/")
    up = Path(*[".."] * (len(folder.parts) - 1))
    document = {
        # What the base says of the image is not said of the components above it.
        "images": repository.manifest("kustomization.yaml")["images"],
        "resources": [str(up / base)],
        "components": [str(up / base / "components" / each) for each in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(document))
    program = controlplane.kubectl()
    assert program is not None
    command = [str(program), "kustomize", str(folder)]
    found = by_name(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    del found["Namespace", "", "exabgp-k8s"]
    return found


def without_settings(
    objects: dict[tuple[str, ...], dict[str, Any]],
) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the objects with the settings as what they mean, and defaults as Kubernetes' own."""
    settings = objects["ConfigMap", "exabgp-k8s", "exabgp-k8s"]["data"]
    settings["settings.yaml"] = yaml.safe_load(settings["settings.yaml"])
    for each in objects.values():
        pod = each.get("spec", {}).get("template", {}).get("spec", {})
        for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
            container.pop("imagePullPolicy", None)
    return objects


@pytest.mark.parametrize(
    ("components", "values"),
    [
        ([], {}),
        (["bfd"], {"bfd": {"enabled": True}}),
        (["looking-glass"], {"lookingGlass": {"enabled": True}}),
        (["monitoring"], {"monitoring": {"enabled": True}}),
    ],
    ids=["base", "bfd", "looking-glass", "monitoring"],
)
def test_helm_and_kustomize_make_the_same_objects(
    tmp_path: Path, components: list[str], values: dict[str, Any]
) -> None:
    ours = without_settings(made(**values))
    theirs = without_settings(built(tmp_path, *components))
    config = "ConfigMap", "exabgp-k8s", "exabgp-k8s"
    ours[config]["metadata"].pop("labels")
    theirs[config]["metadata"].pop("labels")

    assert ours.keys() == theirs.keys()
    for name, found in theirs.items():
        assert ours[name] == found


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
