"""From pydantic's errors to sentences: where the mistake is, and what to write instead.

Two languages meet here. Paths are the YAML document's own (``peers[0].holdTime``), messages are
about what a person wrote; nothing of the library shows through.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pydantic
from pydantic_core import ErrorDetails

from exabgp_k8s import errors
from exabgp_k8s.core.facts import printable
from exabgp_k8s.settings import fields, meanings, peers

Location = Sequence[str | int]
Explanation = Callable[[Any, Mapping[str, Any]], str]
MOST = 50
"""Mistakes that are told; whoever has more has made one mistake many times."""
LONGEST_PATH, LONGEST_MESSAGE = 200, 600
"""Characters; what was written stands in both."""
INSTEAD = {
    "passive": "the node dials, and does not listen: ExaBGP would have to open port 179 of the "
    "node to everybody; remove it, and let the router be passive or dial in vain",
}
"""What to do in place of keys that others have, and that are left out here on purpose."""
PLAIN_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def path_of(location: Location) -> str:
    """Return a location as people write it: ``peers[0].nodeSelector.matchLabels["a.b/c"]``."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part and set(part) <= PLAIN_KEY:
            path += f".{part}" if path else part
        else:
            path += f'["{part[:80]}"]'
    return path


def bounded(problem: errors.Problem) -> errors.Problem:
    """Return a problem as short and printable as a log line and a terminal need it."""
    return errors.Problem(
        printable.one_line(problem.path, LONGEST_PATH),
        printable.one_line(problem.message, LONGEST_MESSAGE),
    )


class Found:
    """The mistakes in one document: the first of them, and how many there are."""

    def __init__(self) -> None:
        self._first: list[errors.Problem] = []
        self.count = 0

    def add(self, problem: errors.Problem) -> None:
        """Take one more mistake."""
        if not self.is_full:
            self._first.append(bounded(problem))
        self.count += 1

    @property
    def is_full(self) -> bool:
        """Whether a further mistake is only counted."""
        return len(self._first) >= MOST

    def told(self) -> tuple[errors.Problem, ...]:
        """Return what to tell the document's author."""
        more = self.count - len(self._first)
        if not more:
            return tuple(self._first)
        return (*self._first, errors.Problem("", f"and {more} more; mend these first"))


def explain(error: pydantic.ValidationError, root: type[fields.Section], found: Found) -> None:
    """Add one problem for each mistake that pydantic found, in the document's order."""
    labels: dict[str, dict[str, Any]] = {}
    for details in error.errors(include_url=False):
        if _is_consequence(details):
            continue
        if _is_label(details):
            *above, key = details["loc"]
            labels.setdefault(path_of(above), {})[str(key)] = details["input"]
        elif found.is_full:
            found.count += 1
        else:
            found.add(_problem(details, root))
    for path, pairs in labels.items():
        # Written as Services and Pods have it: one answer to all of them, not one to each.
        found.add(errors.Problem(path, f"labels stand one level deeper; {_as_labels(pairs)}"))


def _is_consequence(details: ErrorDetails) -> bool:
    """A list is called too short, too, when none of its entries is valid: said already."""
    return details["type"] == "too_short" and len(details["input"]) > 0


def _problem(details: ErrorDetails, root: type[fields.Section]) -> errors.Problem:
    location = details["loc"]
    if location and location[-1] == "[key]":
        # The key of a mapping is wrong, not its value.
        location = location[:-1]
    kind = details["type"]
    if kind in {"extra_forbidden", "missing"}:
        section = _section_at(root, location[:-1])
        say = _unknown if kind == "extra_forbidden" else _missing
        return errors.Problem(path_of(location), say(str(location[-1]), section))
    if kind in {"model_type", "model_attributes_type"}:
        section, written = _section_at(root, location), details["input"]
        if section is peers.NodeSelector and (pairs := _labels_in(written)):
            return errors.Problem(path_of(location), _as_labels(pairs))
        keys = ", ".join(_keys(section))
        return errors.Problem(path_of(location), f"write a mapping of {keys}")
    if kind == "too_short" and _is_required(root, location):
        return errors.Problem(path_of(location), "write at least one entry")
    explain_value: Explanation = MESSAGES.get(kind, _otherwise)
    message = explain_value(details["input"], details.get("ctx", {}))
    return errors.Problem(path_of(location), message)


def _keys(section: type[pydantic.BaseModel]) -> dict[str, str]:
    """Return the YAML keys of a section, each with what it means in one line."""
    texts = meanings.of_keys(section)
    return {
        field.alias or name: " ".join(texts.get(name, "").replace("``", "").split())
        for name, field in section.model_fields.items()
    }


