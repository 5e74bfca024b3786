"""What the API server answers to a request: paths, selectors, lists, watches and writes.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from exabgp_k8s.tryout.kubeapi import exchange, lists, patches, store

NODES = store.Collection(api_version="v1", plural="nodes", kind="Node")
PODS = store.Collection(api_version="v1", plural="pods", kind="Pod", is_namespaced=True)
DAEMON_SETS = store.Collection(
    api_version="apps/v1", plural="daemonsets", kind="DaemonSet", is_namespaced=True
)
CILIUM_NODES = store.Collection(
    api_version="cilium.io/v2", plural="ciliumnodes", kind="CiliumNode"
)
BLOCK_AFFINITIES = store.Collection(
    api_version="crd.projectcalico.org/v1", plural="blockaffinities", kind="BlockAffinity"
)
BGP_SPEAKERS = store.Collection(
    api_version="exabgp-k8s.io/v1alpha1", plural="bgpspeakers", kind="BGPSpeaker", is_custom=True
)

COLLECTIONS = (
    NODES,
    BGP_SPEAKERS,
    store.Collection(api_version="v1", plural="events", kind="Event", is_namespaced=True),
    PODS,
    DAEMON_SETS,
    CILIUM_NODES,
    BLOCK_AFFINITIES,
    store.Collection(
        api_version="networking.k8s.io/v1", plural="servicecidrs", kind="ServiceCIDR"
    ),
    store.Collection(
        api_version="discovery.k8s.io/v1",
        plural="endpointslices",
        kind="EndpointSlice",
        is_namespaced=True,
    ),
    store.Collection(
        api_version="coordination.k8s.io/v1", plural="leases", kind="Lease", is_namespaced=True
    ),
)

_GLANCE = 0.5
"""Seconds between two looks whether the client of a quiet watch is still there."""


class Api:
    """The answers, from one store.

    Args:
        objects: where everything is held.
        is_serving: turns false when the streams shall end.
        bookmark_interval: seconds between the bookmarks of a quiet watch.
    """

    def __init__(
        self, objects: store.Store, is_serving: Callable[[], bool], bookmark_interval: float
    ) -> None:
        self.store = objects
        self.bookmark_interval = bookmark_interval
        self.watches = 0
        """Streams that are open now."""
        self._lock = threading.Lock()
        self._is_serving = is_serving

    def answer(self, asked: exchange.Exchange) -> None:
        """Answer one request.

        Raises:
            store.StatusError: the request cannot be served.
        """
        request = asked.request_read
        if request.path in {"/healthz", "/livez", "/readyz"}:
            asked.send_bytes(b"ok")
            return
        collection, scope, subresource = _resolve(request)
        if request.method == "GET" and request.is_watch:
            self._watch(asked, collection, scope)
        elif request.method == "GET" and request.path.endswith(f"/{collection.plural}"):
            items, version = self.store.show(collection, scope)
            found, says = lists.page(
                lists.select(items, request.query.get("labelSelector", "")), request.query
            )
            asked.send_object(_list_object(collection, found, version, says))
        else:
            item = self._single(request, collection, scope, subresource)
            asked.send_object(item, 201 if request.method == "POST" else 200)

    def _single(
        self,
        request: exchange.Request,
        collection: store.Collection,
        scope: store.Scope,
        subresource: str,
    ) -> store.Object:
        match request.method:
            case "GET":
                return self.store.get(collection, scope)
            case "POST":
                new = _document(request)
                if collection.is_custom:
                    new.pop("status", None)
                return self.store.create(collection, new, scope.namespace)
            case "DELETE":
                return self.store.delete(collection, scope)
            case "PUT" | "PATCH":
                return self._write(request, collection, scope, subresource)
            case other:
                raise store.StatusError(405, "MethodNotAllowed", f"{other} is not supported")

    def _write(
        self,
        request: exchange.Request,
        collection: store.Collection,
        scope: store.Scope,
        subresource: str,
    ) -> store.Object:
        with self.store.changed:
            old = self.store.get(collection, scope)
            new = _patched(old, request) if request.method == "PATCH" else _document(request)
            # The main resource does not write the status, /status writes nothing else.
            if subresource == "status":
                new = {**old, "status": new.get("status", {})}
            elif "status" in old:
                new["status"] = old["status"]
            return self.store.replace(collection, scope, new)

    def _watch(
        self, asked: exchange.Exchange, collection: store.Collection, scope: store.Scope
    ) -> None:
        with self._lock:
            self.watches += 1
        try:
            asked.start_stream()
            self._stream(asked, collection, scope)
            asked.send_chunk(b"")
        except store.StatusError as error:
            # A real server's watch cache reports an expired version inside the 200 stream.
            asked.send_event("ERROR", error.status)
            asked.send_chunk(b"")
        finally:
            with self._lock:
                self.watches -= 1

    def _stream(
        self, asked: exchange.Exchange, collection: store.Collection, scope: store.Scope
    ) -> None:
        query = asked.request_read.query
        deadline = time.monotonic() + float(query.get("timeoutSeconds") or 1800)
        wants_bookmarks = query.get("allowWatchBookmarks", "") in {"1", "true"}
        next_bookmark = time.monotonic() + self.bookmark_interval
        version = int(query.get("resourceVersion") or 0)
        if version == 0:
            items, version = self.store.find(collection, scope)
            for item in items:
                asked.send_event("ADDED", item)
        while self._is_serving() and time.monotonic() < deadline and not asked.is_abandoned():
            # Read before the changes: a bookmark must not promise more than was sent.
            latest = max(version, self.store.version())
            for change in self.store.since(version, collection, scope):
                asked.send_event(change.type, change.object)
                latest = max(latest, change.version)
            version = latest
            if wants_bookmarks and time.monotonic() >= next_bookmark:
                # A real server is silent towards a watch from a version it has not reached.
                if version <= self.store.version():
                    asked.send_event("BOOKMARK", _bookmark(collection, version))
                next_bookmark = time.monotonic() + self.bookmark_interval
            self._wait(version, min(deadline, next_bookmark))

    def _wait(self, version: int, until: float) -> None:
        with self.store.changed:
            if self.store.version() <= version and self._is_serving():
                self.store.changed.wait(max(0, min(until - time.monotonic(), _GLANCE)))


def find_collection(api_version: str, plural: str) -> store.Collection:
    """Return the collection of a group, version and plural.

    Raises:
        store.StatusError: 404, there is no such collection here.
    """
    for collection in COLLECTIONS:
        if (collection.api_version, collection.plural) == (api_version, plural):
            return collection
    raise store.StatusError(404, "NotFound", "the server could not find the requested resource")


def _resolve(request: exchange.Request) -> tuple[store.Collection, store.Scope, str]:
    """Take ``/api/v1/...`` or ``/apis/GROUP/VERSION/...`` and the selectors apart."""
    root, *parts = request.path.strip("/").split("/")
    size = 1 if root == "api" else 2
    api_version, rest = "/".join(parts[:size]), parts[size:]
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:  # noqa: PLR2004 - namespaces/NAME/PLURAL
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource, *_ = [*rest, "", "", ""]
    selector = request.query.get("fieldSelector", "")
    if selector:
        field, _, value = selector.partition("=")
        if field != "metadata.name":
            raise store.StatusError(400, "BadRequest", f"field label not supported: {field}")
        name = name or value.removeprefix("=")
    if request.query.get("labelSelector") and request.is_watch:
        raise store.StatusError(400, "BadRequest", "labelSelector is not supported in a watch")
    return (
        find_collection(api_version, plural),
        store.Scope(namespace=namespace, name=name),
        subresource,
    )


def _patched(old: store.Object, request: exchange.Request) -> store.Object:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == patches.JSON_PATCH:
        try:
            made: store.Object = patches.operate(old, _json(request))
        except (ValueError, LookupError, TypeError) as error:
            text = f"the server rejected our request due to an error in our request: {error}"
            raise store.StatusError(422, "Invalid", text) from None
        return made
    if kind not in patches.BY_CONTENT_TYPE:
        known = ", ".join((*patches.BY_CONTENT_TYPE, patches.JSON_PATCH))
        raise store.StatusError(
            415, "UnsupportedMediaType", f"{kind} is not supported, only {known}"
        )
    merged: store.Object = patches.BY_CONTENT_TYPE[kind](old, _document(request))
    return merged


def _document(request: exchange.Request) -> dict[str, Any]:
    document = _json(request)
    if not isinstance(document, dict):
        raise store.StatusError(400, "BadRequest", "the body is not an object")
    return document


def _json(request: exchange.Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise store.StatusError(400, "BadRequest", f"the body is not JSON: {error}") from None


def _list_object(
    collection: store.Collection,
    items: list[store.Object],
    version: int,
    says: Mapping[str, Any],
) -> dict[str, Any]:
    # A typed list does not repeat kind and apiVersion in its items; a watch event does, and so
    # does a list of custom resources.
    left_out = set() if collection.is_custom else {"kind", "apiVersion"}
    bare = [{key: value for key, value in item.items() if key not in left_out} for item in items]
    return {
        "kind": f"{collection.kind}List",
        "apiVersion": collection.api_version,
        "metadata": {"resourceVersion": str(version), **says},
        "items": bare,
    }


def _bookmark(collection: store.Collection, version: int) -> dict[str, Any]:
    return {
        "kind": collection.kind,
        "apiVersion": collection.api_version,
        "metadata": {"resourceVersion": str(version), "creationTimestamp": None},
    }
