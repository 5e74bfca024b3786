"""Where in the text a mistake stands: the line and column that an editor can jump to.

A mistake is known by its path. The text is read a second time for the marks, and only where there
are mistakes to place: to keep a mark for each key of a good document costs more than the document.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import yaml

from exabgp_k8s import errors
from exabgp_k8s.settings import problems, reading

Place = tuple[int, int]


def located(text: str, found: Sequence[errors.Problem]) -> tuple[errors.Problem, ...]:
    """Return mistakes in a text that can be read, each with its place and in their order.

    What is missing has none; it stands at what it is missing in. What stands nowhere comes last.
    """
    wanted = {name for problem in found for name in _ancestry(problem.path)}
    places = _Places(text, wanted).find()
    placed = (_placed(problem, places) for problem in found)
    return tuple(sorted(placed, key=lambda each: (not each.line, each.line, each.column)))


def _placed(problem: errors.Problem, places: dict[str, Place]) -> errors.Problem:
    for name in _ancestry(problem.path):
        if name in places:
            line, column = places[name]
            return dataclasses.replace(problem, line=line, column=column)
    return problem


def _ancestry(path: str) -> list[str]:
    """Return a path and every path above it, the longest first."""
    # A quoted key may hold a dot; what comes of splitting there is a path that nothing has.
    ends = [match.start() for match in re.finditer(r"[.\[]", path)]
    return [path, *(path[:end] for end in reversed(ends) if end)] if path else []


class _Places:
    """The marks of some paths, from the parser's events."""

    def __init__(self, text: str, wanted: set[str]) -> None:
        self._parser = reading.parser(text)
        self._wanted = wanted
        self._found: dict[str, Place] = {}

    def find(self) -> dict[str, Place]:
        """Return where each wanted path stands, as far as it is there."""
        while not isinstance(event := self._parser.get_event(), yaml.StreamEndEvent):
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
                self._value(event, (), "")
        return self._found

    def _value(self, event: Any, above: tuple[str | int, ...], path: str) -> None:
        match event:
            case yaml.SequenceStartEvent():
                number = 0
                while not isinstance(item := self._parser.get_event(), yaml.SequenceEndEvent):
                    self._entry(item, item, (*above, number), f"{path}[{number}]")
                    number += 1
            case yaml.MappingStartEvent():
                while not isinstance(key := self._parser.get_event(), yaml.MappingEndEvent):
                    name = key.value if isinstance(key, yaml.ScalarEvent) else "?"
                    self._value(key, above, path)
                    here = (*above, name)
                    self._entry(key, self._parser.get_event(), here, problems.path_of(here))
            case _:
                pass

    def _entry(self, key: Any, event: Any, here: tuple[str | int, ...], path: str) -> None:
        # What begins below its key is found by the key.
        is_beside = event.start_mark.line == key.start_mark.line
        mark = event.start_mark if is_beside else key.start_mark
        if path in self._wanted:
            self._found.setdefault(path, (mark.line + 1, mark.column + 1))
        self._value(event, here, path)
