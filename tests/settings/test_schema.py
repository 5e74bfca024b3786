"""The JSON Schema: generated from the one definition, and complete."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from exabgp_k8s.settings import schema
from tests.settings import samples

SCHEMA = schema.json_schema()


def resolved(described: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, and past the word that may stand for a list or a mapping."""
    if "$ref" in described:
        described = SCHEMA["$defs"][described["$ref"].rpartition("/")[2]]
    forms: list[dict[str, Any]] = described.get("anyOf", [described])
    return forms[-1]


def unknown(document: Any, described: dict[str, Any], path: str = "") -> list[str]:
    """Return the keys of a document that a schema does not know."""
    described = resolved(described)
    if isinstance(document, list):
        return [item for each in document for item in unknown(each, described["items"], path)]
    if not isinstance(document, dict) or "properties" not in described:
        return []
    known = described["properties"]
    below = (
        item
        for key, value in document.items()
        if key in known
        for item in unknown(value, known[key], f"{path}.{key}")
    )
    return [f"{path}.{key}" for key in document if key not in known] + list(below)


@pytest.mark.parametrize(
    "document",
    [yaml.safe_load(samples.SAMPLE), schema.effective(schema.Settings(**samples.SMALLEST))],
)
def test_every_key_that_is_read_is_described(document: Any) -> None:
    assert unknown(document, SCHEMA) == []


def test_a_key_that_is_not_read_is_not_described() -> None:
    document = samples.changed(("peers", 0, "hold_time"), "9s")

    assert unknown(document, SCHEMA) == [".peers.hold_time"]


@pytest.mark.parametrize("section", SCHEMA["$defs"])
def test_every_section_refuses_unknown_keys_and_describes_the_known(section: str) -> None:
    described = resolved({"$ref": f"#/$defs/{section}"})
    if "properties" not in described:
        assert described["enum"]
        return
    assert described["additionalProperties"] is False
    assert [
        key for key, each in described["properties"].items() if "description" not in each
    ] == []


def test_defaults_are_written_as_people_write_them() -> None:
    peer = SCHEMA["$defs"]["Peer"]["properties"]

    assert peer["holdTime"]["default"] == "9s"
    assert SCHEMA["$defs"]["Drain"]["properties"]["taints"]["default"][0] == (
        "ToBeDeletedByClusterAutoscaler"
    )


def test_the_schema_names_its_dialect_and_offers_no_null() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "null" not in json.dumps(SCHEMA)
