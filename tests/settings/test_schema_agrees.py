"""Schema and program say the same: an editor marks what a node would refuse, and nothing else.

Whoever adds a setting has it looked at here without a line of their own: each text needs an
example, each mistake in ``test_mistakes`` is shown to the schema, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from exabgp_k8s.settings import patterns, problems, schema
from tests.architecture import repository
from tests.settings import samples, test_mistakes

SCHEMA = schema.json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

Path = tuple[str | int, ...]

ONLY_THE_PROGRAM = (
    "is not the start of its range",
    "is longer than a day",
    "at least 3s",
    "one lost KEEPALIVE would",
    "write at least 1s",
    "is tried again after at least",
    "BGP counts whole seconds",
    "a restart time is",
    "a BFD interval is",
    "load; write at least",
    "a probe needs time",
    "is an IPv4 address in an IPv6 spelling",
    "cannot be our end of a session",
    "is the router's own",
    "not among the families of the peer",
    "overlaps",
    "contains the router",
    "write at least 2m",
    "remove after",
    "a name of its own",
    "is longer than the interval",
)
"""What takes arithmetic, or two values far apart: no schema can say it."""

SAID = ("description", "title", "default")
IN_PLACE_OF = {"addresses": "address"}
"""Keys of a peer, each with the one of the smallest document that it stands in place of."""

WRONG: tuple[Any, ...] = (
    *("", " ", "a b", "\N{LATIN SMALL LETTER A WITH DIAERESIS}", "x" * 300, "-", "a/b/c", "5 s"),
    *("192.0.2.300", "01.2.3.4", "0.0.0.0", "224.0.0.5", "255.255.255.255", "192.0.2.1/24"),
    *("fe80::1", "ff02::5", "::", "1::2::3", "2001:db8::g", "10.0.0.0/33", "10.0.0.0/7", "10/8"),
    *(
        "10.0.0.1/8",
        "127.0.0.0/8",
        "ff00::/8",
        "fd00::/129",
        "65536:1",
        "1:65536",
        "1:2:4294967296",
    ),
    *("01:1", "http://", "http://a@b/", "ftp://a/", "host:0", "host:65536", "[::1]", "a:Never"),
    *("9", "9x", "1.5.5s", "{}", "a;b", 'a"b', "..x", "Auto", "yes"),
    *(-1, 1.5, 2**40, True, [], {}, ["x"], {"x": "y"}),
)


def followed(described: dict[str, Any]) -> dict[str, Any]:
    name = str(described.get("$ref", "")).rpartition("/")[2]
    return {**SCHEMA["$defs"][name], **described} if name else described


def leaves(described: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every place of the document at which one value stands, and what the schema says."""
    described = followed(described)
    forms = [followed(form) for form in described.get("anyOf", [described])]
    if not all(form.get("type") in ("object", "array") for form in forms):
        yield path, described
    for form in forms:
        if "items" in form:
            yield from leaves(form["items"], (*path, 0))
        for key, inner in form.get("properties", {}).items():
            yield from leaves(inner, (*path, key))
        if "propertyNames" in form:
            yield from leaves(form["additionalProperties"], (*path, "example.com/rack"))


LEAVES = dict(leaves(SCHEMA))
FORMS = {
    json.dumps({key: each for key, each in described.items() if key not in SAID}): path
    for path, described in reversed(LEAVES.items())
}
"""The first place of each kind of value: the same words are refused at all of them."""


def grown(path: Path, value: Any) -> Any:
    """Return the smallest document with a value at a path; lists are made as needed."""
    for part in reversed(path):
        value = [value] if isinstance(part, int) else {part: value}
    document = merged(samples.SMALLEST, value)
    for key, other in IN_PLACE_OF.items():
        if key in path:
            document["peers"][0].pop(other)
    return document


def merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: merged(base.get(key), value) for key, value in over.items()}
    if isinstance(base, list) and isinstance(over, list) and base and over:
        return [merged(base[0], over[0])]
    return over


def refused_by_program(document: Any) -> dict[str, str]:
    # JSON is YAML, and is written much faster.
    said = (problem.partition(": ") for problem in samples.problems(json.dumps(document)))
    return {path: message for path, _, message in said}