def _unknown(key: str, section: type[pydantic.BaseModel]) -> str:
    if issubclass(section, peers.PeerDefaults) and key in INSTEAD:
        return INSTEAD[key]
    allowed = _keys(section)
    hint = fields.suggestion(key, allowed)
    return f"unknown key; {hint}allowed here: {', '.join(allowed)}"


def _is_label(details: ErrorDetails) -> bool:
    """Return whether a label stands where matchLabels belongs."""
    is_inside = details["type"] == "extra_forbidden" and details["loc"][-2:-1] == ("nodeSelector",)
    return is_inside and isinstance(details["input"], str | int | float)


def _labels_in(written: object) -> Mapping[str, str]:
    """Return the labels that ``a=b,c=d`` means, as kubectl has it; none of anything else."""
    if not isinstance(written, str):
        return {}
    found = [re.fullmatch(r"\s*([^\s=!]+)==?([^\s=]*)\s*", part) for part in written.split(",")]
    return {match[1]: match[2] for match in found if match} if all(found) else {}


def _as_labels(pairs: Mapping[str, Any]) -> str:
    """Say how labels are asked for, so that what is said can be written as it is."""
    shown = ", ".join(f"{_as_text(key)}: {_as_text(value)}" for key, value in pairs.items())
    return f"write nodeSelector: {{matchLabels: {{{shown}}}}}"


def _as_text(value: object) -> str:
    """Return what YAML reads as text, in quotes where it would read something else."""
    text = (str(value).lower() if isinstance(value, bool) else str(value))[:80]
    plain = r"(?!(true|false|null)$)[a-z][-a-z0-9_./]*"
    is_plain = re.fullmatch(plain, text, re.ASCII | re.IGNORECASE)
    return text if is_plain else json.dumps(text)


def _missing(key: str, section: type[pydantic.BaseModel]) -> str:
    meaning = _keys(section)[key].partition(". ")[0].rstrip(".")
    return f"is missing ({meaning})"


def _is_required(root: type[pydantic.BaseModel], location: Location) -> bool:
    section = _section_at(root, location[:-1])
    return any(
        field.is_required()
        for name, field in section.model_fields.items()
        if (field.alias or name) == location[-1]
    )


def _section_at(root: type[pydantic.BaseModel], location: Location) -> type[pydantic.BaseModel]:
    """Return the section that a location lies in, found through the fields' types."""
    section = root
    for part in location:
        named = {field.alias or name: field for name, field in section.model_fields.items()}
        if part in named:
            section = _section_in(named[str(part)].annotation) or section
    return section


def _section_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    """Return the section inside a type such as ``list[Peer]`` or ``Services | None``."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    found = (_section_in(inner) for inner in typing.get_args(annotation))
    return next((section for section in found if section), None)


def _whole(value: object, _: Mapping[str, Any]) -> str:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return f"write the number without quotes: {value}"
    return "write a whole number"


def _otherwise(_: object, context: Mapping[str, Any]) -> str:
    """Say what can be said of a mistake whose message is the error raised by our own code."""
    error = context.get("error")
    return str(error) if isinstance(error, ValueError) else "this value cannot be used here"


def _count(value: Sequence[Any], context: Mapping[str, Any]) -> str:
    return f"{len(value)} entries are too many; write at most {context['max_length']}"


def _word(written: object, context: Mapping[str, Any]) -> str:
    expected = context["expected"]
    hint = fields.suggestion(written, re.findall("'([^']+)'", expected), fields.ALIKE)
    return f"{hint}write {expected.replace(chr(39), '')}"


MESSAGES: Mapping[str, Explanation] = {
    "int_type": _whole,
    "int_parsing": _whole,
    "int_from_float": _whole,
    "greater_than_equal": lambda value, limit: (
        f"{value} is too small; write at least {limit['ge']}"
    ),
    "less_than_equal": lambda value, limit: f"{value} is too large; write at most {limit['le']}",
    "bool_type": lambda _value, _limit: "write true or false, without quotes",
    "enum": _word,
    "tuple_type": lambda _value, _limit: "write a list, for example [a, b]",
    "dict_type": lambda _value, _limit: "write a mapping, for example {rack: a}",
    "too_short": lambda _value, _limit: "write at least one entry, or leave the key out",
    "too_long": _count,
    "invalid_key": lambda _value, _limit: "a key must be text; put it in quotes",
}
