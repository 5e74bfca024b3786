"""When to look at the host's own network: before new addresses are acted upon, and now and then.

A look walks through every interface, and a node with many pods has hundreds: never on the way of
a cordon.
"""

from __future__ import annotations

from exabgp_k8s.adapters import host, local_pods
from exabgp_k8s.core.facts import events, pod_ranges
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import addresses

LOOK = 30.0
"""Seconds between two looks at the host's interfaces."""
LOOK_ROUTES = 5.0
"""The same where a session's local address is found by route or is what an interface or a subnet
has, or its router is found on a link: an uplink or a cable may have changed. Also until the next
attempt after one that failed."""


LOOK_PODS = 60.0
"""Seconds between two looks at the addresses of the pods."""


class Lookout:
    """Remembers what was looked for last, and when."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._looked_for: addresses.LookedFor | None = None
        self._pods_at = float("-inf")
        self._pods: pod_ranges.PodsSeen | None = None

    def before(
        self, event: events.Event, world: World, now: float
    ) -> tuple[events.HostSeen | events.HostLost | pod_ranges.PodsSeen, ...]:
        """Return what must be known of the host before an event is acted upon."""
        return (*self._host(event, world, now), *self._local_pods(event, world, now))

    def _host(
        self, event: events.Event, world: World, now: float
    ) -> tuple[events.HostSeen | events.HostLost, ...]:
        node = event.node if isinstance(event, events.NodeSeen) else world.node
        settings = event.config if isinstance(event, events.ConfigLoaded) else world.config
        if node is None or settings is None:
            return ()
        wanted = addresses.looked_for(world, node, settings)
        pause = LOOK_ROUTES if wanted.is_of_the_moment else LOOK
        is_due = isinstance(event, events.Tick) and now >= self._looked_at + pause
        # A link that was down has lost its IPv6 addresses, and has them again.
        is_due |= isinstance(event, events.SessionChanged) and event.state == "up"
        if wanted == self._looked_for and not is_due:
            return ()
        self._looked_at, self._looked_for = now, wanted
        seen = host.look(
            wanted.addresses, wanted.peers, wanted.gateways, wanted.links, wanted.places
        )
        if isinstance(seen, events.HostLost):
            self._looked_at += LOOK_ROUTES - pause
        return (seen,)

    def _local_pods(
        self, event: events.Event, world: World, now: float
    ) -> tuple[pod_ranges.PodsSeen, ...]:
        """Return which pods there are, if that is news: only where the Node names the ranges."""
        settings = world.config
        is_asked = settings is not None and settings.pods_within and world.in_use.pod_cidrs
        if not is_asked or not isinstance(event, events.Tick) or now < self._pods_at + LOOK_PODS:
            return ()
        self._pods_at = now
        found = pod_ranges.PodsSeen() if _is_of_plugin(world) else local_pods.look()
        if found == self._pods:
            return ()
        self._pods = found
        return (found,)


def _is_of_plugin(world: World) -> bool:
    return world.config is not None and world.config.pods_from is not pod_ranges.PodSource.NODE
