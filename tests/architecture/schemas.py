"""What Kubernetes takes of our manifests, by version: ``python -m tests.architecture.schemas``.

An API server says whether it takes an object, but most machines have none, and one is of one
version. So each version's own description of its objects is kept here, of all versions that we say
we run on the oldest, one in the middle and the newest tried. It has only the definitions that our
manifests touch, without their prose; a manifest that touches another one asks to run this again.

Needs ``go``, which fetches Kubernetes' module; nothing else of it is used.
"""

from __future__ import annotations

import functools
import json
import pathlib
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema
import referencing.exceptions
import yaml

from tests.architecture import helm, kustomize, repository

VERSIONS = ("1.30.14", "1.34.3", "1.36.3")
FOLDER = repository.ROOT / "tests" / "architecture" / "kubernetes"
KINDS = "x-kubernetes-group-version-kind"
OTHER_PEOPLES_KINDS = ("monitoring.coreos.com/", "security.openshift.io/")
"""The definitions of the Prometheus operator and of OpenShift are no part of Kubernetes."""
_PRESERVED = "x-kubernetes-preserve-unknown-fields"
_KEPT = frozenset(
    "$ref additionalProperties enum format items maxLength maximum minItems minLength minimum "
    f"pattern properties required type {KINDS} {_PRESERVED}".split()
)
SETTINGS = yaml.safe_load(repository.read("daemonset/settings.yaml"))
EVERYTHING = {
    name: {"enabled": True}
    for name in ("bfd", "lookingGlass", "monitoring", "openshift", "settingsCheck")
}
"""Values that bring each part of the chart that is optional."""


def ours() -> Iterator[dict[str, Any]]:
    """Yield all our objects, some of them more than once, but those of other programs' kinds."""
    whole = {
        "resources": [str(kustomize.BASE)],
        "components": [f"components/{each}" for each in kustomize.COMPONENTS],
    }
    examples = (
        each
        for path in kustomize.BASE.rglob("*.example.yaml")
        for each in yaml.safe_load_all(path.read_text("utf-8"))
    )
    rendered = helm.template({"settings": SETTINGS, **EVERYTHING})
    for each in (*kustomize.made(whole, kustomize.BASE), *rendered, *examples):
        if not each["apiVersion"].startswith(OTHER_PEOPLES_KINDS):
            yield each


class Version:
    """The objects of one version of Kubernetes."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self.definitions = definitions
        self._names = {
            (each["group"], each["version"], each["kind"]): name
            for name, definition in definitions.items()
            for each in definition.get(KINDS, ())
        }

    @classmethod
    def kept(cls, version: str) -> Version:
        """Return one that is kept here."""
        return cls(json.loads((FOLDER / f"{version}.json").read_text("utf-8")))

    def problems(self, found: dict[str, Any]) -> list[str]:
        """Return all that this version would not take of an object."""
        name = self._names.get(_kind(found))
        if name is None:
            return [f"{found['apiVersion']} {found['kind']}: there is no such kind"]
        judge = jsonschema.Draft4Validator(
            {"$ref": f"#/definitions/{name}", "definitions": self._strict}
        )
        try:
            errors = sorted(judge.iter_errors(found), key=lambda each: each.json_path)
        except referencing.exceptions.Unresolvable as missing:
            return [f"{missing.ref} is not kept: run python -m tests.architecture.schemas"]
        return [f"{found['kind']} {each.json_path}: {each.message}" for each in errors]

    @functools.cached_property
    def _strict(self) -> Any:
        return _strict(self.definitions)

    def touched(self, objects: Iterable[dict[str, Any]]) -> set[str]:
        """Return the names of the definitions that objects need."""
        found: set[str] = set()
        for each in objects:
            name = self._names.get(_kind(each))
            if name:
                self._touch({"$ref": f"#/definitions/{name}"}, each, found)
        return found

    def _touch(self, schema: Any, value: Any, found: set[str]) -> None:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            found.add(name)
            schema = self.definitions[name]
        if isinstance(value, list):
            for each in value:
                self._touch(schema.get("items", {}), each, found)
        elif isinstance(value, dict):
            known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
            for key, each in value.items():
                self._touch(known.get(key, others), each, found)


def _kind(found: dict[str, Any]) -> tuple[str, str, str]:
    group, _, version = found["apiVersion"].rpartition("/")
    return group, version, found["kind"]


def _strict(value: Any) -> Any:
    """Return a schema by which a field that it does not have is a problem."""
    if isinstance(value, list):
        return [_strict(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _strict(each) for key, each in value.items()}
    if isinstance(value.get("properties"), dict) and not value.get(_PRESERVED):
        found.setdefault("additionalProperties", False)
    if value.get("format") == "int-or-string":
        found["type"] = ["integer", "string"]
    return found


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without what says nothing about validity."""
    found = {key: each for key, each in schema.items() if key in _KEPT}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _bare(found[key])
    if "properties" in found:
        found["properties"] = {key: _bare(each) for key, each in found["properties"].items()}
    return found


def _module(name: str) -> pathlib.Path:
    """Return the folder of a Go module, after fetching it."""
    command = ["go", "mod", "download", "-json", name]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return pathlib.Path(json.loads(said)["Dir"])


def _of_kubernetes(version: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    spec = _module(f"k8s.io/kubernetes@v{version}") / "api" / "openapi-spec" / "swagger.json"
    whole = Version(json.loads(spec.read_text("utf-8"))["definitions"])
    return {name: _bare(whole.definitions[name]) for name in whole.touched(objects)}


def _keep(name: str, definitions: dict[str, Any]) -> None:
    lines = (f"{json.dumps(key)}: {json.dumps(definitions[key])}" for key in sorted(definitions))
    (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    manifests = list(ours())
    for each in VERSIONS:
        _keep(each, _of_kubernetes(each, manifests))
