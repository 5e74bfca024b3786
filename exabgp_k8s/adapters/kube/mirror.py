"""What there is of one collection, as the API server shows it now.

A list of thousands of Nodes is a hundred megabytes once decoded, and we use a hundredth of it. So
each object becomes a small value where it comes in, and only that is held.
"""

from __future__ import annotations

import operator
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from exabgp_k8s import errors
from exabgp_k8s.wire import kube

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How well the API server is heard."""

    is_listed: bool = False
    """Whether the objects were read at least once."""
    problem: str = ""
    """Why nothing is heard now; empty: it is."""
    status: int = 0
    """What the API server answered, where it did."""
    heard: float = 0.0
    """When something was heard last, as Unix time; 0: never."""


class Mirror(Generic[Value]):
    """What ``watching.Watch`` shows of a collection; called in its thread, read in any.

    Args:
        parse: makes the small value of an object; None: it is none of ours.
        changed: is called after each change, in the thread of the watch; must not block.
        is_news: whether a value says more than the one before; if not, nobody is called.
    """

    def __init__(
        self,
        parse: Callable[[object], Value | None],
        changed: Callable[[], None],
        is_news: Callable[[Value, Value], bool] = operator.ne,
    ) -> None:
        self._parse, self._changed, self._is_news = parse, changed, is_news
        self._lock = threading.Lock()
        self._values: dict[str, Value] = {}
        self._contact = Contact()

    def values(self) -> Mapping[str, Value]:
        """Return all there is by name."""
        with self._lock:
            return dict(self._values)

    @property
    def how_heard(self) -> Contact:
        """How well the API server is heard."""
        return self._contact

    def taken(self, item: object) -> tuple[str, Value] | None:
        """Return what is held of an object; for ``watching.Selection``."""
        name, value = _name(item), self._parse(item)
        return None if value is None else (name, value)

    # -- what the watch calls, in its thread ----------------------------------------------------

    def contact(self) -> None:
        """Note that an API server has answered."""
        was = self._contact
        self._contact = Contact(is_listed=was.is_listed, heard=time.time())
        if was.problem:
            self._changed()

    def listed(self, items: list[Any]) -> None:
        """Hold these values and no others."""
        found = dict(each for each in items if each is not None)
        with self._lock:
            self._values = found
        self._contact = Contact(is_listed=True, heard=time.time())
        self._changed()

    def changed(self, line: kube.WatchLine) -> bool:
        """Hold what an object has become, or no longer one that is gone."""
        taken = self.taken(line.object)
        if taken is None:
            return False
        name, value = taken
        with self._lock:
            was = self._values.pop(name, None)
            if line.type is not kube.LineType.DELETED:
                self._values[name] = value
        if was is None or line.type is kube.LineType.DELETED or self._is_news(was, value):
            self._changed()
        return True

    def lost(self, error: errors.KubeError) -> None:
        """Note that nothing is heard now, and why."""
        was = self._contact
        self._contact = Contact(
            is_listed=was.is_listed, problem=str(error), status=error.status, heard=was.heard
        )
        self._changed()

    def look_beside(self) -> None:
        """Nothing is wanted beside the objects."""


def _name(item: object) -> str:
    match item:
        case {"metadata": {"name": str() as name}}:
            return name
        case _:
            return ""
