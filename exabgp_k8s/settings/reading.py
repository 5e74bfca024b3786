"""From the text of the settings document to plain values, at a price that is known before.

The document is YAML as people mean it (the core schema of YAML 1.2): ``64512:10`` is text, not
a number in base 60, and ``no`` is not a boolean. Duplicate keys, anchors and tags are refused,
because each of them makes the file say something else than what a reader sees.

It is read from the parser's events, without the tree of nodes that PyYAML would build: that one
costs a hundred megabytes for a quarter of one, on every node at once.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from exabgp_k8s import errors
from exabgp_k8s.settings import decimals, problems

DEEPEST = 32
"""Levels of nesting; the document has seven."""
MOST = 50_000
"""Keys and values; 3,500 peers with a selector each have so many."""

PARSER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, ten times as fast; a PyYAML that was built without it has its own."""

SCALARS: Mapping[str, tuple[str, str]] = {
    # tag: (what it looks like, the characters it may begin with, besides none at all)
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", "~nN"),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "tag:yaml.org,2002:int": (r"[-+]?(0|[1-9][0-9]{0,18})", "-+0123456789"),
    "tag:yaml.org,2002:float": (r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
}
TEXT = "tag:yaml.org,2002:str"
LIST, MAPPING = "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"

PATTERNS = {tag: re.compile(pattern) for tag, (pattern, _) in SCALARS.items()}
BY_FIRST: Mapping[str, tuple[str, ...]] = {
    first: tuple(tag for tag, (_, firsts) in SCALARS.items() if first in firsts)
    for first in "~nNtTfF-+0123456789"
}

READ: Mapping[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": decimals.Decimal,
    TEXT: str,
}


def read(text: str, source: str, found: problems.Found) -> Any:
    """Return what a text says as plain values, and add the keys that it says twice to ``found``.

    Raises:
        SettingsError: where the text is not YAML, or YAML of a kind that is refused.
    """
    try:
        return _Reader(text, found).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        words = (part for part in (error.context, error.problem) if part)
        message = f"not YAML as it is used here: {', '.join(words)}"
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        if PARSER is not yaml.SafeLoader:
            # libyaml counts bytes.
            before = _raw(text)[: error.position].decode("utf-8", "replace")
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = "a control character; YAML is printable text"
    problem = dataclasses.replace(
        problems.bounded(errors.Problem("", message)), line=place[0], column=place[1]
    )
    raise errors.SettingsError((problem,), source)


def parser(text: str) -> Any:
    """Return the parser of a text, which yields its events."""
    return PARSER(_raw(text))


def _raw(text: str) -> bytes:
    # Half of a pair is no text, and the parser is to say where it stands.
    return text.encode("utf-8", "surrogatepass")


class _Reader:
    """One document, from the events of its parser."""

    def __init__(self, text: str, found: problems.Found) -> None:
        self._parser = parser(text)
        self._found = found
        self._path: list[str | int] = []
        self._count = 0

    def document(self) -> Any:
        """Return the one document that there may be; None for an empty text."""
        try:
            self._next()
            if isinstance(self._next(), yaml.StreamEndEvent):
                return None
            value = self._value(self._next())
            self._next()
            event = self._next()
        except (ValueError, OverflowError) as error:
            # PyYAML's own parser believes every number in an escape or a %YAML line.
            raise yaml.MarkedYAMLError(
                problem=f"a number that cannot be meant: {error}",
                problem_mark=self._parser.get_mark(),
            ) from None
        if not isinstance(event, yaml.StreamEndEvent):
            raise _refused("but found another document", event)
        return value

    def _next(self) -> Any:
        return self._parser.get_event()

    def _value(self, event: Any) -> Any:
        self._count += 1
        if self._count > MOST:
            raise _refused(f"more than {MOST} keys and values; is it the right file?", event)
        if getattr(event, "anchor", None) is not None:
            raise _refused("anchors and aliases are not used here; write the value out", event)
        if len(self._path) >= DEEPEST:
            raise _refused("nested too deeply for a settings document", event)
        match event:
            case yaml.ScalarEvent():
                return scalar(event)
            case yaml.SequenceStartEvent(tag=None | "!" | "tag:yaml.org,2002:seq"):
                return self._list()
            case yaml.MappingStartEvent(tag=None | "!" | "tag:yaml.org,2002:map"):
                return self._mapping()
            case _:
                raise _unknown_tag(event)

    def _list(self) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            self._path.append(len(items))
            items.append(self._value(event))
            self._path.pop()
        return items

    def _mapping(self) -> dict[str, Any]:
        """Return a mapping; of a key written twice the first one counts, and both are reported."""
        lines: dict[str, int] = {}
        mapping: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            # A key is text whatever it looks like: a label may well be called 1 or true.
            key = event.value if isinstance(event, yaml.ScalarEvent) else "?"
            line = event.start_mark.line + 1
            self._path.append(key)
            self._value(event)
            value = self._value(self._next())
            if key in lines:
                message = f"written twice, in lines {lines[key]} and {line}; keep one"
                self._found.add(errors.Problem(problems.path_of(self._path), message))
            else:
                lines[key] = line
                mapping[key] = value
            self._path.pop()
        return mapping


def scalar(event: yaml.ScalarEvent) -> Any:
    """Return what a scalar means in the core schema of YAML 1.2."""
    text, tag = event.value, event.tag
    if tag is None or tag == "!":
        return READ[_meant(text) if event.implicit[0] else TEXT](text)
    if tag not in READ:
        raise _unknown_tag(event)
    # A tag in the document itself may promise what the text does not keep: !!int x.
    pattern = PATTERNS.get(tag)
    if pattern is not None and not pattern.fullmatch(text):
        kind = tag.rpartition(":")[2]
        raise _refused(f"the tag !!{kind} does not fit its value; write the plain value", event)
    return READ[tag](text)


def _meant(text: str) -> str:
    """Return the tag of what stands there without quotes."""
    if not text:
        return "tag:yaml.org,2002:null"
    for tag in BY_FIRST.get(text[0], ()):
        if PATTERNS[tag].fullmatch(text):
            return tag
    return TEXT


def _unknown_tag(event: Any) -> yaml.MarkedYAMLError:
    return _refused(f"the tag {event.tag} is not used here; write the plain value", event)


def _refused(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
