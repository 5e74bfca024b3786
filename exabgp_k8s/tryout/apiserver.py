"""A small API server that is true to the protocol, for ``try`` and for the tests.

A drain is a change of a Node object, so nobody can try one without an API server, and a real one
needs etcd, certificates and a minute. This one holds Nodes and a few other collections and
answers list, get, watch, create, replace, patch and delete as a real one does: versions,
conflicts, selectors, bookmarks, deadlines, expired versions, ``Status`` bodies. It validates
next to nothing and authorises by one token.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Self

from exabgp_k8s.tryout import exchange, patches, store
from exabgp_k8s.tryout.nodes import node_object

__all__ = ["COLLECTIONS", "NODES", "ApiServer", "kubeconfig", "node_object"]

NODES = store.Collection(api_version="v1", plural="nodes", kind="Node")

COLLECTIONS = (
    NODES,
    store.Collection(api_version="v1", plural="events", kind="Event", is_namespaced=True),
    store.Collection(
        api_version="networking.k8s.io/v1", plural="servicecidrs", kind="ServiceCIDR"
    ),
    store.Collection(
        api_version="coordination.k8s.io/v1", plural="leases", kind="Lease", is_namespaced=True
    ),
)

_CORDON_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}

_GLANCE = 0.5
"""Seconds between two looks whether the client of a quiet watch is still there."""


class ApiServer:
    """An API server on one listening socket, with a thread for each connection.

    Args:
        nodes: Node objects to start with, as ``node_object`` makes them.
        service_cidrs: the ranges of the one ServiceCIDR object; none: no such object.
        token: the bearer token asked for; None: everybody is let in.
        context: serve TLS with it; None: plain HTTP.
        ca: PEM of the authority behind the context's certificate, for ``kubeconfig``.
        sock: a listening socket, where the default, a free port of 127.0.0.1, will not do.
        bookmark_interval: seconds between the bookmarks of a quiet watch.
    """

    def __init__(  # noqa: PLR0913 - each is one independent choice, all by name
        self,
        *,
        nodes: Iterable[Mapping[str, Any]] = (),
        service_cidrs: Iterable[str] = (),
        token: str | None = None,
        context: ssl.SSLContext | None = None,
        ca: bytes = b"",
        sock: socket.socket | None = None,
        bookmark_interval: float = 60,
    ) -> None:
        self.token = token
        self.context = context
        self.ca = ca
        self.bookmark_interval = bookmark_interval
        self.store = store.Store()
        self.requests: deque[exchange.Request] = deque(maxlen=10_000)
        self.watches = 0
        """Streams that are open now."""
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._listener = sock
        self._address: tuple[str, int] | None = None
        self._is_running = False
        for node in nodes:
            self.store.create(NODES, dict(node))
        cidrs = list(service_cidrs)
        if cidrs:
            self.store.create(
                _collection("networking.k8s.io/v1", "servicecidrs"),
                {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": cidrs}},
            )

    # -- life --------------------------------------------------------------------------------

    def start(self, sock: socket.socket | None = None) -> None:
        """Listen and serve; after ``stop`` on the same address again, with all objects kept."""
        listener = sock or self._listener
        if listener is None:
            address = self._address or ("127.0.0.1", 0)
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            listener = socket.create_server(address, family=family, backlog=128)
        host, port = listener.getsockname()[:2]
        self._address = (host, port)
        self._listener = listener
        self._is_running = True
        threading.Thread(
            target=self._accept, args=(listener,), daemon=True, name="apiserver"
        ).start()

    def stop(self) -> None:
        """Close everything at once, as the death of the process would."""
        self._is_running = False
        if self._listener is not None:
            # close() alone does not wake the thread that waits in accept().
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.disconnect()
        with self.store.changed:
            self.store.changed.notify_all()

    def disconnect(self) -> None:
        """End every connection and go on serving."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            # The plain socket's shutdown: the one of SSLSocket is not for a second thread.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The TCP port; it stays the same over a stop and a start."""
        if self._address is None:
            raise RuntimeError("the server has not been started yet")
        return self._address[1]

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        port = self.port
        host = self._address[0] if self._address else ""
        scheme = "https" if self.context else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    # -- what a cluster admin does -----------------------------------------------------------

    def node(self, name: str) -> dict[str, Any]:
        """Return the Node as stored."""
        return self.store.get(NODES, store.Scope(name=name))

    def put_node(self, node: Mapping[str, Any]) -> None:
        """Create the Node, or replace the one of its name whole."""
        scope = store.Scope(name=node["metadata"]["name"])
        with self.store.changed:
            found, _ = self.store.find(NODES, scope)
            if found:
                self.store.replace(NODES, scope, dict(node))
            else:
                self.store.create(NODES, dict(node))

    def patch_node(self, name: str, patch: Mapping[str, Any]) -> None:
        """Apply a JSON merge patch, to the status too if it names it."""
        scope = store.Scope(name=name)
        with self.store.changed:
            self.store.replace(NODES, scope, patches.merge(self.node(name), dict(patch)))

    def cordon(self, name: str, is_cordoned: bool = True) -> None:
        """Do what ``kubectl cordon`` causes: the field changes first, then the taint."""
        self.patch_node(name, {"spec": {"unschedulable": True if is_cordoned else None}})
        taints = [
            taint
            for taint in self.node(name)["spec"].get("taints", [])
            if taint["key"] != _CORDON_TAINT["key"]
        ]
        if is_cordoned:
            taints.append(_CORDON_TAINT)
        self.patch_node(name, {"spec": {"taints": taints or None}})

    def delete_node(self, name: str) -> None:
        """Delete the Node; one with finalizers is only marked."""
        self.store.delete(NODES, store.Scope(name=name))

    # -- connections -------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        while self._is_running:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            client = f"{address[0]}:{address[1]}"
            threading.Thread(
                target=self._serve, args=(connection, client), daemon=True, name=client
            ).start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError, ValueError))
            stack.enter_context(connection)
            if self.context is not None:
                connection = stack.enter_context(
                    self.context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                )
            with self._lock:
                self._connections.add(connection)
            stack.callback(self._forget, connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            # A connection accepted just before stop() was not yet in the set it closed.
            if self._is_running:
                exchange.Exchange(connection, client, self._receive)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def _receive(self, asked: exchange.Exchange) -> None:
        self.requests.append(asked.request_read)
        self.answer(asked)

    # -- answers -----------------------------------------------------------------------------

    def answer(self, asked: exchange.Exchange) -> None:
        """Answer one request; a server that misbehaves on purpose overrides this."""
        request = asked.request_read
        if self.token is not None:
            given = request.headers.get("authorization", "")
            if given != f"Bearer {self.token}":
                raise store.StatusError(401, "Unauthorized", "Unauthorized")
        if request.path in {"/healthz", "/livez", "/readyz"}:
            asked.send_bytes(b"ok")
            return
        collection, scope, subresource = _resolve(request)
        if request.method == "GET" and request.is_watch:
            self._watch(asked, collection, scope)
        elif request.method == "GET" and request.path.endswith(f"/{collection.plural}"):
            items, version = self.store.find(collection, scope)
            asked.send_object(_list_object(collection, items, version))
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
                return self.store.create(collection, _document(request), scope.namespace)
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
            new = _document(request)
            if request.method == "PATCH":
                kind = request.headers.get("content-type", "").partition(";")[0]
                if kind not in patches.BY_CONTENT_TYPE:
                    known = ", ".join(patches.BY_CONTENT_TYPE)
                    raise store.StatusError(
                        415, "UnsupportedMediaType", f"{kind} is not supported, only {known}"
                    )
                new = patches.BY_CONTENT_TYPE[kind](old, new)
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
        while self._is_running and time.monotonic() < deadline and not asked.is_abandoned():
            # Read before the changes: a bookmark must not promise more than was sent.
            latest = max(version, self.store.version())
            for change in self.store.since(version, collection, scope):
                asked.send_event(change.type, change.object)
                latest = max(latest, change.version)
            version = latest
            if wants_bookmarks and time.monotonic() >= next_bookmark:
                asked.send_event("BOOKMARK", _bookmark(collection, version))
                next_bookmark = time.monotonic() + self.bookmark_interval
            self._wait(version, min(deadline, next_bookmark))

    def _wait(self, version: int, until: float) -> None:
        with self.store.changed:
            if self.store.version() <= version and self._is_running:
                self.store.changed.wait(max(0, min(until - time.monotonic(), _GLANCE)))


def kubeconfig(server: ApiServer) -> str:
    """Return a kubeconfig file for this server (JSON, which is YAML too)."""
    cluster: dict[str, str] = {"server": server.url}
    if server.ca:
        cluster["certificate-authority-data"] = base64.b64encode(server.ca).decode()
    name = "try"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": server.token} if server.token else {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2) + "\n"


def _collection(api_version: str, plural: str) -> store.Collection:
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
    if request.query.get("labelSelector"):
        raise store.StatusError(400, "BadRequest", "labelSelector is not supported here")
    return (
        _collection(api_version, plural),
        store.Scope(namespace=namespace, name=name),
        subresource,
    )


def _document(request: exchange.Request) -> dict[str, Any]:
    try:
        document = json.loads(request.body)
    except ValueError as error:
        raise store.StatusError(400, "BadRequest", f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise store.StatusError(400, "BadRequest", "the body is not an object")
    return document


def _list_object(
    collection: store.Collection, items: list[store.Object], version: int
) -> dict[str, Any]:
    # A typed list does not repeat kind and apiVersion in its items; a watch event does.
    bare = [
        {key: value for key, value in item.items() if key not in {"kind", "apiVersion"}}
        for item in items
    ]
    return {
        "kind": f"{collection.kind}List",
        "apiVersion": collection.api_version,
        "metadata": {"resourceVersion": str(version)},
        "items": bare,
    }


def _bookmark(collection: store.Collection, version: int) -> dict[str, Any]:
    return {
        "kind": collection.kind,
        "apiVersion": collection.api_version,
        "metadata": {"resourceVersion": str(version), "creationTimestamp": None},
    }
