"""ExaBGP takes a new configuration: which sessions start anew by that, and what to read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import assert_never

from exabgp_k8s.core.facts import model, reload
from exabgp_k8s.core.facts.world import Reset, World

RESET_LIMIT = 30.0
"""Seconds that the next session waits for one that was made anew and does not come back."""


def observe(world: World, event: reload.Event, now: float) -> World:
    """Return the world after a configuration has come a step further to ExaBGP."""
    match event:
        case reload.Asked():
            # Noted before a session of it can be seen to go down.
            resets = {**world.resets, **_resets(world, event.neighbors, now)}
            return dataclasses.replace(world, asked=event.neighbors, resets=_recent(resets, now))
        case reload.Taken():
            resets = {**_resets(world, event.neighbors, now), **world.resets}
            world = dataclasses.replace(
                world,
                neighbors=event.neighbors,
                asked=None,
                daemon_problem="",
                resets=_recent(resets, now),
            )
            return begun(world, now)
        case reload.Refused():
            # Those that were to be made anew by it stay as they are.
            resets = {
                peer: each for peer, each in world.resets.items() if not _stands(world, peer, each)
            }
            return dataclasses.replace(
                world, asked=None, daemon_problem=event.problem, resets=resets
            )
        case _:
            assert_never(event)


def begun(world: World, now: float) -> World:
    """Return the world in which ExaBGP has yet to be seen with its configuration."""
    return dataclasses.replace(
        world, is_rib_current=False, peers_read=None, reloaded_at=now, refusals={}
    )


def _resets(
    world: World, neighbors: tuple[model.Neighbor, ...], now: float
) -> Mapping[model.Address, Reset]:
    """Return the sessions that are up and that ExaBGP makes anew for these neighbors."""
    running = world.running
    return {
        each.address: Reset(since=now, times_up=world.sessions[each.address].times_up)
        for each in neighbors
        if world.is_up(each.address)
        and each.address in running
        and each.is_reset_from(running[each.address])
    }


def _recent(resets: Mapping[model.Address, Reset], now: float) -> Mapping[model.Address, Reset]:
    return {peer: each for peer, each in resets.items() if now < each.since + RESET_LIMIT}


def _stands(world: World, peer: model.Address, noted: Reset) -> bool:
    """Return whether a session is up, and is still the one that was to be made anew."""
    return world.is_up(peer) and world.sessions[peer].times_up == noted.times_up
