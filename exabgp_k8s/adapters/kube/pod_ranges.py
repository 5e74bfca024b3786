"""The pod ranges of our own node, as its network plugin's objects name them.

    wanted(source) ──> a watch of that plugin's objects, and of none without one

Cilium's object has the Node's name, so that the server can be asked for it alone. Calico's block
affinities cannot be selected by their node: their definition has no selectable field, and only
those that the newest releases wrote have a label with a hash of the name. So they are listed in
pages and watched whole, and what is another node's is forgotten as it comes.

The watch is longer than the Node's: that one notices a server that hangs, and a range that comes
or goes may wait for it. That a right or a definition is missing is told after a while only: after
a server has started it refuses everybody for a moment.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any, Protocol

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client, watching
from exabgp_k8s.core.facts import events, pod_ranges
from exabgp_k8s.core.facts.pod_ranges import PodSource
from exabgp_k8s.wire import kube
from exabgp_k8s.wire import pod_ranges as wire

TIMINGS = watching.Timings(watch=(280, 320), silence=400)
"""0.2 requests a minute, beside the Node's 1.7."""

LASTING = 15.0
"""Seconds that the objects cannot be read until it is told."""

PAGE = 500
"""Blocks in one answer: half a megabyte."""

_MISSING = {
    403: "the right to them is missing: apply daemonset/components/pods-from-{source}",
    404: "the cluster has no such objects: is announce.pods.from the plugin it runs?",
}
"""What the cluster says until somebody changes it."""


class Reading(Protocol):
    """What is made of one kind of objects."""

    def listed(self, items: list[Any]) -> pod_ranges.RangesSeen:
        """Take all there are."""

    def changed(self, line: kube.WatchLine) -> pod_ranges.RangesSeen | None:
        """Take a change; return None if it is of another node's."""


class PodRanges:
    """Watches what the settings ask for.

    Args:
        api: makes a client; each watch has one of its own.
        node_name: the name of the Node.
        deliver: is given every event, in the thread of the watch; must not block.
        timings: how long everything may take.
        lasting: seconds until it is told that the objects cannot be read.
    """

    def __init__(
        self,
        api: Callable[[], client.Client],
        node_name: str,
        deliver: Callable[[events.Event], None],
        *,
        timings: watching.Timings = TIMINGS,
        lasting: float = LASTING,
    ) -> None:
        self._api, self._node_name, self._deliver = api, node_name, deliver
        self._timings, self._lasting = timings, lasting
        self._source = PodSource.NODE
        self._watch: watching.Watch | None = None

    def wanted(self, source: PodSource) -> None:
        """Watch this source from now on, and no other; returns at once."""
        if source is self._source:
            return
        if self._watch is not None:
            self._watch.stop()
        self._watch, self._source = None, PodSource.NODE
        if source is not PodSource.NODE:
            reader = _Reader(source, self._node_name, self._deliver, self._lasting)
            selection = _selection(source, self._node_name)
            watch = watching.Watch(self._api(), selection, reader, self._timings)
            # Without a thread to be had now it is tried again by the next turn.
            with contextlib.suppress(RuntimeError):
                watch.start()
                self._watch, self._source = watch, source


def _selection(source: PodSource, node_name: str) -> watching.Selection:
    about, settled = pod_ranges.OBJECTS[source], frozenset(_MISSING)
    if source is PodSource.CILIUM:
        return watching.Selection(
            path=wire.CILIUM_NODES,
            query={"fieldSelector": f"metadata.name={node_name}"},
            thread="kube-pod-ranges",
            about=about,
            settled=settled,
        )
    return watching.Selection(
        path=wire.BLOCK_AFFINITIES,
        query={},
        thread="kube-pod-ranges",
        about=about,
        page=PAGE,
        keeps=lambda item: wire.is_block_of(item, node_name),
        settled=settled,
    )


