"""The Helm chart, made from the manifests: ``python -m tests.architecture.chart``.

Two sources drift. So what the chart installs is read from ``daemonset/``; only what somebody may
choose becomes a value, by the tables here. A mark stands in the object for a piece of a template,
and becomes one when the object is text: alone on its line it is a block, else a part of a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from exabgp_k8s import __version__
from exabgp_k8s.settings import schema
from tests.architecture import repository

FOLDER = repository.ROOT / "daemonset" / "charts" / "exabgp-k8s"
HEAD = "{{/* Made from daemonset/ by `python -m tests.architecture.chart`: edit that. */}}\n"
NOT_HERE = {
    "labelled-nodes": "the value nodeSelector",
    "api-server": "the value apiServer",
    "settings-check": "the value settingsCheck, as a hook of Helm's",
}
"""Components that are something else in the chart."""
CHOSEN = {
    "bfd": ".Values.bfd.enabled",
    "looking-glass": ".Values.lookingGlass.enabled",
    "monitoring": ".Values.monitoring.enabled",
    "openshift": ".Values.openshift.enabled",
    "pods-from-calico": 'eq (dig "announce" "pods" "from" "node" .Values.settings) "calico"',
    "pods-from-cilium": 'eq (dig "announce" "pods" "from" "node" .Values.settings) "cilium"',
}
"""Which value brings a component."""
FILES = {
    "bgpspeakers.crd.yaml": ".Values.bgpSpeakers.enabled",
    "view.yaml": ".Values.bgpSpeakers.enabled",
    "admission.yaml": ".Values.admission.enabled",
    "settings-admission.yaml": ".Values.admission.enabled",
}
"""Which value brings a file of the base; the others are always there."""
IMAGE = (
    "{{ .Values.image.repository }}{{ with .Values.image.digest }}@{{ . }}{{ else }}:"
    "{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}"
)
NAMESPACE = "{{ .Release.Namespace }}"
NOTES = """\
The agents start on every Linux node{{ if .Values.nodeSelector }} with your labels{{ end }}:

  kubectl -n {{ .Release.Namespace }} rollout status daemonset exabgp-k8s
  kubectl -n {{ .Release.Namespace }} exec ds/exabgp-k8s -- exabgp-k8s status

No pods appear: kubectl -n {{ .Release.Namespace }} describe daemonset exabgp-k8s
says why. Most often the namespace has to allow the node's network:

  kubectl label namespace {{ .Release.Namespace }} pod-security.kubernetes.io/enforce=privileged

A session stays down: status names the reason and what to do. An edit of
`settings` needs no restart; the agents read it after a minute or two.
{{- if .Values.bgpSpeakers.enabled }}

All nodes at once:

  kubectl get bgpspeakers
{{- end }}
{{- if .Values.bfd.enabled }}

