"""A small API server that is true to the protocol, for ``try`` and for the tests.

A drain is a change of a Node object, so nobody can try one without an API server, and a real one
needs etcd, certificates and a minute. This one holds Nodes and a few other collections and
answers list, get, watch, create, replace, patch and delete as a real one does: versions,
conflicts, selectors, bookmarks, deadlines, expired versions, ``Status`` bodies. It validates
next to nothing and authorises by one token.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, Self

from exabgp_k8s.tryout.kubeapi import api, exchange, listener, patches, store
from exabgp_k8s.tryout.kubeapi.nodes import node_object

__all__ = ["ApiServer", "Reachable", "kubeconfig", "node_object"]

_CORDON_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class ApiServer:
    """An API server on one listening socket.

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
        self.ca = ca
        self.store = store.Store()
        self.requests: deque[exchange.Request] = deque(maxlen=10_000)
        """What was asked, oldest first."""
        self.listener = listener.Listener(self._receive, context, sock)
        self.api = api.Api(self.store, lambda: self.listener.is_running, bookmark_interval)
        for node in nodes:
            self.store.create(api.NODES, dict(node))
        cidrs = list(service_cidrs)
        if cidrs:
            self.store.create(
                api.find_collection("networking.k8s.io/v1", "servicecidrs"),
                {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": cidrs}},
            )

    def start(self, sock: socket.socket | None = None) -> None:
        """Listen and serve; after ``stop`` on the same address again, with all objects kept."""
        self.listener.start(sock)

    def stop(self) -> None:
        """Close everything at once, as the death of the process would."""
        self.listener.stop()
        with self.store.changed:
            self.store.changed.notify_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The TCP port; it stays the same over a stop and a start."""
        return self.listener.address[1]

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        host, port = self.listener.address
        scheme = "https" if self.listener.context else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    @property
    def watches(self) -> int:
        """The number of watches that are open now."""
        return self.api.watches

    def node(self, name: str) -> dict[str, Any]:
        """Return the Node as stored."""
        return self.store.get(api.NODES, store.Scope(name=name))

    def put_node(self, node: Mapping[str, Any]) -> None:
        """Create the Node, or replace the one of its name whole."""
        scope = store.Scope(name=node["metadata"]["name"])
        with self.store.changed:
            found, _ = self.store.find(api.NODES, scope)
            if found:
                self.store.replace(api.NODES, scope, dict(node))
            else:
                self.store.create(api.NODES, dict(node))

    def patch_node(self, name: str, patch: Mapping[str, Any]) -> None:
        """Apply a JSON merge patch, to the status too if it names it."""
        scope = store.Scope(name=name)
        with self.store.changed:
            self.store.replace(api.NODES, scope, patches.merge(self.node(name), dict(patch)))

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
        self.store.delete(api.NODES, store.Scope(name=name))

    def answer(self, asked: exchange.Exchange) -> None:
        """Answer one request; a server that misbehaves on purpose overrides this.

        Raises:
            store.StatusError: becomes the answer.
        """
        scheme, _, given = asked.request_read.headers.get("authorization", "").partition(" ")
        if self.token is not None and (scheme.lower(), given) != ("bearer", self.token):
            raise store.StatusError(401, "Unauthorized", "Unauthorized")
        self.api.answer(asked)

    def _receive(self, asked: exchange.Exchange) -> None:
        self.requests.append(asked.request_read)
        self.answer(asked)


class Reachable(Protocol):
    """What a kubeconfig says of an API server."""

    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def ca(self) -> bytes: ...  # noqa: D102
    @property
    def token(self) -> str | None: ...  # noqa: D102


def kubeconfig(server: Reachable) -> str:
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
