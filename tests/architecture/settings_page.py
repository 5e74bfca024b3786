"""``docs/reference/settings.md`` and the schema beside the example, made from one definition.

After a change of the settings:  python -m tests.architecture.settings_page
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from exabgp_k8s.core.facts import asns
from exabgp_k8s.settings import schema
from tests.architecture import repository

NAME = "docs/reference/settings.md"
SCHEMA_NAME = "daemonset/settings.schema.json"
Schema = Mapping[str, Any]

HEAD = """\
# Settings

One YAML document, `settings.yaml` of the ConfigMap; [an example](../../daemonset/settings.yaml).
Unknown keys, bad values and contradictions are refused, all of them at once, each with its line, its path and what to write instead: `exabgp-k8s config validate`.
A duration is a number with a unit: `500ms`, `9s`, `2m`, `1h`.
`exabgp-k8s config schema` prints the [JSON Schema](../../daemonset/settings.schema.json), which [editors understand](../how-to/peers.md#write-them-in-an-editor-that-knows-them); this page is made from it.
The defaults of `withdraw` are a table of their own: [Reasons](reasons.md).
"""  # noqa: E501 - a sentence a line


SHARED = {"Row": "CAUSE", "Cell": "CLASS", "ClassAttributes": "CLASS"}
"""Sections that stand below several keys, and what the path says instead of the first one."""


REPEATED = {"PeerDefaults": "The keys are those of `peers[]`, from `asn` on."}
"""Sections of which each key stands in another one's table, and which that is."""


def render() -> str:
    """Return the page."""
    document = schema.json_schema()
    return HEAD + "".join(_sections(document, document["$defs"], "", set()))


def _sections(section: Schema, known: Schema, path: str, done: set[str]) -> Iterator[str]:
    """Yield a section and what is below it; one that is used twice stands where it is first."""
    properties = section["properties"]
    if path:
        yield f"\n## `{path}`\n\n{_words(section['description'])}\n"
        if told := REPEATED.get(path[:1].upper() + path[1:]):
            yield f"{told}\n"
            return
    else:
        yield "\n## The document\n"
    yield "\n| key | value | default | meaning |\n|---|---|---|---|\n"
    for key, value in properties.items():
        cells = (f"`{key}`", _value(value, known), _default(key, value, section))
        yield f"| {' | '.join(cells)} | {_words(_description(value, known))} |\n"
    for key, value in properties.items():
        name, below = _below(value)
        mapping = _mapping(known[name]) if name else None
        if mapping is not None and name not in done:
            done.add(name)
            place = f"{path}.{SHARED.get(name, key)}{below}".lstrip(".")
            yield from _sections(mapping, known, place, done)


def _below(value: Schema) -> tuple[str, str]:
    """Return the name of the section that a value is, or is a list of; and how a path says it."""
    items = value.get("items", {})
    reference = str(value.get("$ref", items.get("$ref", "")))
    return reference.rpartition("/")[2], "[]" if "$ref" in items else ""


def _mapping(section: Schema) -> Schema | None:
    options = [section, *section.get("anyOf", ())]
    return next((each for each in options if "properties" in each), None)


def _description(value: Schema, known: Schema) -> str:
    name, _ = _below(value)
    return str(value.get("description") or known[name]["description"])


def _words(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|")


def _value(value: Schema, known: Schema) -> str:
    """Return in a few words what may be written."""
    if value.get("type") == "array":
        inner = _value(value["items"], known)
        return "list of mappings" if inner == "mapping" else f"list of {inner}"
    name, _ = _below(value)
    target = known[name] if name else value
    if "enum" in target:
        return ", ".join(f"`{word}`" for word in target["enum"])
    if "anyOf" in target:
        words = [_value(each, known) for each in target["anyOf"]]
        return " or ".join(words)
    if "properties" in target:
        return "mapping"
    return _scalar(target)


def _scalar(value: Schema) -> str:
    if value.get("pattern") == f"^{asns.DOTTED.pattern}$":
        return "two with a point"
    if str(value.get("pattern")).endswith("%$"):
        return "number or percentage"
    if value.get("type") == "integer":
        bounds = [str(value[key]) for key in ("minimum", "maximum") if key in value]
        return f"number, {' to '.join(bounds)}" if len(bounds) > 1 else "number"
    if value.get("type") == "boolean":
        return "`true`, `false`"
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "object":
        return "mapping"
    return "duration" if re.search(r"h\|ms", str(value.get("pattern"))) else "text"


def _default(key: str, value: Schema, section: Schema) -> str:
    if key in section.get("required", ()):
        return "**needed**"
    default = value.get("default")
    if default in (None, "", [], {}):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


if __name__ == "__main__":
    (repository.ROOT / NAME).write_text(render(), encoding="utf-8")
    (repository.ROOT / SCHEMA_NAME).write_text(schema.json_schema_text(), encoding="utf-8")
