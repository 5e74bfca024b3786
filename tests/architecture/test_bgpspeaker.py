"""The definition of BGPSpeakers: made from the table of fields, and true to real objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import conditions, speaker
from exabgp_k8s.wire import bgpspeaker
from tests.architecture import bgpspeaker_page, repository
from tests.support import builders
from tests.support.builders import TOR_B, after
from tests.wire import test_bgpspeaker as objects

HELD = builders.a_config(peers=(builders.a_peer(password_from="x"),))
WORLDS = {
    "empty": World(),
    "serving": builders.a_serving_world(),
    "one router away": after(builders.a_serving_world(), builders.down(TOR_B)),
    "no pod range": builders.a_world(node=builders.a_node(pod_cidrs=())),
    "held": builders.a_world(settings=HELD),
    "refused": after(builders.a_serving_world(), events.ConfigRefused(problems=("x",))),
}


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that takes no field that it does not name; the API drops those."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        found[key] = closed(value) if isinstance(value, Mapping) else value
    if "properties" in schema and schema.get("type") == "object":
        found["additionalProperties"] = False
    return found


def status_schema() -> dict[str, Any]:
    (version,) = bgpspeaker_page.definition()["spec"]["versions"]
    return closed(version["schema"]["openAPIV3Schema"]["properties"]["status"])


def test_the_definition_is_made_from_the_table() -> None:
    """Otherwise run ``python -m tests.architecture.bgpspeaker_page``."""
    assert repository.read(bgpspeaker_page.DEFINITION) == bgpspeaker_page.manifest()


def test_the_reference_page_is_made_from_the_table() -> None:
    """Otherwise run ``python -m tests.architecture.bgpspeaker_page``."""
    assert repository.read(bgpspeaker_page.PAGE) == bgpspeaker_page.page()


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_real_objects_fit_the_definition(world: World) -> None:
    rows = speaker.status(builders.turn(world, objects.NOW), objects.NOW)
    found = bgpspeaker.status(rows, {}, objects.AT, version="1", digest="d")

    jsonschema.validate({**found, "lastContact": bgpspeaker.moment(0)}, status_schema())


@pytest.mark.parametrize(("peers", "prefixes", "name"), [(8, 8, 63), (200, 200, 30), (1, 1, 8)])
def test_objects_that_are_cut_fit_the_definition(peers: int, prefixes: int, name: int) -> None:
    rows = objects.long_rows(peers, prefixes, name=name)

    found = bgpspeaker.status(rows, {}, objects.AT, version="1", digest="d")

    jsonschema.validate(found, status_schema())


def test_every_field_has_a_description_and_a_bound() -> None:
    bounds = {"string": {"maxLength", "format"}, "integer": {"maximum"}, "array": {"maxItems"}}
    for path, schema in fields(status_schema()):
        assert schema.get("description"), path
        assert bounds.get(schema["type"], set()) & set(schema) or schema["type"] in {
            "boolean",
            "object",
        }, path


def fields(schema: Mapping[str, Any], path: str = "status") -> Iterator[tuple[str, Any]]:
    """Yield every property with its path."""
    for name, each in schema.get("properties", {}).items():
        yield f"{path}.{name}", each
        yield from fields(each.get("items", each), f"{path}.{name}")


def test_conditions_are_a_map_by_their_type() -> None:
    """So that generic tools can tell them apart, and server-side apply can merge them."""
    found = status_schema()["properties"]["conditions"]

    assert found["x-kubernetes-list-type"] == "map"
    assert found["x-kubernetes-list-map-keys"] == ["type"]
    assert set(found["items"]["required"]) == {
        "type", "status", "reason", "message", "lastTransitionTime"
    }  # fmt: skip


def test_every_condition_and_reason_of_one_is_documented() -> None:
    page = repository.read(bgpspeaker_page.PAGE)

    assert all(f"| `{each}` |" in page for each in conditions.Type)
    for word in ("Announced", "PartlyAnnounced", "Sending", "Withdrawing", "SessionLost"):
        assert f"`{word}`" in page


def test_the_columns_show_fields_that_there_are() -> None:
    known = {path for path, _ in fields(status_schema())}

    for _, _, path, _ in bgpspeaker_page.COLUMNS:
        assert path.partition("[?")[0].lstrip(".") in known


def test_the_definition_comes_with_the_rest_in_one_go() -> None:
    resources = repository.manifest("kustomization.yaml")["resources"]

    assert bgpspeaker_page.DEFINITION.partition("/")[2] in resources


def test_the_definition_is_json() -> None:
    assert json.loads(json.dumps(bgpspeaker_page.definition()))
