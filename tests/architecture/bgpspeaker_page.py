"""``daemonset/bgpspeakers.crd.yaml`` and ``docs/reference/bgpspeaker.md``, made from one table.

After a change of ``wire.speaker_fields``:  python -m tests.architecture.bgpspeaker_page
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from exabgp_k8s.wire import bgpspeaker, speaker_fields
from exabgp_k8s.wire.speaker_fields import Field, Kind
from tests.architecture import repository

PAGE = "docs/reference/bgpspeaker.md"
DEFINITION = "daemonset/bgpspeakers.crd.yaml"
ABOUT = "What one node announces to its routers, and why not; written by that node's agent only."

HEAD = """\
# Made from exabgp_k8s/wire/speaker_fields.py by python -m tests.architecture.bgpspeaker_page
"""

WIDE = 1
"""The priority of a column that only ``-o wide`` shows."""

COLUMNS = (
    ("Sessions", "string", ".status.summary.sessions", 0),
    ("Services", "string", ".status.summary.services", 0),
    ("Pods", "string", ".status.summary.pods", 0),
    ("Reason", "string", ".status.summary.reason", 0),
    ("Since", "date", ".status.summary.since", 0),
    ("Stale", "boolean", ".status.settings.stale", 0),
    ("Phase", "string", ".status.phase", WIDE),
    ("Version", "string", ".status.version", WIDE),
    ("Settings", "string", ".status.settings.digest", WIDE),
    ("Last-Contact", "date", ".status.lastContact", WIDE),
    ("Announcing", "string", '.status.conditions[?(@.type=="Announcing")].message', WIDE),
)


def definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition."""
    status = {"description": "What is so now.", **_object(speaker_fields.STATUS)}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{bgpspeaker.PLURAL}.{bgpspeaker.GROUP}",
            "labels": {"app.kubernetes.io/name": "exabgp-k8s"},
        },
        "spec": {
            "group": bgpspeaker.GROUP,
            "scope": "Cluster",
            "names": {
                "kind": bgpspeaker.KIND,
                "listKind": f"{bgpspeaker.KIND}List",
                "plural": bgpspeaker.PLURAL,
                "singular": bgpspeaker.KIND.lower(),
                "shortNames": ["bgps"],
            },
            "versions": [
                {
                    "name": bgpspeaker.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(*each) for each in COLUMNS],
                    "schema": {
                        "openAPIV3Schema": {
                            "description": ABOUT,
                            "type": "object",
                            "properties": {"status": status},
                        }
                    },
                }
            ],
        },
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    shown = {"name": name, "type": kind, "jsonPath": path}
    return {**shown, "priority": priority} if priority else shown


def _object(fields: Sequence[Field]) -> dict[str, Any]:
    needed = [each.name for each in fields if each.is_needed]
    return {
        "type": "object",
        "properties": {each.name: {"description": each.about, **_schema(each)} for each in fields},
        **({"required": needed} if needed else {}),
    }


def _schema(field: Field) -> dict[str, Any]:
    match field.kind:
        case Kind.TEXT:
            return {"type": "string", "maxLength": field.most}
        case Kind.NUMBER:
            return {"type": "integer", "format": "int64", "minimum": 0, "maximum": field.most}
        case Kind.FLAG:
            return {"type": "boolean"}
        case Kind.SINCE | Kind.MADE:
            return {"type": "string", "format": "date-time"}
        case Kind.TEXTS:
            items = {"type": "string", "maxLength": speaker_fields.LONGEST_TEXT}
            return {"type": "array", "maxItems": field.most, "items": items}
        case Kind.ROW:
            return _object(field.of)
        case Kind.ROWS:
            merged = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [*field.key]}
            kind = merged if field.is_map else {"x-kubernetes-list-type": "atomic"}
            return {
                "type": "array",
                "maxItems": field.most,
                "items": _object(field.of),
                **kind,
            }


def manifest() -> str:
    """Return the text of the file."""
    return HEAD + yaml.safe_dump(definition(), sort_keys=False, width=96, allow_unicode=True)


def page() -> str:
    """Return the reference page: what is written by hand, and the table of the fields."""
    text = repository.read(PAGE)
    for name, made in (("columns", _columns()), ("fields", _fields())):
        begin, end = f"<!-- {name}: made -->\n", f"<!-- {name}: until here -->\n"
        before, rest = text.split(begin)
        text = f"{before}{begin}{made}{end}{rest.split(end)[1]}"
    return text


def _columns() -> str:
    rows = [
        f"| `{name.upper()}` | {'`-o wide`' if priority else ''} | `{path}` |\n"
        for name, _, path, priority in COLUMNS
    ]
    return "\n| column | only with | field |\n|---|---|---|\n" + "".join(rows) + "\n"


def _fields() -> str:
    return "".join(("\n| field | value | meaning |\n|---|---|---|\n", *_rows(), "\n"))


def _rows() -> Iterator[str]:
    for path, field in speaker_fields.walk(speaker_fields.STATUS):
        yield f"| `{path}` | {_value(field)} | {field.about} |\n"


def _value(field: Field) -> str:
    match field.kind:
        case Kind.TEXT:
            return f"text, {field.most} characters"
        case Kind.NUMBER:
            return "number"
        case Kind.FLAG:
            return "`true`, `false`"
        case Kind.SINCE | Kind.MADE:
            return "time"
        case Kind.TEXTS:
            return f"list of {field.most} texts"
        case Kind.ROW:
            return "object"
        case Kind.ROWS:
            return f"list of {field.most} objects"


if __name__ == "__main__":
    (repository.ROOT / DEFINITION).write_text(manifest(), encoding="utf-8")
    (repository.ROOT / PAGE).write_text(page(), encoding="utf-8")