BFD: turn it off at the routers first, before you take bfd.enabled away or uninstall.
{{- end }}
"""
"""What Helm says at the end."""
PART_OF = {"app.kubernetes.io/part-of": "exabgp-k8s"}


def mark(template: str) -> str:
    """Return what stands for a piece of a template until the object is text."""
    return f"@@{template}@@"


def objects(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a manifest."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def text_of(document: dict[str, Any], condition: str | None = None) -> str:
    """Return an object as a template."""
    written = yaml.safe_dump(document, sort_keys=False, width=10_000, allow_unicode=True)
    # What looks like a template in an object, as in the words of an alert, is none of Helm's.
    written = re.sub(
        r"@@.*?@@|\{\{.*?\}\}",
        lambda found: found[0] if found[0].startswith("@") else "{{`" + found[0] + "`}}",
        written,
    )
    written = re.sub(r"^ *(?:- )?'?@@(.*?)@@'?(?:: null)?$", _block, written, flags=re.MULTILINE)
    written = re.sub(r"'?@@(.*?)@@'?", lambda found: found.group(1), written)
    return (
        f"{{{{- if {condition} }}}}\n---\n{written}{{{{- end }}}}\n"
        if condition
        else f"---\n{written}"
    )


def _block(found: re.Match[str]) -> str:
    return "{{- " + found.group(1).replace("''", "'") + " }}"


def adapted(document: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the manifests with the values that may be chosen."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    metadata = found["metadata"]
    metadata["labels"] = {**metadata.get("labels", {}), **PART_OF}
    for place in [metadata, *found.get("subjects", ())]:
        if place.get("namespace") == "exabgp-k8s":
            place["namespace"] = mark(NAMESPACE)
    if "users" in found:
        account = f"system:serviceaccount:{mark(NAMESPACE)}:exabgp-k8s"
        assert found["users"] == ["system:serviceaccount:exabgp-k8s:exabgp-k8s"]
        found["users"] = [account]
    selector = found.get("spec", {}).get("matchConstraints", {}).get("namespaceSelector")
    if selector:
        selector["matchLabels"]["kubernetes.io/metadata.name"] = mark(NAMESPACE)
    if "template" in found.get("spec", {}):
        _adapt_pod(found["spec"]["template"]["spec"])
    return found


def _adapt_pod(pod: dict[str, Any]) -> None:
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        container["image"] = mark(IMAGE)
        container["imagePullPolicy"] = mark("{{ .Values.image.pullPolicy }}")
    pod["nodeSelector"] = {
        **pod.get("nodeSelector", {}),
        mark("with .Values.nodeSelector"): None,
        mark("toYaml . | nindent 8"): None,
        mark("end"): None,
    }
    pod[mark("with .Values.image.pullSecrets")] = None
    pod["imagePullSecrets"] = [mark("toYaml . | nindent 8")]
    pod[mark("end")] = None


def speaker() -> dict[str, Any]:
    """Return the DaemonSet, with what values and components add to it."""
    found = adapted(repository.manifest("daemonset.yaml"))
    pod = found["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    container["resources"] = {mark("toYaml .Values.resources | nindent 12"): None}
    pod["volumes"][1]["secret"]["secretName"] = mark("{{ .Values.passwords.secretName }}")
    for name, value in (("HOST", "host"), ("PORT", "port")):
        variable = {"name": f"KUBERNETES_SERVICE_{name}"}
        variable["value"] = mark(f"{{{{ .Values.apiServer.{value} | quote }}}}")
        container["env"] += [mark("if .Values.apiServer.host"), variable, mark("end")]
    for name, condition in CHOSEN.items():
        for path, value in _added_by(name):
            place: Any = pod
            for key in path.removeprefix("/spec/template/spec/").split("/")[:-1]:
                place = place[int(key)] if key.isdigit() else place[key]
            place += [mark(f"if {condition}"), value, mark("end")]
    return found


def _added_by(name: str) -> Iterator[tuple[str, Any]]:
    """Yield what a component adds to lists of the DaemonSet."""
    path = repository.ROOT / "daemonset/components" / name / "kustomization.yaml"
    if path.exists():
        for patch in objects(path)[0].get("patches", ()):
            for each in yaml.safe_load(patch["patch"]):
                assert (each["op"], each["path"][-2:]) == ("add", "/-"), each
                yield each["path"], each["value"]


def check() -> str:
    """Return the Job that reads the settings before Helm changes anything, with its ConfigMap."""
    (job,) = objects(repository.ROOT / "daemonset/components/settings-check/job.yaml")
    job = adapted(job)
    hook = {
        "helm.sh/hook": "pre-install,pre-upgrade",
        # One that failed stays, for its log to be read.
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    job["metadata"]["annotations"] = {**hook, "helm.sh/hook-weight": "1"}
    given = config_map("exabgp-k8s-next")
    given["metadata"]["annotations"] = {**hook, "helm.sh/hook-weight": "0"}
    return "".join(text_of(each, ".Values.settingsCheck.enabled") for each in (given, job))


def config_map(name: str) -> dict[str, Any]:
    """Return a ConfigMap with the settings."""
    labels = {"app.kubernetes.io/name": "exabgp-k8s", **PART_OF}
    metadata = {"name": name, "namespace": mark(NAMESPACE), "labels": labels}
    data = {"settings.yaml": mark("{{ toYaml .Values.settings | quote }}")}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def values_schema() -> dict[str, Any]:
    """Return the schema of the values: that of the settings is a part of it."""
    settings = _without_lookarounds(schema.json_schema())
    known = settings.pop("$defs")
    for key in ("$schema", "$id"):
        settings.pop(key)
    defaults = yaml.safe_load((FOLDER / "values.yaml").read_text("utf-8"))
    properties = {key: _shape(value) for key, value in defaults.items()}
    properties["nodeSelector"] = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {**properties, "settings": settings, "global": {"type": "object"}},
        "required": ["settings"],
        "additionalProperties": False,
        "$defs": known,
    }


def _without_lookarounds(value: Any) -> Any:
    """Return a schema without the patterns that Go's regular expressions do not know."""
    if isinstance(value, dict):
        return {
            key: _without_lookarounds(each)
            for key, each in value.items()
            if not (key == "pattern" and isinstance(each, str) and re.search(r"\(\?[=!<]", each))
        }
    return [_without_lookarounds(each) for each in value] if isinstance(value, list) else value


def _shape(value: Any) -> dict[str, Any]:
    """Return what may stand in the place of a default."""
    if isinstance(value, dict):
        if set(value) <= {"requests", "limits"}:
            return {"type": "object"}
        parts = {key: _shape(each) for key, each in value.items()}
        return {"type": "object", "properties": parts, "additionalProperties": False}
    names = {bool: "boolean", int: "integer", str: "string", list: "array"}
    return {"type": names[type(value)]}


def render() -> dict[str, str]:
    """Return all generated files of the chart by name."""
    found = {"values.schema.json": json.dumps(values_schema(), indent=2) + "\n"}
    chart = {"apiVersion": "v2", "name": "exabgp-k8s", "type": "application"}
    chart["description"] = "BGP on every node: service and pod ranges announced by ExaBGP"
    chart |= {"version": __version__, "appVersion": __version__}
    found["Chart.yaml"] = yaml.safe_dump(chart, sort_keys=False)
    for name in repository.manifest("kustomization.yaml")["resources"]:
        if name not in ("namespace.yaml", "daemonset.yaml"):
            documents = objects(repository.ROOT / "daemonset" / name)
            found[f"templates/{name}"] = HEAD + "".join(
                text_of(adapted(each), FILES.get(name)) for each in documents
            )
    found["templates/daemonset.yaml"] = HEAD + text_of(speaker())
    found["templates/settings.yaml"] = HEAD + text_of(config_map("exabgp-k8s"))
    found["templates/NOTES.txt"] = NOTES
    found["templates/settings-check.yaml"] = HEAD + check()
    for name, condition in CHOSEN.items():
        folder = repository.ROOT / "daemonset/components" / name
        if folder.is_dir():
            found[f"templates/{name}.yaml"] = HEAD + "".join(
                text_of(adapted(each), condition)
                for file in objects(folder / "kustomization.yaml")[0]["resources"]
                for each in objects(folder / file)
            )
    return found


if __name__ == "__main__":
    for file, content in render().items():
        (FOLDER / file).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / file).write_text(content, encoding="utf-8")
