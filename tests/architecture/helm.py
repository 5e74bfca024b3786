"""What Helm makes of our chart, where there is no Helm.

A fresh machine has none, and what the chart installs is to be looked at there, too. This knows
the few words of Helm's templates that ``chart`` writes; another one is an error. That it makes the
same as Helm does is tested where there is one: functional/test_chart.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import yaml

from exabgp_k8s import __version__
from tests.architecture import chart, kustomize

_ACTION = re.compile(r"(\s*\{\{-|\{\{)\s*(/\*.*?\*/|`[^`]*`|[^`{}]*?)\s*\}\}", re.DOTALL)
_WORD = re.compile(r'"[^"]*"|`[^`]*`|[()|]|[^\s()|]+')


def template(values: dict[str, Any], namespace: str = "exabgp-k8s") -> list[dict[str, Any]]:
    """Return the objects of the chart with these values."""
    defaults = yaml.safe_load((chart.FOLDER / "values.yaml").read_text("utf-8"))
    around = {
        "Values": _over(defaults, values),
        "Release": {"Namespace": namespace},
        "Chart": {"AppVersion": __version__},
    }
    written = (
        _Template(path.read_text("utf-8"), around).text()
        for path in sorted((chart.FOLDER / "templates").glob("*.yaml"))
    )
    found = (each for text in written for each in yaml.load_all(text, kustomize.READER))
    return [each for each in found if each]


def _over(defaults: Any, values: Any) -> Any:
    if not (isinstance(defaults, dict) and isinstance(values, dict)):
        return values
    return defaults | {key: _over(defaults.get(key), value) for key, value in values.items()}


class _Template:
    """One template: text and actions in turn, read once from the beginning to the end."""

    def __init__(self, text: str, around: dict[str, Any]) -> None:
        self._around = around
        self._parts: list[tuple[bool, str]] = []
        end = 0
        for found in _ACTION.finditer(text):
            self._parts += [(False, text[end : found.start()]), (True, found[2])]
            end = found.end()
        self._parts.append((False, text[end:]))

    def text(self) -> str:
        """Return all of it."""
        said, ended = self._until_end(self._around)
        assert not ended, ended
        return said

    def _until_end(self, here: Any) -> tuple[str, str]:
        """Return what is said until a block ends, and by which word it does."""
        said = ""
        while self._parts:
            is_action, part = self._parts.pop(0)
            word, _, rest = part.partition(" ")
            if not is_action:
                said += part
            elif part in ("end", "else"):
                return said, part
            elif word in ("if", "with"):
                said += self._block(word, self._value(rest, here), here)
            elif not part.startswith("/*"):
                value = self._value(part, here)
                said += value if isinstance(value, str) else json.dumps(value)
        return said, ""

    def _block(self, word: str, value: Any, here: Any) -> str:
        said, ended = self._until_end(value if word == "with" and value else here)
        other = ""
        if ended == "else":
            other, ended = self._until_end(here)
        assert ended == "end"
        return said if value else other

    def _value(self, expression: str, here: Any) -> Any:
        words = _WORD.findall(expression)
        value = self._pipe(words, here)
        assert not words, words
        return value

    def _pipe(self, words: list[str], here: Any) -> Any:
        """Return the value of calls with ``|`` between them; each is given the one before."""
        given: list[Any] = []
        while True:
            name, *arguments = self._call(words, here)
            given = [_FUNCTIONS[name](*arguments, *given)] if name else arguments
            if not words or words.pop(0) == ")":
                return given[0]

    def _call(self, words: list[str], here: Any) -> list[Any]:
        """Return the name of a function, if there is one, and the arguments."""
        found: list[Any] = [words.pop(0) if words[0] in _FUNCTIONS else ""]
        while words and words[0] not in ("|", ")"):
            found.append(self._argument(words, here))
        return found

    def _argument(self, words: list[str], here: Any) -> Any:
        word = words.pop(0)
        if word == "(":
            return self._pipe(words, here)
        if word[0] in '"`':
            return word[1:-1]
        if word.isdigit():
            return int(word)
        assert word.startswith("."), word
        value = here if word == "." else self._around
        for name in filter(None, word.split(".")):
            value = value[name]
        return value


def _dig(*path_default_and_object: Any) -> Any:
    *path, default, value = path_default_and_object
    for name in path:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    return value or default


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "toYaml": lambda value: yaml.safe_dump(value).strip(),
    "nindent": lambda width, text: "".join(f"\n{' ' * width}{each}" for each in text.split("\n")),
    "quote": lambda value: json.dumps(str(value), ensure_ascii=False),
    "default": lambda default, value: value or default,
    "eq": lambda one, other: one == other,
    "dig": _dig,
}
