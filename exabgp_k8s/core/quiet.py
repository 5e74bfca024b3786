"""What comes in and changes nothing that is decided: noted, and no turn is taken over it.

An idle node hears every second that its checks are as well as before, and its clock. To judge,
decide, plan and tell of the same again is most of what it would spend.

A turn is taken all the same as soon as its deadline is there, whenever ExaBGP is to be asked how
its sessions are, and as long as anything at all is on its way: only a world in which nothing moves
is left alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable

from exabgp_k8s.core.facts import events, lifecycle
from exabgp_k8s.core.facts.checks import CheckState
from exabgp_k8s.core.facts.world import PeerRib, World
from exabgp_k8s.core.observe import ribs
from exabgp_k8s.core.observe.event import observe
from exabgp_k8s.core.plan import changes
from exabgp_k8s.core.plan.turn import Turn

QUIET = (events.Tick, events.CheckOutcome, events.KubeContact)
"""What may change nothing."""


def is_turn_due(world: World, found: Iterable[events.Event]) -> bool:
    """Return whether to take a turn over what came in; not for UPDATEs that say nothing new.

    A router may ask for its routes as often as it likes, and each answer is an UPDATE.
    """
    return any(
        not isinstance(event, events.UpdateSent)
        or ribs.is_news(
            (world.rib or {}).get(event.peer, PeerRib()), event.announced, event.withdrawn
        )
        for event in found
    )


def noted(turn: Turn, found: Collection[events.Event], now: float) -> Turn | None:
    """Return the turn with its facts brought up to now; None: another one is to be taken."""
    if not all(isinstance(event, QUIET) for event in found) or not _is_still(turn, now):
        return None
    world = turn.world
    for event in found:
        world = observe(world, event, now)
    if world is turn.world:
        return turn
    return dataclasses.replace(turn, world=world) if _is_same(turn.world, world) else None


def _is_still(turn: Turn, now: float) -> bool:
    """Return whether nothing is on its way and no time has come."""
    world = turn.world
    is_due = turn.deadline is not None and now >= turn.deadline
    return (
        not is_due
        and now < world.neighbors_read_at + changes.POLL
        and not turn.commands
        and not turn.judgement.pending
        and turn.stage == world.neighbors
        and world.is_rib_current
        and world.kube_lost is None
        and world.phase is lifecycle.Phase.SERVING
    )


def _is_same(before: World, after: World) -> bool:
    """Return whether two worlds differ in nothing but what is only shown."""
    return (
        dataclasses.replace(after, checks=before.checks, kube_contact=before.kube_contact)
        == before
        and after.checks.keys() == before.checks.keys()
        and all(_is_as_before(before.checks[name], after.checks[name]) for name in after.checks)
    )


def _is_as_before(before: CheckState, after: CheckState) -> bool:
    return before is after or (before.hysteresis, before.missed, before.since) == (
        after.hysteresis,
        after.missed,
        after.since,
    )
