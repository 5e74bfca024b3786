"""The damper between what is asked of a class and what the routers hear.

Every withdrawal and every return rehashes the routers' ECMP group, and connections may move to
another node by it. A node that keeps going in and out is worse than one that is out. So a prefix
class worsens at once but gets better only after a hold-down, which doubles while the class keeps
leaving.

Times are seconds on the monotonic clock whose reading is passed as ``now``.
"""

from __future__ import annotations

import dataclasses

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.core.facts.membership import Membership
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import demands

LEAVES_KEPT = 32
"""Bounds the memory of a membership; 29 doublings reach any maximum one would write."""

LEAVES_FREE = 3
"""A node may be rebooted, and rebooted again, before it counts as flapping."""


def settle(world: World, asked: demands.Demands, now: float) -> World:
    """Bring what is in force for each class up to what is asked of it."""
    if world.config is None:
        return world
    hold = world.config.hold_down
    found = {
        prefix_class: after(
            world.membership.get(prefix_class, Membership()), demands.worst(wanted), hold, now
        )
        for prefix_class, wanted in asked.items()
    }
    return world if found == world.membership else dataclasses.replace(world, membership=found)


def after(
    membership: Membership, wanted: model.Action, hold: config.HoldDown, now: float
) -> Membership:
    """Return the membership after ``wanted`` was asked for at ``now``.

    Worse takes effect at once. Better takes effect when something better than the action in
    force has been wanted without a break until the hold-down is over; ``until`` of the result is
    the deadline at which to ask again.
    """
    leaves = tuple(leave for leave in membership.leaves if now - leave <= hold.window)
    action, until = membership.action, membership.until
    if model.SEVERITY[wanted] > model.SEVERITY[action]:
        if action is model.Action.KEEP or membership.is_partly_back:
            leaves = (*leaves, now)[-LEAVES_KEPT:]
        return Membership(action=wanted, leaves=leaves)
    if wanted is action:
        return dataclasses.replace(membership, leaves=leaves, until=None)
    if until is None:
        until = now + _delay(len(leaves), hold)
    if now >= until:
        is_partly_back = wanted is not model.Action.KEEP
        return Membership(action=wanted, leaves=leaves, is_partly_back=is_partly_back)
    return dataclasses.replace(membership, leaves=leaves, until=until)


def _delay(leaves: int, hold: config.HoldDown) -> float:
    """Return the hold-down in seconds after so many leaves within the window."""
    doublings = max(leaves - LEAVES_FREE, 0)
    return float(min(hold.initial * 2**doublings, hold.maximum))
