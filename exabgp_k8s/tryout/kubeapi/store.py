"""The versioned store behind the API server of ``try`` and of the tests.

What clients of Kubernetes rely on is decided here, not in HTTP: one counter numbers every change
of every collection; a write with a stale ``resourceVersion`` is a conflict; a write that changes
nothing makes no version; a watch from a version that history no longer reaches is *expired*; an
object with finalizers is marked when deleted and goes when the last finalizer does.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import copy
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

_HISTORY = 1000
"""Changes kept for watches that resume, as the watch cache of a real server keeps some."""


class StatusError(Exception):
    """A failed request: becomes the ``Status`` object in the body of the answer."""

    def __init__(
        self, code: int, reason: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = dict(headers or {})
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One kind of objects, and how its paths and its list are called."""

    api_version: str
    plural: str
    kind: str
    is_namespaced: bool = False
    is_custom: bool = False
    """By a definition of ours: a status only by its own path, and lists that repeat the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which objects of a collection a request is about; empty means any."""

    namespace: str = ""
    name: str = ""

    def covers(self, item: Object) -> bool:
        """Say whether the object lies in this scope."""
        metadata = item["metadata"]
        return self.namespace in {"", metadata.get("namespace", "")} and self.name in {
            "",
            metadata["name"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One version of the store: what happened to which object."""

    version: int
    collection: Collection
    type: str
    object: Object


class Store:
    """Objects with versions; every method may be called from any thread.

    What goes in and what comes out are copies: a stored version never changes.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._objects: dict[tuple[Collection, str, str], Object] = {}
        self._history: deque[Change] = deque(maxlen=_HISTORY)
        self._version = 1000
        self._oldest = 1000

    def find(self, collection: Collection, scope: Scope) -> tuple[list[Object], int]:
        """Return the objects in scope and the version at which they were read."""
        items, version = self.show(collection, scope)
        return copy.deepcopy(items), version

    def show(self, collection: Collection, scope: Scope) -> tuple[list[Object], int]:
        """Return the same without copies, for whoever only writes them down."""
        with self.changed:
            items = [
                item
                for (held, _, _), item in sorted(self._objects.items(), key=_by_name)
                if held == collection and scope.covers(item)
            ]
            return items, self._version

    def get(self, collection: Collection, scope: Scope) -> Object:
        """Return one object.

        Raises:
            StatusError: 404, there is none of that name.
        """
        with self.changed:
            found = self._objects.get((collection, scope.namespace, scope.name))
            if found is None:
                raise StatusError(404, "NotFound", f'{collection.plural} "{scope.name}" not found')
            return copy.deepcopy(found)

    def create(self, collection: Collection, item: Object, namespace: str = "") -> Object:
        """Store a new object and return it as stored.

        Raises:
            StatusError: 409, the name is taken; 422, there is no name.
        """
        new = copy.deepcopy(item)
        metadata = new.setdefault("metadata", {})
        with self.changed:
            if not metadata.get("name") and metadata.get("generateName"):
                metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
            if not metadata.get("name"):
                raise StatusError(422, "Invalid", "metadata.name: Required value")
            if collection.is_namespaced:
                metadata["namespace"] = namespace
            key = (collection, namespace, metadata["name"])
            if key in self._objects:
                raise StatusError(
                    409, "AlreadyExists", f'{collection.plural} "{key[2]}" already exists'
                )
            metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": _timestamp()}
            new |= {"apiVersion": collection.api_version, "kind": collection.kind}
            return self._commit(key, "ADDED", new)

    def replace(self, collection: Collection, scope: Scope, item: Object) -> Object:
        """Store a new version of an object and return it as stored.

        Raises:
            StatusError: 404; 409, the object changed since the caller read it.
        """
        with self.changed:
            old = self.get(collection, scope)
            new = copy.deepcopy(item)
            metadata = new.setdefault("metadata", {})
            held = old["metadata"]
            for field in ("resourceVersion", "uid"):
                if metadata.get(field, held[field]) != held[field]:
                    raise StatusError(
                        409,
                        "Conflict",
                        f'Operation cannot be fulfilled on {collection.plural} "{scope.name}": the'
                        " object has been modified; please apply your changes to the latest"
                        " version and try again",
                    )
            for field in ("name", "namespace", "uid", "creationTimestamp", "resourceVersion"):
                if field in held:
                    metadata[field] = held[field]
            new |= {"apiVersion": collection.api_version, "kind": collection.kind}
            if new == old:
                return old
            key = (collection, scope.namespace, scope.name)
            if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
                return self._commit(key, "DELETED", new)
            return self._commit(key, "MODIFIED", new)

    def delete(self, collection: Collection, scope: Scope) -> Object:
        """Delete an object, or mark it when finalizers hold it; return its last version.

        Raises:
            StatusError: 404, there is none of that name.
        """
        with self.changed:
            old = self.get(collection, scope)
            if old["metadata"].get("finalizers"):
                old["metadata"].setdefault("deletionTimestamp", _timestamp())
                return self.replace(collection, scope, old)
            return self._commit((collection, scope.namespace, scope.name), "DELETED", old)

    def since(self, version: int, collection: Collection, scope: Scope) -> list[Change]:
        """Return the changes in scope after a version, oldest first.

        Raises:
            StatusError: 410, history does not reach back that far.
        """
        with self.changed:
            if version < self._oldest:
                raise StatusError(
                    410, "Expired", f"too old resource version: {version} ({self._oldest})"
                )
            return [
                change
                for change in self._history
                if change.version > version
                and change.collection == collection
                and scope.covers(change.object)
            ]

    def version(self) -> int:
        """Return the version of the latest change."""
        with self.changed:
            return self._version

    def compact(self) -> None:
        """Forget the history: watches from an earlier version are expired."""
        with self.changed:
            # The version moves on, as it does in a cluster where other things happen: otherwise
            # a watch from the latest version would still be in reach.
            self._version += 1
            self._oldest = self._version
            self._history.clear()
            self.changed.notify_all()

    def _commit(self, key: tuple[Collection, str, str], kind: str, item: Object) -> Object:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        if kind == "DELETED":
            self._objects.pop(key, None)
        else:
            self._objects[key] = item
        if len(self._history) == _HISTORY:
            self._oldest = self._history[0].version
        self._history.append(
            Change(version=self._version, collection=key[0], type=kind, object=item)
        )
        self.changed.notify_all()
        return copy.deepcopy(item)


def _by_name(entry: tuple[tuple[Collection, str, str], Object]) -> tuple[str, str]:
    (_, namespace, name), _ = entry
    return namespace, name


def _timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
