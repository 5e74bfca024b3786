"""Three versions of Kubernetes take all that kustomize and Helm make of our manifests.

A real API server says more, where there is one: functional/test_applied.py. Here it is every
combination, also on a machine that has neither.
"""

from __future__ import annotations

import copy
import functools
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.architecture import helm, kustomize, schemas, test_kustomizations

COMPONENTS = sorted(kustomize.COMPONENTS, key=lambda name: name == "labelled-nodes")
"""The last one is about the pods of all others."""
PAIRS = list(itertools.combinations(COMPONENTS, 2))
PLACES = [kustomize.BASE, *(path.parent for path in test_kustomizations.OVERLAYS)]


@pytest.fixture(params=schemas.VERSIONS)
def version(request: pytest.FixtureRequest) -> schemas.Version:
    """One version of Kubernetes."""
    return kept(request.param)


@functools.cache
def kept(version: str) -> schemas.Version:
    """Return a version, read once."""
    return schemas.Version.kept(version)


def built(place: Path, *components: str) -> list[dict[str, Any]]:
    """Return a kustomization with components that it has not yet."""
    names = [f"components/{each}" for each in components]
    return kustomize.made({"resources": [str(place)], "components": names}, kustomize.BASE)


def problems(version: schemas.Version, objects: Iterable[dict[str, Any]]) -> list[str]:
    """Return what a version would not take; each object is looked at once."""
    different = {
        json.dumps(each): each
        for each in objects
        if not each["apiVersion"].startswith(schemas.OTHER_PEOPLES_KINDS)
    }
    return [said for each in different.values() for said in version.problems(each)]


def used(place: Path) -> set[str]:
    """Return the components that a kustomization has already."""
    document = test_kustomizations.read(place / "kustomization.yaml")
    return {Path(each).name for each in document.get("components", ())}


def test_the_base_and_each_overlay_are_taken(version: schemas.Version) -> None:
    assert not problems(version, [each for place in PLACES for each in kustomize.build(place)])


def test_each_component_goes_with_the_base_each_overlay_and_each_other(
    version: schemas.Version,
) -> None:
    alone = [
        each
        for place in PLACES
        for name in COMPONENTS
        if name not in used(place)
        for each in built(place, name)
    ]
    together = [each for pair in PAIRS for each in built(kustomize.BASE, *pair)]

    assert not problems(version, alone)
    assert not problems(version, together)


def test_what_a_component_brings_is_there_beside_each_other_one() -> None:
    for pair in PAIRS:
        both = kustomize.by_name(built(kustomize.BASE, *pair))
        for name in pair:
            assert both.keys() >= kustomize.by_name(built(kustomize.BASE, name)).keys()


@pytest.mark.parametrize("values", [{}, schemas.EVERYTHING], ids=["defaults", "everything"])
def test_the_chart_is_taken(version: schemas.Version, values: dict[str, Any]) -> None:
    found = helm.template({"settings": schemas.SETTINGS, **values})

    assert not problems(version, found)


def test_what_is_copied_by_hand_is_taken(version: schemas.Version) -> None:
    assert not problems(version, schemas.ours())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pod: pod.update(hostNetworks=True), "'hostNetworks' was unexpected"),
        (lambda pod: pod.update(hostNetwork="yes"), "'yes' is not of type 'boolean'"),
        (lambda pod: pod.pop("containers"), "'containers' is a required property"),
        (
            lambda pod: pod["volumes"].append({"name": "a", "nfs": {"path": "/", "server": "b"}}),
            "NFSVolumeSource is not kept: run python -m tests.architecture.schemas",
        ),
    ],
    ids=["misspelled", "wrong type", "missing", "not kept"],
)
def test_what_an_api_server_would_not_take_is_said(
    version: schemas.Version, change: Any, said: str
) -> None:
    found = kustomize.by_name(copy.deepcopy(kustomize.build(kustomize.BASE)))
    speaker = found["DaemonSet", "exabgp-k8s", "exabgp-k8s"]
    change(speaker["spec"]["template"]["spec"])

    (problem,) = version.problems(speaker)
    assert said in problem


def test_a_kind_that_a_version_has_not_is_said(version: schemas.Version) -> None:
    found = {"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": {}}

    assert version.problems(found) == ["policy/v1beta1 PodSecurityPolicy: there is no such kind"]