def refused_by_schema(document: Any) -> set[str]:
    waiting, found = list(VALIDATOR.iter_errors(document)), set()
    while waiting:
        error = waiting.pop()
        found.add(problems.path_of(tuple(error.absolute_path)))
        waiting += error.context or ()
    return found


@pytest.mark.parametrize("path", LEAVES, ids=problems.path_of)
def test_every_text_of_the_schema_has_an_example_that_both_take(path: Path) -> None:
    described = LEAVES[path]
    if "pattern" not in described and described.get("type") != "string":
        examples = described.get("enum", [])
    else:
        examples = described.get("enum") or described.get("examples", [])
        assert examples, (
            "give it examples, and a pattern where it has a form: settings/patterns.py"
        )
    for example in examples:
        document = grown(path, example)
        name = problems.path_of(path)
        assert name not in refused_by_program(document)
        assert name not in refused_by_schema(document)


@pytest.mark.parametrize("path", FORMS.values(), ids=problems.path_of)
def test_what_one_refuses_at_any_place_the_other_refuses_too(path: Path) -> None:
    whole = path
    while whole[:-1] in LEAVES:
        # The program speaks of the whole: {fromLabel: …} in place of a number.
        whole = whole[:-1]
    name = problems.path_of(whole)
    for value in WRONG:
        document = grown(path, value)
        by_program = refused_by_program(document)
        is_marked = any(
            each == name or each.startswith((f"{name}.", f"{name}["))
            for each in refused_by_schema(document)
        )
        said = [text for each, text in by_program.items() if each.startswith(name)]
        if said and all(
            any(word in text for word in (*ONLY_THE_PROGRAM, "goes with")) for text in said
        ):
            continue
        assert is_marked == bool(said), f"{value!r}: schema {is_marked}, program {said}"


@pytest.mark.parametrize(("path", "value", "place", "advice"), test_mistakes.MISTAKES)
def test_every_mistake_that_a_schema_can_see_is_marked(
    path: Path, value: Any, place: str, advice: str
) -> None:
    del place, advice
    document = samples.changed(path, value)
    (message,) = samples.problems(document)
    is_beyond = any(word in message for word in ONLY_THE_PROGRAM)

    assert VALIDATOR.is_valid(document) == is_beyond, message


def whole_documents() -> Iterator[Any]:
    yield pytest.param(yaml.safe_load(samples.SAMPLE), id="sample")
    yield pytest.param(yaml.safe_load(repository.read("daemonset/settings.yaml")), id="example")
    yield pytest.param(schema.effective(schema.Settings(**samples.SMALLEST)), id="effective")
    for page in repository.pages():
        blocks = repository.blocks(page, "yaml")
        documents = (each for block in blocks for each in yaml.safe_load_all(block))
        for number, document in enumerate(documents):
            if isinstance(document, dict) and {"bgp", "peers", "announce"} <= set(document):
                yield pytest.param(document, id=f"{page.name}-{number}")


@pytest.mark.parametrize("document", [*whole_documents()])
def test_no_editor_marks_a_document_that_a_node_takes(document: Any) -> None:
    assert samples.problems(document) == []
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


def test_the_schema_itself_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_patterns_are_written_in_what_editors_understand_too() -> None:
    """Python's own groups, anchors, classes and possessive quantifiers are not JavaScript's."""
    found = [described["pattern"] for described in LEAVES.values() if "pattern" in described]

    assert len(found) > 10
    for pattern in found:
        assert not re.search(r"\(\?[^:=!]|\\[AZdwsb]|[*+}]\+", pattern)


@pytest.mark.parametrize("maximum", [10, 255, 300, 4095, 65535])
def test_a_pattern_of_numbers_ends_where_it_should(maximum: int) -> None:
    pattern = re.compile(f"^{patterns.up_to(maximum)}$")
    numbers = range(maximum * 11)

    assert [number for number in numbers if pattern.search(str(number))] == [*range(maximum + 1)]
    assert not any(pattern.search(text) for text in ("", "00", "01", "+1", "-1", "1.0"))
