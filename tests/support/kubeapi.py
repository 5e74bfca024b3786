"""The API server of ``try``, made to misbehave: HTTPS, faults on request, RBAC, rotations.

A fault is a function that answers a request in the place of the server. ``inject`` lines one up
for the next requests of a kind; afterwards the server is itself again.
"""

from __future__ import annotations

import contextlib
import json
import math
import pathlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import trustme

from exabgp_k8s.core.facts import events
from exabgp_k8s.tryout.kubeapi import api, apiserver, exchange, store
from exabgp_k8s.wire import servers
from tests.support import ports

Kind = TypeVar("Kind")

Fault = Callable[[exchange.Exchange], None]

LIST, WATCH, SERVICE_CIDRS, EVENTS, ANY = "list", "watch", "servicecidrs", "events", "any"
LEASES, SLICES = "leases", "endpointslices"
BGP_SPEAKERS, STATUS = "bgpspeakers", "status"
CILIUM_NODES, BLOCK_AFFINITIES = "ciliumnodes", "blockaffinities"
_APART = frozenset({EVENTS, LEASES, SLICES, BGP_SPEAKERS, CILIUM_NODES, BLOCK_AFFINITIES})


def authority() -> trustme.CA:
    """Make a cluster's certificate authority."""
    return trustme.CA()


def server_context(ca: trustme.CA) -> ssl.SSLContext:
    """Make a TLS context for a server on loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = ("127.0.0.1", "::1", "localhost", servers.TLS_NAME)
    ca.issue_cert(*names).configure_cert(context)
    return context


@dataclass(slots=True, kw_only=True)
class _Injected:
    fault: Fault
    on: str
    times: float


class KubeApi(apiserver.ApiServer):
    """An API server with faults; HTTPS with its own authority unless ``tls`` is false."""

    def __init__(
        self,
        *,
        nodes: Iterable[Mapping[str, Any]] = (),
        service_cidrs: Iterable[str] = (),
        token: str | None = "first-token",
        tls: bool = True,
        bookmark_interval: float = 60,
    ) -> None:
        self.authority = authority()
        super().__init__(
            nodes=nodes,
            service_cidrs=service_cidrs,
            token=token,
            context=server_context(self.authority) if tls else None,
            ca=self.authority.cert_pem.bytes(),
            bookmark_interval=bookmark_interval,
        )
        self.only_nodes: set[str] | None = None
        """RBAC with resourceNames: lists and watches must select one of these by name."""
        self.warm_up = 0.0
        """Seconds after a start during which RBAC refuses everybody."""
        self._started = 0.0
        self._has_listened = False
        self._injected: list[_Injected] = []
        self._faults_lock = threading.Lock()

    def start(self, sock: socket.socket | None = None) -> None:
        self._started = time.monotonic()
        if sock is None and not self._has_listened:
            # It may come back later, when a port of the kernel's choice may be somebody else's.
            sock = socket.create_server(("127.0.0.1", ports.claim()), backlog=128)
        self._has_listened = True
        super().start(sock)

    kill = apiserver.ApiServer.stop

    def restart(self) -> None:
        """Come back on the same port with the same objects."""
        self.start()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Be dead to every client; the objects can be changed all the same."""
        self.kill()
        yield
        self.restart()

    @property
    def admin(self) -> Self:
        """How the cluster's admin reaches it: here everybody may do everything."""
        return self

    def inject(self, fault: Fault, on: str = ANY, times: float = 1) -> None:
        """Answer the next requests of a kind with a fault."""
        with self._faults_lock:
            self._injected.append(_Injected(fault=fault, on=on, times=times))

    def inject_always(self, fault: Fault, on: str = ANY) -> None:
        """Answer all requests of a kind with a fault until ``heal``."""
        self.inject(fault, on, math.inf)

    def heal(self) -> None:
        """Answer as usual from now on."""
        with self._faults_lock:
            self._injected.clear()

    def events(self) -> list[dict[str, Any]]:
        """Return the Events about cluster-wide objects, oldest first."""
        collection = api.find_collection("v1", "events")
        found, _ = self.store.find(collection, store.Scope(namespace="default"))
        return sorted(found, key=lambda each: str(each["metadata"]["name"]))

    def speaker(self, node: str) -> dict[str, Any]:
        """Return a node's BGPSpeaker; nothing: there is none."""
        found, _ = self.store.find(api.BGP_SPEAKERS, store.Scope(name=node))
        return found[0] if found else {}

    def compact(self) -> None:
        """Expire every version there was."""
        self.store.compact()

    def join(self, other: KubeApi) -> None:
        """Be another API server of the cluster that one belongs to; before the start."""
        self.store = self.api.store = other.store
        self.authority, self.ca = other.authority, other.ca
        self.listener.context = server_context(other.authority)

    def rotate_authority(self) -> None:
        """Present certificates of a new authority from the next connection on."""
        self.authority = authority()
        self.ca = self.authority.cert_pem.bytes()
        self.listener.context = server_context(self.authority)

    def count(self, on: str) -> int:
        """Count the requests of a kind so far."""
        return sum(_is_of(request, on) for request in list(self.requests))

    def answer(self, asked: exchange.Exchange) -> None:
        fault = self._next_fault(asked.request_read)
        if fault is not None:
            fault(asked)
            return
        self._authorize(asked.request_read)
        super().answer(asked)

    def _next_fault(self, request: exchange.Request) -> Fault | None:
        with self._faults_lock:
            for injected in self._injected:
                if injected.times > 0 and _is_of(request, injected.on):
                    injected.times -= 1
                    return injected.fault
        return None

    def _authorize(self, request: exchange.Request) -> None:
        is_cold = time.monotonic() - self._started < self.warm_up
        if not is_cold and (self.only_nodes is None or request.path != "/api/v1/nodes"):
            return
        selector = request.query.get("fieldSelector", "")
        if is_cold or selector.removeprefix("metadata.name=") not in (self.only_nodes or ()):
            raise store.StatusError(
                403,
                "Forbidden",
                'nodes is forbidden: User "system:serviceaccount:kube-system:exabgp-k8s" cannot'
                ' list resource "nodes" in API group "" at the cluster scope',
            )

    # -- what faults there are ---------------------------------------------------------------

    def silence(self, asked: exchange.Exchange) -> None:
        """Accept the watch and never say anything: no line, no end."""
        asked.start_stream()
        self._hold(asked)

    def deafness(self, asked: exchange.Exchange) -> None:
        """Take the request and never answer."""
        self._hold(asked)

    def _hold(self, asked: exchange.Exchange) -> None:
        while self.listener.is_running and not asked.is_abandoned():
            time.sleep(0.02)
        asked.close_connection = True


