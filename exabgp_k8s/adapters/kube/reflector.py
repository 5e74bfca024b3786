"""Our own Node, as the API server shows it: listed once, watched from there on, for ever.

    list ──version──> watch ──end──> watch from the last version ...
      ^                 │
      └─────expired─────┘      anything else: wait, or ask another server, and go on where it was

What is delivered is what was seen, in the order seen. An API server that is down, slow, wrong or
silent changes nothing that is known: it makes ``KubeLost`` and another attempt, never a fact.
The version is kept only after the line that carried it was delivered, so nothing is skipped; what
is shown twice is delivered once.

A watch is short, because only its end is a sign of life that a server can be asked for: whatever
hangs, or is kept alive by somebody in between, is noticed when the end does not come.

It runs in a thread of its own, because the transport blocks. An error of ours is one more failure:
the thread goes on and lists anew.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import addresses, attempts, backoff, client, stream, unforeseen
from exabgp_k8s.core.facts import events, model
from exabgp_k8s.wire import kube, kube_node

_NODES = "/api/v1/nodes"
_SERVICE_CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"

_RELISTS, _RELIST_EACH = 3, 10.0
"""Lists that follow an expired version at once, and seconds until one more may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long everything may take; all in seconds."""

    watch: tuple[float, float] = (34, 38)
    """What the server is asked to end a watch after: drawn between these."""
    grace: float = 4
    """So much later a watch is over that the server has not ended."""
    silence: float = 100
    """Watches that end well and bring not even a bookmark, for so long: then the Node is listed.
    Bookmarks come about every 60, and just before the end."""
    pauses: attempts.Pauses = attempts.Pauses()
    short_life: float = 1
    """A watch that ends sooner has failed, however well it ended."""
    contact_interval: float = 1
    """Contacts in between are not delivered."""
    reread: float = 600
    """What is listed beside the Node is read again: the service ranges, the servers' addresses."""
    reread_failed: float = 30
    """The same for addresses that could not be read, but may be soon."""
    connection: float = 1500
    """A connection kept for ever would stay with the one API server that was up first."""


