"""A drain is asked for or taken back, and how far it is, as a table.

A drain is over only when every withdrawal has been acknowledged *and* the routers have had time
to change their forwarding tables; ``drain --wait`` returns at DRAINED. An illegal trigger changes
nothing: every entry that is absent from the table means "stay".
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import assert_never

from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.lifecycle import STOPS, Phase, Stop
from exabgp_k8s.core.facts.world import World


class Trigger(enum.StrEnum):
    """What may move it."""

    DRAIN_ASKED = "drain asked"
    UNDRAIN_ASKED = "undrain asked"
    ACKNOWLEDGED = "withdrawals acknowledged"
    REOPENED = "something is announced again"
    SETTLE_TIME_OVER = "settle time over"


TRANSITIONS: Mapping[tuple[Phase, Trigger], Phase] = {
    (Phase.SERVING, Trigger.DRAIN_ASKED): Phase.DRAINING,
    (Phase.DRAINING, Trigger.ACKNOWLEDGED): Phase.SETTLING,
    (Phase.SETTLING, Trigger.SETTLE_TIME_OVER): Phase.DRAINED,
    # A settings edit in the middle of a drain can leave something to withdraw once more.
    (Phase.SETTLING, Trigger.REOPENED): Phase.DRAINING,
    (Phase.DRAINED, Trigger.REOPENED): Phase.DRAINING,
    (Phase.DRAINING, Trigger.UNDRAIN_ASKED): Phase.SERVING,
    (Phase.SETTLING, Trigger.UNDRAIN_ASKED): Phase.SERVING,
    (Phase.DRAINED, Trigger.UNDRAIN_ASKED): Phase.SERVING,
}


def observe(world: World, event: events.DrainAsked | events.UndrainAsked, now: float) -> World:
    """Return the world after somebody asked for a drain, or took that back."""
    match event:
        case events.DrainAsked():
            world = _stop(world, event) if event.is_stopping else _drained(world, is_asked=True)
            return advance(world, Trigger.DRAIN_ASKED, now)
        case events.UndrainAsked():
            if world.is_stopping:
                return world
            world = _drained(world, is_asked=False)
            return advance(world, Trigger.UNDRAIN_ASKED, now)
        case _:
            assert_never(event)


def _drained(world: World, *, is_asked: bool) -> World:
    return dataclasses.replace(world, is_drain_asked=is_asked)


def _stop(world: World, event: events.DrainAsked) -> World:
    asked = Stop.ROLLOUT if event.is_rollout else Stop.DRAIN
    return dataclasses.replace(world, stop=_further(world.stop, asked))


def advance(world: World, trigger: Trigger, now: float) -> World:
    """Move the agent's own life by the table."""
    phase = TRANSITIONS.get((world.phase, trigger), world.phase)
    if phase is world.phase:
        return world
    return dataclasses.replace(world, phase=phase, phase_since=now)


def _further(stop: Stop, asked: Stop) -> Stop:
    """Return how a stop goes on after another request."""
    return max(stop, asked, key=STOPS.index)