class _CiliumNode:
    """The one object that has the Node's name."""

    def __init__(self, node_name: str) -> None:
        self._node_name = node_name

    def listed(self, items: list[Any]) -> pod_ranges.RangesSeen:
        ours = [item for item in items if wire.name_of(item) == self._node_name]
        return wire.of_cilium(ours[0]) if ours else pod_ranges.RangesSeen(source=PodSource.CILIUM)

    def changed(self, line: kube.WatchLine) -> pod_ranges.RangesSeen | None:
        if wire.name_of(line.object) != self._node_name:
            return None
        if line.type is kube.LineType.DELETED:
            return pod_ranges.RangesSeen(source=PodSource.CILIUM)
        return wire.of_cilium(line.object)


class _Blocks:
    """The blocks of our node, by the names of their objects."""

    def __init__(self, node_name: str) -> None:
        self._node_name = node_name
        self._blocks: dict[str, wire.Block] = {}

    def listed(self, items: list[Any]) -> pod_ranges.RangesSeen:
        ours = [item for item in items if wire.is_block_of(item, self._node_name)]
        self._blocks = {wire.name_of(item): self._block(item) for item in ours}
        return wire.of_calico(self._blocks.values())

    def changed(self, line: kube.WatchLine) -> pod_ranges.RangesSeen | None:
        name = wire.name_of(line.object)
        is_ours = wire.is_block_of(line.object, self._node_name)
        if not is_ours and name not in self._blocks:
            return None
        if is_ours and line.type is not kube.LineType.DELETED:
            self._blocks[name] = self._block(line.object)
        else:
            self._blocks.pop(name, None)
        return wire.of_calico(self._blocks.values())

    def _block(self, item: Any) -> wire.Block:
        """Return a block; of one that cannot be read any more, what was known of it."""
        cidr, problem = wire.block(item)
        known, _ = self._blocks.get(wire.name_of(item), (None, ""))
        return (known if problem else cidr), problem


class _Reader:
    """Tells what is news of one source, and that it cannot be read if that lasts."""

    def __init__(
        self,
        source: PodSource,
        node_name: str,
        deliver: Callable[[events.Event], None],
        lasting: float,
    ) -> None:
        self._source, self._deliver, self._lasting = source, deliver, lasting
        is_cilium = source is PodSource.CILIUM
        self._reading: Reading = _CiliumNode(node_name) if is_cilium else _Blocks(node_name)
        self._shown: pod_ranges.RangesSeen | None = None
        self._lost_since: float | None = None
        self._told = ""

    def contact(self) -> None:
        self._lost_since = None
        if self._told and self._shown is not None:
            # A watch that goes on where it was says nothing again by itself.
            self._told = ""
            self._deliver(self._shown)

    def listed(self, items: list[Any]) -> None:
        self._take(self._reading.listed(items))

    def changed(self, line: kube.WatchLine) -> bool:
        seen = self._reading.changed(line)
        if seen is not None:
            self._take(seen)
        # The version moves on with other nodes' blocks, too: they are of the same collection.
        return True

    def lost(self, error: errors.KubeError) -> None:
        # That no server answers is told by the Node's watch, once for all that is asked there.
        if isinstance(error, errors.Unreachable) or error.lack:
            return
        now = time.monotonic()
        self._lost_since = now if self._lost_since is None else self._lost_since
        advice = _MISSING.get(error.status, "{error}").format(source=self._source, error=error)
        problem = f"{pod_ranges.OBJECTS[self._source]} cannot be read: {advice}"
        if now >= self._lost_since + self._lasting and problem != self._told:
            self._told = problem
            self._deliver(pod_ranges.RangesLost(source=self._source, problem=problem))

    def look_beside(self) -> None:
        pass

    def _take(self, seen: pod_ranges.RangesSeen) -> None:
        is_news = seen != self._shown or bool(self._told)
        self._shown, self._told = seen, ""
        if is_news:
            self._deliver(seen)