class Reflector:
    """Delivers what the API server shows of one Node.

    Args:
        api: where to ask.
        node_name: the name of the Node; no other is looked at.
        deliver: is given every event, in the reflector's thread; must not block.
        wants_service_cidrs: asked before each watch, in the reflector's thread.
        timings: how long everything may take.
    """

    def __init__(
        self,
        api: client.Client,
        node_name: str,
        deliver: Callable[[events.Event], None],
        *,
        wants_service_cidrs: Callable[[], bool] = lambda: False,
        timings: Timings | None = None,
    ) -> None:
        self._api = api
        self._node_name = node_name
        self._deliver = deliver
        self._wants_service_cidrs = wants_service_cidrs
        self._unforeseen = unforeseen.Unforeseen("the Node")
        self._timings = timings or Timings()
        self._attempts = attempts.Attempts(self._timings.pauses)
        self._addresses = addresses.Addresses(
            api, self._timings.reread, self._timings.reread_failed
        )
        self._relists = backoff.Bucket(_RELISTS, _RELIST_EACH)
        self._version = ""
        self._service_cidrs: tuple[model.Network, ...] | None = None
        self._reads_ranges_at = float("-inf")
        self._shown: model.NodeFacts | None = None
        self._is_gone = False
        self._opened: float | None = None
        self._heard_at = self._connected_at = time.monotonic()
        self._next_contact = 0.0
        self._stream: stream.Stream | None = None
        self._is_stopping = threading.Event()
        self._is_refreshing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="kube-reflector")

    def start(self) -> None:
        """Start the thread; a reflector runs once."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread soon; at once if it watches or waits."""
        self._is_stopping.set()
        self.refresh()

    def refresh(self) -> None:
        """Open the watch anew, for instance because the service ranges are wanted now."""
        self._is_refreshing.set()
        watched = self._stream
        if watched is not None:
            watched.interrupt()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            self._is_stopping.wait(self._turn())

    def _turn(self) -> float:
        """List if need be and watch once; return how long to wait before the next turn."""
        self._is_refreshing.clear()
        self._opened = None
        begun = time.monotonic()
        try:
            if not self._version:
                self._list()
            self._read_service_cidrs()
            self._addresses.read()
            self._watch()
        except errors.KubeError as error:
            if not isinstance(error, (errors.Unreachable, errors.Expired)) and not error.lack:
                # Nothing of it happens where the client has seen the failure itself.
                self._api.was_useless()
            return self._failed(error, begun)
        except Exception as error:  # noqa: BLE001 - whatever it is, the Node must be watched
            self._version = ""
            return self._failed(self._unforeseen.as_failure(error), begun)
        return self._ended()

    def _failed(self, error: errors.KubeError, begun: float) -> float:
        if self._is_stopping.is_set():
            return 0
        now = time.monotonic()
        if self._lived() >= self._timings.short_life:
            self._attempts.succeeded()
            begun = now
        if isinstance(error, errors.Expired):
            self._version = ""
            # It happens to every agent whose API server was started anew; listing is the cure.
            # That the server was away for long before is no reason to wait once more.
            wait = self._relists.take(now)
            if not wait:
                return 0
            self._lost(str(error), is_ours=False)
            return wait
        has_another = self._api.servers.has_another
        if not has_another:
            self._lost(str(error), is_ours=bool(error.lack))
        return self._attempts.failed(error, has_another=has_another, took=now - begun)

    def _ended(self) -> float:
        if self._lived() < self._timings.short_life:
            if not self._is_refreshing.is_set():
                self._api.was_useless()
            return self._attempts.ended_early(has_another=self._api.servers.has_another)
        self._attempts.succeeded()
        now = time.monotonic()
        if now - self._heard_at >= self._timings.silence:
            # The version may be one that this server has not reached, as after the restore of a
            # backup: then it would be silent until it has.
            self._version = ""
        if now - self._connected_at >= self._timings.connection:
            self._connected_at = now
            self._api.servers.draw()
            self._api.close()
        return 0

    def _lived(self) -> float:
        """Return the seconds since the server accepted the watch, 0 if it did not."""
        return 0 if self._opened is None else time.monotonic() - self._opened

    def _list(self) -> None:
        items, version = kube.parse_list(self._api.request("GET", _NODES, query=self._query()))
        self._contact()
        self._heard_at = time.monotonic()
        self._reads_ranges_at = float("-inf")
        found = [kube_node.parse(item) for item in items]
        if not all(node.name for node in found):
            raise errors.KubeError("the list of nodes holds an object without a name")
        # Whoever answers may have ignored the selector.
        ours = [node for node in found if node.name == self._node_name]
        if ours:
            self._seen(ours[0])
        else:
            self._gone()
        self._version = version

    def _read_service_cidrs(self) -> None:
        """Read the service ranges after each list, and now and then between two watches.

        They come second: that they cannot be read must not keep the Node from being watched.
        Nor is a watch of their own worth its connection: a range is added once in years.
        """
        if not self._lacks_service_cidrs():
            return
        try:
            items, _ = kube.parse_list(self._api.request("GET", _SERVICE_CIDRS))
            cidrs = kube.parse_service_cidrs(items)
        except errors.KubeError as error:
            self._lost(
                f"the ServiceCIDR objects cannot be read: {error}; "
                "if this stays so, write the ranges into announce.services.cidrs",
                is_ours=bool(error.lack),
            )
            return
        # An API server that is new creates the first range soon; until then ask as if unread.
        if cidrs:
            self._reads_ranges_at = time.monotonic() + self._timings.reread
        if cidrs != self._service_cidrs:
            self._service_cidrs = cidrs
            self._deliver(events.ServiceCidrsSeen(cidrs=cidrs))

    def _lacks_service_cidrs(self) -> bool:
        return self._wants_service_cidrs() and time.monotonic() >= self._reads_ranges_at

    def _watch(self) -> None:
        length = round(random.uniform(*self._timings.watch))  # noqa: S311 - jitter, not a secret
        query = self._query() | {
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, length)),
        }
        watched = self._api.watch(_NODES, query, max(1, length) + self._timings.grace)
        self._opened = time.monotonic()
        self._stream = watched
        try:
            # Both may have come before there was a stream to interrupt.
            if self._is_refreshing.is_set() or self._is_stopping.is_set():
                return
            self._contact()
            for line in watched.lines():
                self._take(kube.parse_watch_line(line))
        finally:
            self._stream = None
            watched.close()

    def _take(self, line: kube.WatchLine) -> None:
        self._contact()
        self._heard_at = time.monotonic()
        if line.type is not kube.LineType.BOOKMARK:
            node = kube_node.parse(line.object)
            if node.name != self._node_name:
                return
            if line.type is kube.LineType.DELETED:
                self._gone()
            else:
                self._seen(node)
        self._version = line.version

    def _seen(self, node: model.NodeFacts) -> None:
        # kubelet's heartbeat changes the object every few minutes and nothing that we use of it.
        if node != self._shown:
            self._shown = node
            self._is_gone = False
            self._deliver(events.NodeSeen(node=node))

    def _gone(self) -> None:
        if not self._is_gone:
            self._shown = None
            self._is_gone = True
            self._deliver(events.NodeGone())

    def _contact(self) -> None:
        now = time.monotonic()
        if now >= self._next_contact:
            self._next_contact = now + self._timings.contact_interval
            self._deliver(events.KubeContact())

    def _lost(self, problem: str, *, is_ours: bool) -> None:
        # The next contact is news, however short the interval.
        self._next_contact = 0
        self._deliver(events.KubeLost(problem=problem, is_ours=is_ours))

    def _query(self) -> dict[str, str]:
        return {"fieldSelector": f"metadata.name={self._node_name}"}
