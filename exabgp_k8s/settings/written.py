"""A place in the document as it was written, valid or not: what stands there, and where that is.

A peer has what ``peerDefaults`` says where it says nothing itself. A mistake there is told once,
at the place where it stands, and not at each peer.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydantic

from exabgp_k8s import errors
from exabgp_k8s.settings import problems


@functools.cache
def _reader(kind: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(kind)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the document: what stands there, None where nothing does."""

    value: Any
    location: tuple[str | int, ...] = ()
    defaults: Place | None = None
    """Where a key stands that is not here."""

    def __getitem__(self, key: str) -> Place:
        here = self.value if isinstance(self.value, dict) else {}
        if key not in here and self.defaults is not None and self.defaults[key].is_written:
            return self.defaults[key]
        return Place(here.get(key), (*self.location, key))

    def __iter__(self) -> Iterator[Place]:
        items = self.value if isinstance(self.value, list) else []
        return (Place(item, (*self.location, index)) for index, item in enumerate(items))

    @property
    def is_written(self) -> bool:
        """Whether something stands here."""
        return self.value is not None

    @property
    def path(self) -> str:
        """Where this is, as people write it."""
        return problems.path_of(self.location)

    def read(self, kind: Any, default: Any = None) -> Any:
        """Return the value as the core knows it; the default where that is not possible."""
        try:
            return _reader(kind).validate_python(self.value) if self.is_written else default
        except pydantic.ValidationError:
            return None

    def problem(self, message: str) -> errors.Problem:
        """Return a problem of this place."""
        return errors.Problem(self.path, message)


def entries(root: Place) -> Iterator[Place]:
    """Yield the peers, each with what ``peerDefaults`` says where it says nothing itself."""
    defaults = root["peerDefaults"]
    return (dataclasses.replace(peer, defaults=defaults) for peer in root["peers"])


def addresses(peer: Place) -> Iterator[Place]:
    """Yield the places of a peer's addresses: the one, and those in the list."""
    if peer["address"].is_written:
        yield peer["address"]
    yield from peer["addresses"]
