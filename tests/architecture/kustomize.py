"""What kustomize makes of our kustomizations, where there is no kustomize.

A fresh machine has neither kustomize nor kubectl, and the manifests are to be looked at there,
too. This does what our kustomizations ask for and nothing else: what it does not know is an error.
That it makes the same as the real one is tested where there is one: functional/test_applied.py.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.architecture import repository

Object = dict[str, Any]

BASE = repository.ROOT / "daemonset"
COMPONENTS = sorted(path.parent.name for path in BASE.glob("components/*/kustomization.yaml"))
READER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where there is one; and just as safe."""
_HASHED = str.maketrans("013ae", "ghkmt")
"""So that a hash in a name spells no word and is no number."""


def build(folder: Path) -> list[Object]:
    """Return the objects of a kustomization."""
    return made(_read(folder / "kustomization.yaml")[0], folder)


def made(document: Object, folder: Path, given: list[Object] | None = None) -> list[Object]:
    """Return what a kustomization makes of its own objects and of those that it was given."""
    found = given or []
    unknown = document.keys() - _STEPS.keys() - {"apiVersion", "kind"}
    assert not unknown, unknown
    for key, step in (*_STEPS.items(), ("configMapGenerator", _rename)):
        for each in document.get(key, ()):
            found = step(found, each, folder)
    return found


def by_name(objects: list[Object]) -> dict[tuple[str, ...], Object]:
    """Return objects by kind, namespace and name."""
    return {_key(each): each for each in objects}


def _resource(found: list[Object], name: str, folder: Path) -> list[Object]:
    path = folder / name
    more = build(path) if path.is_dir() else _read(path)
    both = by_name(found).keys() & by_name(more).keys()
    assert not both, f"twice: {both}"
    return found + more


def _component(found: list[Object], name: str, folder: Path) -> list[Object]:
    return made(_read(folder / name / "kustomization.yaml")[0], folder / name, found)


def _config_map(found: list[Object], asked: Object, folder: Path) -> list[Object]:
    data = {name: (folder / name).read_text("utf-8") for name in asked.get("files", ())}
    data |= dict(each.split("=", 1) for each in asked.get("literals", ()))
    options = asked.get("options", {})
    metadata = {key: asked[key] for key in ("name", "namespace")}
    metadata |= {key: options[key] for key in ("annotations",) if key in options}
    fresh = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    if asked.get("behavior") == "replace":
        by_name(found)[_key(fresh)]["data"] = data
        return found
    return [*found, fresh]


def _rename(found: list[Object], asked: Object, _folder: Path) -> list[Object]:
    """Have a ConfigMap and those that name it have the name that changes with what it says."""
    if asked.get("options", {}).get("disableNameSuffixHash"):
        return found
    given = by_name(found)["ConfigMap", asked["namespace"], asked["name"]]
    name = f"{asked['name']}-{_hash(given['data'])}"
    for reference in [given["metadata"], *_references(found)]:
        if reference["name"] == asked["name"]:
            reference["name"] = name
    return found


def _hash(data: dict[str, str]) -> str:
    """Return what kustomize ends the name of a ConfigMap with; the name is no part of it."""
    document = {"data": data, "kind": "ConfigMap", "name": ""}
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for each in "<>&":
        text = text.replace(each, f"\\u{ord(each):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_HASHED)


def _references(found: list[Object]) -> Iterator[Object]:
    """Yield every place of a pod that names a ConfigMap."""
    for pod in map(_pod, found):
        places = [each.get("configMap") for each in pod.get("volumes", ())]
        places += [
            variable.get("valueFrom", {}).get("configMapKeyRef")
            for container in pod.get("containers", ())
            for variable in container.get("env", ())
        ]
        yield from filter(None, places)


def _patch(found: list[Object], asked: Object, _folder: Path) -> list[Object]:
    change = yaml.safe_load(asked["patch"])
    for each in found:
        if not _is_meant(each, asked["target"]):
            continue
        if isinstance(change, list):
            for one in change:
                _add(each, **one)
        else:
            _merge(each, {key: change[key] for key in change.keys() - {"metadata"}})
    return found


def _is_meant(found: Object, target: Object) -> bool:
    name, _, value = target.get("labelSelector", "").partition("=")
    return (
        found["kind"] == target["kind"]
        and target.get("name") in (None, found["metadata"]["name"])
        and (not name or found["metadata"]["labels"].get(name) == value)
    )


def _add(found: Any, *, op: str, path: str, value: Any) -> None:
    *parents, last = path.strip("/").split("/")
    for each in parents:
        found = found[int(each) if each.isdigit() else each]
    assert (op, last) == ("add", "-"), path
    found.append(copy.deepcopy(value))


def _merge(found: Object, change: Object) -> None:
    for key, value in change.items():
        if isinstance(value, dict):
            _merge(found.setdefault(key, {}), value)
        else:
            assert isinstance(value, str), key
            found[key] = value


def _label(found: list[Object], asked: Object, _folder: Path) -> list[Object]:
    for each in found:
        each["metadata"].setdefault("labels", {}).update(asked["pairs"])
    return found


def _image(found: list[Object], asked: Object, _folder: Path) -> list[Object]:
    for pod in map(_pod, found):
        for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
            if container["image"].partition(":")[0] == asked["name"]:
                container["image"] = f"{asked.get('newName', asked['name'])}:{asked['newTag']}"
    return found


_STEPS: dict[str, Callable[[list[Object], Any, Path], list[Object]]] = {
    "resources": _resource,
    "configMapGenerator": _config_map,
    "components": _component,
    "patches": _patch,
    "labels": _label,
    "images": _image,
}


def _pod(found: Object) -> Object:
    pod: Object = found.get("spec", {}).get("template", {}).get("spec", {})
    return pod if found["kind"] in ("DaemonSet", "Deployment", "Job") else {}


def _key(found: Object) -> tuple[str, ...]:
    metadata = found["metadata"]
    return found["kind"], metadata.get("namespace", ""), metadata["name"]


def _read(path: Path) -> list[Object]:
    return copy.deepcopy(_parsed(path))


@functools.cache
def _parsed(path: Path) -> list[Object]:
    # An object that is an alias of another one is one of its own here.
    text = json.dumps(list(yaml.load_all(path.read_text("utf-8"), READER)))
    found: list[Object] = json.loads(text)
    return found
