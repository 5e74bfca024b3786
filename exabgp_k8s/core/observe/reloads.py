"""ExaBGP takes a new configuration: which sessions start anew by that, and what to read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from exabgp_k8s.core.facts import events, model
from exabgp_k8s.core.facts.world import Reset, World

RESET_LIMIT = 30.0
"""Seconds that the next session waits for one that was made anew and does not come back."""


def observe(world: World, event: events.DaemonReloaded, now: float) -> World:
    """Return the world after ExaBGP was told to read a configuration that it accepts."""
    resets = _resets(world, event.neighbors, now)
    world = dataclasses.replace(world, neighbors=event.neighbors, daemon_problem="", resets=resets)
    return begun(world, now)


def begun(world: World, now: float) -> World:
    """Return the world in which ExaBGP has yet to be seen with its configuration."""
    return dataclasses.replace(
        world, is_rib_current=False, peers_read=None, reloaded_at=now, refusals={}
    )


def _resets(
    world: World, neighbors: tuple[model.Neighbor, ...], now: float
) -> Mapping[model.Address, Reset]:
    """Return the sessions that ExaBGP makes anew, those included that are not back from before."""
    running = world.running
    kept = {peer: begun for peer, begun in world.resets.items() if now < begun.since + RESET_LIMIT}
    return kept | {
        each.address: Reset(since=now, times_up=world.sessions[each.address].times_up)
        for each in neighbors
        if world.is_up(each.address)
        and each.address in running
        and each.is_reset_from(running[each.address])
    }
