"""Our own Node, as the API server shows it: listed once, watched from there on, for ever.

    list ──version──> watch ──end──> watch from the last version ...
      ^                 │
      └─expired, silent─┘      anything else: wait, longer each time, and go on where it was

What is delivered is what was seen, in the order seen. An API server that is down, slow, wrong or
silent changes nothing that is known: it makes ``KubeLost`` and another attempt, never a fact.
The version is kept only after the line that carried it was delivered, so nothing is skipped; what
is shown twice is delivered once.

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
from exabgp_k8s.adapters.kube import backoff, client, stream, unforeseen
from exabgp_k8s.core import events, model
from exabgp_k8s.wire import kube

_NODES = "/api/v1/nodes"
_SERVICE_CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"

_WATCHES_PER_CONNECTION = 5
"""A connection kept for ever would stay with the one API server that was up first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long everything may take; all in seconds."""

    watch: float = 290
    """What the server is asked to end a watch after, +-10 %: proxies cut at 300."""
    idle: float = 100
    """Silence after which a watch is taken for dead; bookmarks come about every 60."""
    pause: float = 0.2
    """The longest pause before a watch that ended well is opened again."""
    first_delay: float = 0.8
    longest_delay: float = 30
    longest_retry_after: float = 60
    """No server can send us to sleep for longer."""
    short_life: float = 1
    """A watch that ends sooner has failed, however well it ended."""
    long_life: float = 10
    """A watch that lasts longer makes the next failure the first one."""
    contact_interval: float = 1
    """Contacts in between are not delivered."""
    missing_ranges: float = 30
    """Instead of ``watch`` while the service ranges are wanted and none could be read."""


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
        self._backoff = backoff.Backoff(self._timings.first_delay, self._timings.longest_delay)
        self._version = ""
        self._has_relisted = False
        self._service_cidrs: tuple[model.Network, ...] | None = None
        self._are_service_cidrs_current = False
        self._shown: model.NodeFacts | None = None
        self._is_gone = False
        self._ended_well = 0
        self._opened: float | None = None
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
        try:
            if not self._version:
                self._list()
            self._read_service_cidrs()
            self._watch()
        except errors.KubeError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the Node must be watched
            self._version = ""
            return self._failed(self._unforeseen.as_failure(error))
        return self._ended()

    def _failed(self, error: errors.KubeError) -> float:
        if self._is_stopping.is_set():
            return 0
        self._reset_after_long_life()
        if isinstance(error, errors.Expired):
            self._version = ""
            if not self._has_relisted:
                # It happens to every agent whose API server was started anew; listing is the cure.
                # That the server was away for long before is no reason to wait once more.
                self._has_relisted = True
                self._backoff.delay()
                return self._pause()
        self._lost(str(error), is_ours=bool(error.lack))
        return max(
            self._backoff.delay(), min(error.retry_after, self._timings.longest_retry_after)
        )

    def _ended(self) -> float:
        self._reset_after_long_life()
        if self._lived() < self._timings.short_life:
            return self._backoff.delay()
        self._are_service_cidrs_current = False
        self._ended_well += 1
        if self._ended_well % _WATCHES_PER_CONNECTION == 0:
            self._api.close()
        return self._pause()

    def _reset_after_long_life(self) -> None:
        if self._lived() >= self._timings.long_life:
            self._backoff.reset()
            self._has_relisted = False

    def _lived(self) -> float:
        """Return the seconds since the server accepted the watch, 0 if it did not."""
        return 0 if self._opened is None else time.monotonic() - self._opened

    def _pause(self) -> float:
        return random.uniform(0, self._timings.pause)  # noqa: S311 - jitter, not a secret

    def _list(self) -> None:
        items, version = kube.parse_list(self._api.request("GET", _NODES, query=self._query()))
        self._contact()
        self._are_service_cidrs_current = False
        found = [kube.parse_node(item) for item in items]
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
        """Read the service ranges after each list and each watch that ended well.

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
        self._are_service_cidrs_current = bool(cidrs)
        if cidrs != self._service_cidrs:
            self._service_cidrs = cidrs
            self._deliver(events.ServiceCidrsSeen(cidrs=cidrs))

    def _lacks_service_cidrs(self) -> bool:
        return self._wants_service_cidrs() and not self._are_service_cidrs_current

    def _watch(self) -> None:
        is_lacking = self._lacks_service_cidrs()
        length = self._timings.missing_ranges if is_lacking else self._timings.watch
        length *= random.uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret
        query = self._query() | {
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, round(length))),
        }
        watched = self._api.watch(_NODES, query, self._timings.idle)
        self._opened = time.monotonic()
        self._stream = watched
        try:
            # Both may have come before there was a stream to interrupt.
            if self._is_refreshing.is_set() or self._is_stopping.is_set():
                return
            self._contact()
            for line in watched.lines():
                self._take(kube.parse_watch_line(line))
            if watched.fell_silent:
                # Not even a bookmark. A connection may be dead; or the version is one that this
                # server has not reached, as after the restore of a backup: then it would stay
                # silent until it has.
                self._version = ""
        finally:
            self._stream = None
            watched.close()

    def _take(self, line: kube.WatchLine) -> None:
        self._contact()
        if line.type is not kube.LineType.BOOKMARK:
            node = kube.parse_node(line.object)
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
