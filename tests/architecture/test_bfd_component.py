"""The component that brings the engine of BFD: what it may, and that both ends share one place."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from exabgp_k8s.agent import variables
from tests.architecture import repository

FOLDER = "components/bfd"


@pytest.fixture
def daemon_set() -> Any:
    return repository.manifest(f"{FOLDER}/daemonset.yaml")


@pytest.fixture
def engine(daemon_set: Any) -> Any:
    return daemon_set["spec"]["template"]["spec"]


def test_the_engine_has_one_right_and_our_other_containers_none(engine: Any) -> None:
    """Root by number only, since no other user is given NET_RAW without more than that."""
    (first,), (bird,) = engine["initContainers"], engine["containers"]

    for container, capabilities in (
        (first, {"drop": ["ALL"]}),
        (bird, {"drop": ["ALL"], "add": ["NET_RAW"]}),
    ):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": capabilities,
        }
    assert engine["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert engine["automountServiceAccountToken"] is False


def test_the_agents_group_is_the_engines(engine: Any) -> None:
    ours = repository.manifest("daemonset.yaml")["spec"]["template"]["spec"]["securityContext"]

    assert engine["securityContext"]["runAsGroup"] == ours["runAsGroup"]


def test_no_change_of_ours_replaces_an_engine(daemon_set: Any) -> None:
    assert daemon_set["spec"]["updateStrategy"] == {"type": "OnDelete"}


def test_both_ends_share_one_directory(engine: Any) -> None:
    component = repository.manifest(f"{FOLDER}/kustomization.yaml")
    (patch,) = component["patches"]
    added = {each["path"]: each["value"] for each in yaml.safe_load(patch["patch"])}
    volume = added["/spec/template/spec/volumes/-"]
    (shared,) = engine["volumes"]
    directory = volume["hostPath"]["path"]

    assert volume["hostPath"] == shared["hostPath"]
    assert added["/spec/template/spec/containers/0/env/-"] == {
        "name": variables.BFD_DIR, "value": directory,
    }  # fmt: skip
    assert added["/spec/template/spec/containers/0/volumeMounts/-"]["mountPath"] == directory
    for container in (*engine["initContainers"], *engine["containers"]):
        assert [each["mountPath"] for each in container["volumeMounts"]] == [directory]
    assert f"{directory}/bird.conf" in json.dumps(engine["containers"])


def test_a_cluster_without_bfd_has_nothing_of_it() -> None:
    whole = repository.read("daemonset/kustomization.yaml") + repository.read(
        "daemonset/daemonset.yaml"
    )
    active = [line for line in whole.splitlines() if not line.lstrip().startswith("#")]

    assert "bfd" not in "\n".join(active).lower()
