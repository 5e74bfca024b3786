"""Components and overlays: what they name is there, and what they patch is one thing.

That they build and apply, alone and together, is tried by kubectl at a real API server where
there is one: functional/test_applied.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exabgp_k8s.settings import load, mounted, schema
from tests.architecture import repository

BASE = repository.ROOT / "daemonset"
COMPONENTS = sorted(BASE.glob("components/*/kustomization.yaml"))
EXAMPLES = repository.ROOT / "docs" / "examples" / "overlays"
OVERLAYS = sorted(EXAMPLES.glob("*/kustomization.yaml"))
ALL = [BASE / "kustomization.yaml", *COMPONENTS, *OVERLAYS]
POLICY = "exabgp-k8s-settings"


def named(path: Path) -> str:
    """Return the name of a kustomization's folder."""
    return path.parent.name


def read(path: Path) -> dict[str, Any]:
    """Return a kustomization."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def policy() -> dict[str, Any]:
    """The policy about the ConfigMap."""
    return next(
        each["spec"]
        for each in yaml.safe_load_all(repository.read("daemonset/settings-admission.yaml"))
        if each["kind"] == "ValidatingAdmissionPolicy"
    )


@pytest.mark.parametrize("path", ALL, ids=named)
def test_all_that_a_kustomization_names_is_there(path: Path) -> None:
    document = read(path)
    files = [
        name for each in document.get("configMapGenerator", ()) for name in each.get("files", ())
    ]

    for name in [*document.get("resources", ()), *document.get("components", ()), *files]:
        assert (path.parent / name).exists(), name


@pytest.mark.parametrize("path", OVERLAYS, ids=named)
def test_the_settings_of_an_overlay_are_valid_and_keep_the_name_that_is_mounted(
    path: Path,
) -> None:
    document = read(path)
    (ours,) = [each for each in document["configMapGenerator"] if each["name"] == "exabgp-k8s"]

    assert ours["behavior"] == "replace"
    assert ours["files"] == ["settings.yaml"]
    assert ours["options"]["disableNameSuffixHash"] is True
    assert "namespace" not in document
    assert load.parse((path.parent / "settings.yaml").read_text("utf-8"), "settings.yaml").peers


@pytest.mark.parametrize("path", OVERLAYS, ids=named)
def test_an_overlay_has_the_right_to_the_plugins_objects_that_its_settings_ask_for(
    path: Path,
) -> None:
    written = yaml.safe_load((path.parent / "settings.yaml").read_text("utf-8"))
    source = written["announce"]["pods"].get("from")
    components = [Path(each).name for each in read(path).get("components", ())]

    assert [each for each in components if each.startswith("pods-from-")] == (
        [f"pods-from-{source}"] if source else []
    )


def test_the_component_names_the_variables_that_choose_an_api_server() -> None:
    (patch,) = read(BASE / "components/api-server/kustomization.yaml")["patches"]

    assert [each["value"]["name"] for each in yaml.safe_load(patch["patch"])] == [
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
    ]


def test_openshift_is_asked_for_what_the_pod_is_and_no_more() -> None:
    allowed = yaml.safe_load((BASE / "components/openshift/scc.yaml").read_text("utf-8"))
    pod = repository.manifest("daemonset.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    user, strict = pod["securityContext"], container["securityContext"]
    kinds = {key for each in pod["volumes"] for key in each if key != "name"}

    assert allowed["users"] == ["system:serviceaccount:exabgp-k8s:exabgp-k8s"]
    assert allowed["runAsUser"] == {"type": "MustRunAs", "uid": user["runAsUser"]}
    assert allowed["fsGroup"]["ranges"] == [{"min": user["fsGroup"], "max": user["fsGroup"]}]
    assert allowed["requiredDropCapabilities"] == strict["capabilities"]["drop"]
    assert allowed["readOnlyRootFilesystem"] is strict["readOnlyRootFilesystem"] is True
    assert allowed["allowPrivilegeEscalation"] is strict["allowPrivilegeEscalation"] is False
    # Kubernetes mounts the account's token as a volume of this kind.
    assert set(allowed["volumes"]) == {"projected", *kinds}
    assert {
        key for key, value in allowed.items() if key.startswith("allow") and value is True
    } == {
        "allowHostNetwork",
        "allowHostPorts",
    }


def test_the_job_before_a_sync_reads_the_settings_that_come() -> None:
    folder = BASE / "components/settings-check"
    job = yaml.safe_load((folder / "job.yaml").read_text("utf-8"))
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = pod["volumes"]

    given = repository.parse(container["args"]).params["path"]
    assert str(given) == f"{mount['mountPath']}/settings.yaml"
    assert f"name: {volume['configMap']['name']}\n" in (folder / "kustomization.yaml").read_text()
    assert pod["automountServiceAccountToken"] is False


def test_the_policy_knows_every_section_and_which_are_needed(policy: dict[str, Any]) -> None:
    said = "\n".join(each["expression"] for each in policy["validations"])
    known = schema.json_schema()
    (needed,) = re.findall(r'\["(.*?)"\]\.all', said)
    (sections,) = set(
        re.findall(r"\^\(([a-zA-Z|]+)\)", repository.read("daemonset/settings-admission.yaml"))
    )

    assert needed.split('", "') == known["required"]
    assert sections.split("|") == list(known["properties"])
    limits = [each["expression"] for each in policy["variables"] if each["name"] == "isTooLarge"]
    assert limits == [f"size(variables.whole) > {mounted.LARGEST}"]
    (twice,) = re.findall(
        r'key in\s+\["(.*?)"\]', repository.read("daemonset/settings-admission.yaml")
    )
    assert twice.split('", "') == list(known["properties"])


def test_the_policy_is_about_the_config_map_that_is_mounted(policy: dict[str, Any]) -> None:
    (generated,) = repository.manifest("kustomization.yaml")["configMapGenerator"]
    (rule,) = policy["matchConstraints"]["resourceRules"]

    assert rule["resourceNames"] == [generated["name"]]
    assert policy["matchConstraints"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": generated["namespace"]
    }
    assert policy["variables"][0]["expression"].count(f'"{generated["files"][0]}"') == 1


def test_the_policy_lets_through_what_it_cannot_judge(policy: dict[str, Any]) -> None:
    """Agents refuse bad settings anyway; an edit that mends a fault must not hang on this."""
    assert policy["failurePolicy"] == "Ignore"