def _is_of(request: exchange.Request, on: str) -> bool:
    parts = request.path.split("/")
    if on in {SERVICE_CIDRS, STATUS, *_APART}:
        return on in parts
    is_apart = not _APART.isdisjoint(parts)
    return on == ANY or (not is_apart and (on == WATCH) == request.is_watch)


def status(code: int, retry_after: str | None = None, reason: str = "Made") -> Fault:
    """Answer with an error of the API."""

    def answer(_: exchange.Exchange) -> None:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        raise store.StatusError(code, reason, f"made to answer {code}", headers)

    return answer


def body(content: bytes, code: int = 200, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with these bytes."""

    def answer(asked: exchange.Exchange) -> None:
        asked.send_bytes(content, code, headers)

    return answer


def line(content: bytes) -> Fault:
    """Accept the watch, send these bytes as its only line and end it."""

    def answer(asked: exchange.Exchange) -> None:
        asked.start_stream()
        asked.send_chunk(content + b"\n")
        asked.send_chunk(b"")

    return answer


def gone_event(asked: exchange.Exchange) -> None:
    """Report inside the stream that the version is too old."""
    expired = {"kind": "Status", "status": "Failure", "code": 410, "message": "too old"}
    line(json.dumps({"type": "ERROR", "object": expired}).encode())(asked)


def instant_end(asked: exchange.Exchange) -> None:
    """Accept the watch and end it at once."""
    asked.start_stream()
    asked.send_chunk(b"")


def truncated_chunk(asked: exchange.Exchange) -> None:
    """Promise a chunk, send a part of it, close."""
    asked.start_stream()
    asked.wfile.write(b'400\r\n{"type": "MODIF')
    asked.wfile.flush()
    asked.close_connection = True


def reset(asked: exchange.Exchange) -> None:
    """Accept the watch and break the connection with a TCP RST."""
    asked.start_stream()
    asked.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    asked.close_connection = True


def write_service_account(folder: pathlib.Path, server: KubeApi) -> pathlib.Path:
    """Write what kubelet mounts into a pod; return the folder."""
    (folder / "token").write_text(server.token or "")
    (folder / "ca.crt").write_bytes(server.ca)
    return folder


class Recorder:
    """Keeps every event delivered to it, for a test to wait for one."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: events.Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[events.Event], bool], *, after: int = 0) -> int:
        """Wait for an event, beginning with number ``after``; return the number after it."""

        def found() -> int:
            numbered = enumerate(self.events[after:], after + 1)
            return next((number for number, event in numbered if wanted(event)), 0)

        with self._changed:
            number = self._changed.wait_for(found, timeout=60)
        assert number, f"not delivered; there was only {self.events[after:]}"
        return number

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Return the events of one class so far."""
        with self._changed:
            return [event for event in self.events if isinstance(event, kind)]


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until the condition holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.005)
