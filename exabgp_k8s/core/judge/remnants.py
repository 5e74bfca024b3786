"""What routers may still have of lost sessions, and what of that a drain waits for.

Nothing can be told to such a router meanwhile, and a node that goes down now leaves a path to
nowhere. So a drain is not over before that time has passed, or before the session is back and the
router has heard what is true: it then forgets everything else at our End-of-RIB, or has forgotten
it by itself where graceful restart is off.

Of sessions before this agent's life it is not known whether there were any, so every peer counts
as one that had routes, until its session is there or that time has passed since our start; also
before it is known which of the peers are this node's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from exabgp_k8s.core.facts import lifecycle
from exabgp_k8s.core.facts.world import Remnant, World
from exabgp_k8s.core.observe.remnants import is_cleared


def settle(world: World, now: float) -> World:
    """Forget the lost sessions of which nothing can be left any more."""
    left = {
        each: until
        for each, until in world.remnants.items()
        if now < until and not is_cleared(world, each)
    }
    return world if left == world.remnants else dataclasses.replace(world, remnants=left)


def awaited(world: World, now: float) -> Mapping[Remnant, float]:
    """Return what a drain waits for; a pod that is replaced leaves the node in service."""
    if world.stop is lifecycle.Stop.ROLLOUT:
        return {}
    return {**_inherited(world, now), **world.remnants}


def _inherited(world: World, now: float) -> Mapping[Remnant, float]:
    """Return what an earlier process may have left at a router we have not spoken to yet."""
    found: dict[Remnant, float] = {}
    for key, hold_time, restart_time in _possible(world):
        session = world.sessions.get(key.peer)
        is_known = session is not None and session.times_up > 0
        until = world.started + hold_time + (restart_time or 0)
        if not is_known and now < until:
            # Of several peers with one address any may have been this node's.
            found[key] = max(until, found.get(key, until))
    return found


def _possible(world: World) -> Iterator[tuple[Remnant, int, int | None]]:
    """Yield the sessions that an earlier process may have had, with hold and restart time."""
    running = world.running
    for neighbor in running.values():
        key = Remnant(peer=neighbor.address, local=neighbor.local_address)
        yield key, neighbor.hold_time, neighbor.graceful_restart
    # A Node that has not been seen yet may have any of them, and one that is held back now, for
    # want of an address or a password, had a session when it had those. Of several with one
    # address another may have been this node's, before its labels were changed.
    labels = world.in_use.labels
    meant = {each.address for each in world.peers if each.selector.matches(labels)}
    for peer in world.peers:
        if peer.address in running:
            key = Remnant(peer=peer.address, local=running[peer.address].local_address)
            yield key, peer.hold_time, peer.graceful_restart
        elif world.node is None or peer.address in meant:
            key = Remnant(peer=peer.address, local=None)
            yield key, peer.hold_time, peer.graceful_restart
