"""The manifests at a real API server: they build, are accepted, and change nothing twice.

Collected only where there is one: ``KUBEBUILDER_ASSETS``, see tests/support/controlplane.py.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.architecture import kustomize, repository, schemas, test_kustomizations
from tests.support import controlplane
from tests.support.lab import until

pytestmark = pytest.mark.functional

ADDRESS = {
    "name": "exabgp-k8s-api-server",
    "namespace": "exabgp-k8s",
    "literals": ["host=192.0.2.100", "port=6443"],
}
NEXT = {"name": "exabgp-k8s-next", "namespace": "exabgp-k8s", "files": ["settings.yaml"]}
SETTINGS = repository.read("daemonset/settings.yaml")


class Admin:
    """A cluster to which the base was applied, and the admin's kubectl."""

    def __init__(self, plane: controlplane.ControlPlane, folder: Path) -> None:
        self.plane = plane
        self._config = folder / "admin"
        self._config.write_text(apiserver.kubeconfig(plane.admin))

    def kubectl(self, *words: str | Path, given: str | None = None) -> tuple[int, str]:
        """Run kubectl; return its exit code and all that it said."""
        done = self._once(*words, given=given)
        while controlplane.TOO_BUSY in done.stdout:
            done = self._once(*words, given=given)
        return done.returncode, done.stdout

    def _once(self, *words: str | Path, given: str | None) -> subprocess.CompletedProcess[str]:
        program = controlplane.kubectl()
        assert program is not None
        return subprocess.run(
            [program, "--kubeconfig", self._config, *words],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def build(self, folder: Path) -> list[dict[str, Any]]:
        """Return the objects of a kustomization."""
        code, said = self.kubectl("kustomize", folder)
        assert code == 0, said
        return list(yaml.safe_load_all(said))

    def dry_run(self, command: str, *objects: dict[str, Any]) -> tuple[int, str]:
        """Have the API server say what it would do; of what it knows."""
        others = schemas.OTHER_PEOPLES_KINDS
        known = [each for each in objects if not each["apiVersion"].startswith(others)]
        text = yaml.safe_dump_all(known)
        return self.kubectl(command, "--dry-run=server", "--filename=-", given=text)

    def refusal(self, settings: str | None) -> str:
        """Return why these settings are refused; nothing: they are not."""
        data = {} if settings is None else {"settings.yaml": settings}
        code, said = self.dry_run("replace", config_map(data=data))
        return said if code else ""


def config_map(**content: Any) -> dict[str, Any]:
    """Return the ConfigMap of the settings."""
    metadata = {"name": "exabgp-k8s", "namespace": "exabgp-k8s"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **content}


def alike(objects: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return objects by name, without what depends on the version of kustomize.

    An older one, as in kubectl 1.30, makes ConfigMaps only after a component has set its labels.
    """
    for each in objects:
        if each["kind"] == "ConfigMap":
            each["metadata"].pop("labels", None)
    return kustomize.by_name(objects)


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    folder = tmp_path_factory.mktemp("control-plane")
    with controlplane.ControlPlane(folder) as running:
        found = Admin(running, folder)
        code, said = found.kubectl("apply", "-k", test_kustomizations.BASE)
        assert code == 0, said
        # It takes the server a moment until a policy is in force.
        until(lambda: bool(found.refusal(None)))
        yield found


def test_what_is_applied_again_changes_nothing(admin: Admin) -> None:
    code, said = admin.kubectl("apply", "-k", test_kustomizations.BASE)

    assert code == 0
    assert {line.rpartition(" ")[2] for line in said.splitlines()} == {"unchanged"}, said


@pytest.mark.parametrize("path", test_kustomizations.OVERLAYS, ids=test_kustomizations.named)
def test_the_api_server_takes_each_overlay(admin: Admin, path: Path) -> None:
    built = admin.build(path.parent)
    code, said = admin.dry_run("apply", *built)

    assert code == 0, said
    assert "Warning" not in said
    assert alike(built) == alike(kustomize.build(path.parent))


def test_all_components_build_and_apply_together(admin: Admin, tmp_path: Path) -> None:
    names = [path.parent.name for path in test_kustomizations.COMPONENTS]
    last = "labelled-nodes"
    document = {
        "resources": [_from(tmp_path, test_kustomizations.BASE)],
        "components": [
            _from(tmp_path, test_kustomizations.BASE / "components" / name)
            for name in sorted(names, key=lambda name: name == last)
        ],
        "configMapGenerator": [ADDRESS, NEXT],
    }
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(document))

    built = admin.build(tmp_path)
    code, said = admin.dry_run("apply", *built)
    assert code == 0, said
    assert alike(built) == alike(kustomize.build(tmp_path))
    wanted = {"kubernetes.io/os": "linux", "exabgp-k8s.io/speaker": "yes"}
    for each in built:
        if each["kind"] == "DaemonSet":
            assert each["spec"]["template"]["spec"]["nodeSelector"].items() >= wanted.items()


def _from(folder: Path, path: Path) -> str:
    """Return a path as kustomize takes it: relative."""
    return os.path.relpath(path, folder)


def test_but_for_the_nodes_network_the_pod_is_a_restricted_one(admin: Admin) -> None:
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    strict = {"metadata": {"name": "strict", "labels": level}}
    account = {"metadata": {"name": "exabgp-k8s", "namespace": "strict"}}
    admin.plane.apply({"apiVersion": "v1", "kind": "Namespace", **strict})
    admin.plane.apply({"apiVersion": "v1", "kind": "ServiceAccount", **account})
    template = repository.manifest("daemonset.yaml")["spec"]["template"]
    pod = {"metadata": {"name": "agent"}, "spec": template["spec"]}
    path = "/api/v1/namespaces/strict/pods?dryRun=All"

    said = admin.plane.refusal("POST", path, pod, controlplane.ADMIN_TOKEN)
    assert "PodSecurity" in said, said
    assert said.partition('"restricted:latest": ')[2] == (
        'host namespaces (hostNetwork=true), hostPort (container "exabgp-k8s" uses hostPort 9179)'
    )


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (None, "the key settings.yaml is missing or empty"),
        ("  \n", "the key settings.yaml is missing or empty"),
        (SETTINGS.replace("\npeers:", "\npeer:"), "settings.yaml needs bgp, peers and announce"),
        (SETTINGS.replace("\nhealth:", "\nheatlh:"), "no section of the settings: heatlh:"),
        (SETTINGS.replace("  asn: 64512", "\tasn: 64512"), "a line that begins with a tab"),
        (SETTINGS + "# more\n" * 40_000, "larger than 256 KiB"),
        (SETTINGS + "x\n" * 250_000, "larger than 256 KiB"),
        (SETTINGS + "\npeers: []\n", "has a section twice; keep one: peers"),
        (SETTINGS.replace("\npeers:", "\n<<<<<<< HEAD\npeers:"), "a merge that nobody finished"),
    ],
    ids=["absent", "empty", "peer", "heatlh", "tab", "large", "huge", "twice", "conflict"],
)
def test_settings_that_no_node_could_use_are_refused_with_the_reason(
    admin: Admin, settings: str | None, why: str
) -> None:
    assert why in admin.refusal(settings)


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        repository.read("docs/examples/fifty-racks.yaml"),
        "{bgp: {asn: 64512}, peers: [], announce: {}}",
        '# in JSON\n{"bgp": {},\n"peers": [],\n"announce": {}}',
        "---\n" + SETTINGS + "# more\n" * 30_000,
        SETTINGS.replace("\n", "\r\n"),
    ],
    ids=["example", "racks", "flow", "json", "large", "crlf"],
)
def test_settings_that_may_be_right_are_let_through(admin: Admin, settings: str) -> None:
    assert admin.refusal(settings) == ""


def test_a_config_map_that_could_never_be_edited_is_refused(admin: Admin) -> None:
    document = config_map(data={"settings.yaml": SETTINGS}, immutable=True)

    assert "could never be edited" in admin.dry_run("apply", document)[1]


def test_config_maps_of_other_names_are_nobodys_business(admin: Admin) -> None:
    document = config_map(data={"any": "thing"})
    document["metadata"]["name"] = "another"

    assert admin.dry_run("apply", document)[0] == 0
