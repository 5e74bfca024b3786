"""Our own Node, as the API server shows it, and what is read beside it, as events.

A watch shows more than there is to say: kubelet's heartbeat changes the object every few minutes
and nothing that we use of it, and what is shown twice is told once. Whoever answers may have
ignored the selector, so what is not our Node is left out here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import addresses, client, due, ranges, watching
from exabgp_k8s.core.facts import events, model
from exabgp_k8s.wire import kube, kube_node

NODES = "/api/v1/nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings(watching.Timings):
    """How long everything may take; all in seconds."""

    contact_interval: float = 1
    """Contacts in between are not delivered."""
    reread: float = 600
    """What is listed beside the Node is read again: the service ranges, the servers' addresses."""
    reread_failed: float = 30
    """The same for addresses that could not be read, but may be soon."""


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
        self._node_name = node_name
        self._deliver = deliver
        self._wants_service_cidrs = wants_service_cidrs
        self._timings = timings or Timings()
        self._ranges = ranges.Ranges(api, self._timings.reread)
        self._addresses = addresses.Addresses(
            api, self._timings.reread, self._timings.reread_failed
        )
        self._shown: model.NodeFacts | None = None
        self._is_gone = False
        self._servers = api.servers
        self._told: frozenset[model.Address] = frozenset()
        self._next_contact = due.Due()
        selection = watching.Selection(
            path=NODES,
            query={"fieldSelector": f"metadata.name={node_name}"},
            thread="kube-reflector",
            about="the Node",
        )
        self._watch = watching.Watch(api, selection, self, self._timings)

    def start(self) -> None:
        """Start the thread; a reflector runs once."""
        self._watch.start()

    def stop(self) -> None:
        """End the thread soon; at once if it watches or waits."""
        self._watch.stop()

    def refresh(self) -> None:
        """Open the watch anew, for instance because the service ranges are wanted now."""
        self._watch.refresh()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._watch.is_alive

    # -- what the watch calls, in its thread ----------------------------------------------------

    def contact(self) -> None:
        """Deliver that an API server has answered, now and then."""
        if self._next_contact.is_now:
            self._next_contact.after(self._timings.contact_interval)
            self._deliver(events.KubeContact())

    def lost(self, error: errors.KubeError) -> None:
        """Deliver that nothing is heard now."""
        self._lost(str(error), is_ours=bool(error.lack))

    def _lost(self, problem: str, *, is_ours: bool) -> None:
        # The next contact is news, however short the interval.
        self._next_contact.at_once()
        self._deliver(events.KubeLost(problem=problem, is_ours=is_ours))

    def listed(self, items: list[Any]) -> None:
        """Deliver the Node, or that there is none."""
        self._ranges.expire()
        found = [kube_node.parse(item) for item in items]
        if not all(node.name for node in found):
            raise errors.KubeError("the list of nodes holds an object without a name")
        # Whoever answers may have ignored the selector.
        ours = [node for node in found if node.name == self._node_name]
        if ours:
            self._seen(ours[0])
        else:
            self._gone()

    def changed(self, line: kube.WatchLine) -> bool:
        """Deliver what has become of the Node; return whether it was ours."""
        node = kube_node.parse(line.object)
        if node.name != self._node_name:
            return False
        if line.type is kube.LineType.DELETED:
            self._gone()
        else:
            self._seen(node)
        return True

    def look_beside(self) -> None:
        """Deliver the service ranges if they are wanted; learn the API servers' addresses."""
        if self._wants_service_cidrs():
            self._read_ranges()
        self._addresses.read()
        known = self._servers.addresses
        if known and known != self._told:
            self._told = known
            self._deliver(events.KubeContact(servers=known))

    def _read_ranges(self) -> None:
        try:
            cidrs = self._ranges.read()
        except errors.KubeError as error:
            self._lost(
                f"the ServiceCIDR objects cannot be read: {error}; "
                "if this stays so, write the ranges into announce.services.cidrs",
                is_ours=bool(error.lack),
            )
            return
        if cidrs is not None:
            self._deliver(events.ServiceCidrsSeen(cidrs=cidrs))

    def _seen(self, node: model.NodeFacts) -> None:
        if node != self._shown:
            self._shown = node
            self._is_gone = False
            self._deliver(events.NodeSeen(node=node))

    def _gone(self) -> None:
        if not self._is_gone:
            self._shown = None
            self._is_gone = True
            self._deliver(events.NodeGone())
