"""What stands in a file of Kubernetes manifests: several documents, lists of objects, anchors.

The settings are one document and strict; manifests come from other people's tools. Each value
keeps the place where it stands, so that a mistake inside of one can be placed in the file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from exabgp_k8s import errors
from exabgp_k8s.settings import problems, reading

LARGEST = 8 * 2**20
"""Bytes; the API server takes objects of 1.5 MiB, and a file may hold all nodes of a cluster."""
DEEPEST = 100
"""Levels; kubectl's own output has about twenty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A plain value, and where it begins."""

    value: Any
    """Text, number, truth, nothing; a list or a mapping of ``Written``."""
    line: int
    """From 1."""
    column: int
    style: str = ""
    """How text is written: ``|``, quoted, or plain."""

    def get(self, *keys: str) -> Written | None:
        """Return what stands below some keys; None where nothing does."""
        found: Written | None = self
        for key in keys:
            inside = found.value if found is not None else None
            found = inside.get(key) if isinstance(inside, dict) else None
        return found

    @property
    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: each.plain for key, each in self.value.items()}
        if isinstance(self.value, list):
            return [each.plain for each in self.value]
        return self.value


def objects(text: str, source: str) -> list[Written]:
    """Return the documents of a text, and in place of a List what is in it.

    Raises:
        SettingsError: where the text is not YAML.
    """
    try:
        documents = list(_Reader(text).documents())
    except (yaml.MarkedYAMLError, yaml.reader.ReaderError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        message = f"is not YAML: {getattr(error, 'problem', error)}"
        problem = problems.bounded(errors.Problem("", message))
        placed = dataclasses.replace(problem, line=place[0], column=place[1])
        raise errors.SettingsError((placed,), source) from error
    return [each for document in documents for each in _unlisted(document)]


def _unlisted(document: Written) -> Iterator[Written]:
    kind, items = document.get("kind"), document.get("items")
    if kind and items and str(kind.value).endswith("List") and isinstance(items.value, list):
        yield from items.value
    elif document.value is not None:
        yield document


class _Reader:
    """The documents of one text, from the events of its parser."""

    def __init__(self, text: str) -> None:
        self._parser = reading.parser(text)
        self._anchors: dict[str, Written] = {}

    def documents(self) -> Iterator[Written]:
        """Yield each document as one value."""
        while not isinstance(event := self._parser.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
            elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent | yaml.AliasEvent):
                yield self._value(event, DEEPEST)

    def _value(self, event: Any, depth: int) -> Written:
        mark, anchor = event.start_mark, getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            nothing = Written(value=None, line=mark.line + 1, column=mark.column + 1)
            return self._anchors.get(str(anchor), nothing)
        if not depth:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
        found = Written(
            value=self._inside(event, depth - 1),
            line=mark.line + 1,
            column=mark.column + 1,
            style=getattr(event, "style", None) or "",
        )
        if anchor is not None:
            self._anchors[anchor] = found
        return found

    def _inside(self, event: Any, depth: int) -> Any:
        match event:
            case yaml.ScalarEvent():
                return reading.scalar(event)
            case yaml.SequenceStartEvent():
                items = []
                while not isinstance(item := self._parser.get_event(), yaml.SequenceEndEvent):
                    items.append(self._value(item, depth))
                return items
            case _:
                pairs = {}
                while not isinstance(key := self._parser.get_event(), yaml.MappingEndEvent):
                    name = key.value if isinstance(key, yaml.ScalarEvent) else "?"
                    if not isinstance(key, yaml.ScalarEvent):
                        self._value(key, depth)
                    pairs[name] = self._value(self._parser.get_event(), depth)
                return pairs
