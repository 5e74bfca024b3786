"""When to look at the host's own network: before new addresses are acted upon, and now and then.

A look walks through every interface, and a node with many pods has hundreds: never on the way of
a cordon.
"""

from __future__ import annotations

from exabgp_k8s.adapters import host
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import addresses

LOOK = 30.0
"""Seconds between two looks at the host's interfaces."""
LOOK_ROUTES = 5.0
"""The same where a session's local address is found by route: an uplink may have changed. Also
until the next attempt after one that failed."""


class Lookout:
    """Remembers what was looked for last, and when."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._looked_for: addresses.LookedFor | None = None

    def before(
        self, event: events.Event, world: World, now: float
    ) -> tuple[events.HostSeen | events.HostLost, ...]:
        """Return what must be known of the host before an event is acted upon."""
        node = event.node if isinstance(event, events.NodeSeen) else world.node
        settings = event.config if isinstance(event, events.ConfigLoaded) else world.config
        if node is None or settings is None:
            return ()
        wanted = addresses.looked_for(world, node, settings)
        pause = LOOK_ROUTES if wanted.peers or wanted.gateways else LOOK
        is_due = isinstance(event, events.Tick) and now >= self._looked_at + pause
        # A link that was down has lost its IPv6 addresses, and has them again.
        is_due |= isinstance(event, events.SessionChanged) and event.state == "up"
        if wanted == self._looked_for and not is_due:
            return ()
        self._looked_at, self._looked_for = now, wanted
        seen = host.look(wanted.addresses, wanted.peers, wanted.gateways)
        if isinstance(seen, events.HostLost):
            self._looked_at += LOOK_ROUTES - pause
        return (seen,)
