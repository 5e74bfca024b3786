"""One object of theirs: what is taken of it, and what is left over when all was taken.

Nobody moves a cluster on a translation that leaves things out silently. So whatever is read is
taken out of the object, and what is still in it at the end was not carried over, known or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SILENT = (None, False, "", 0)
"""Values that say nothing, wherever they stand."""


def a_mapping(value: Any) -> dict[str, Any]:
    """Return a mapping; an empty one for anything else: what is applied may have any shape."""
    return value if isinstance(value, dict) else {}


def a_list(value: Any) -> list[Any]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def a_text(value: Any) -> str:
    """Return what a plain value says; the empty text for anything else."""
    return "" if value is None or isinstance(value, dict | list) else str(value)


class Source:
    """One object, or a part of one that is looked at by itself."""

    def __init__(self, title: str, content: Mapping[str, Any], about: str = "") -> None:
        self.title = title
        self._rest = {key: _copied(value) for key, value in content.items()}
        self._about = about

    def take(self, path: str, default: Any = None) -> Any:
        """Return what stands at a path such as ``spec.peerASN``, and take it out."""
        *above, last = path.split(".")
        place: Any = self._rest
        for key in above:
            place = place.get(key) if isinstance(place, dict) else None
        found = place.pop(last, None) if isinstance(place, dict) else None
        return default if found is None else found

    def text(self, path: str) -> str:
        """Return what stands at a path as text; the empty one for nothing."""
        return a_text(self.take(path))

    def mapping(self, path: str) -> dict[str, Any]:
        """Return a mapping; an empty one for anything else."""
        return a_mapping(self.take(path))

    def items(self, path: str) -> list[Any]:
        """Return a list; an empty one for anything else."""
        return a_list(self.take(path))

    def parts(self, path: str) -> list[Source]:
        """Return the mappings of a list as sources of their own."""
        about = f"{self._about}{path}"
        return [
            Source(self.title, each, f"{about}[{number}].")
            for number, each in enumerate(self.items(path))
            if isinstance(each, dict)
        ]

    def place(self, path: str) -> str:
        """Return a path with the object that it stands in, for people."""
        return ": ".join(each for each in (self.title, f"{self._about}{path}") if each)

    def left(self) -> Iterator[str]:
        """Yield the path of everything that nobody took and that says something."""
        yield from _left(self._rest, self._about)


def _copied(value: Any) -> Any:
    return (
        {key: _copied(each) for key, each in value.items()} if isinstance(value, dict) else value
    )


def _left(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _left(inner, f"{path}{key}." if isinstance(inner, dict) else f"{path}{key}")
    elif value not in (*SILENT, [], {}):
        yield path
