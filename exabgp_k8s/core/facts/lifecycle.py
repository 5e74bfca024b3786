"""The agent's own life, as a table: serving, and the way to being drained.

A drain is over only when every withdrawal has been acknowledged *and* the routers have had time
to change their forwarding tables; ``drain --wait`` returns at DRAINED. An illegal trigger changes
nothing: every entry that is absent from the table means "stay".
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Phase(enum.StrEnum):
    """Where the agent is."""

    SERVING = "serving"
    DRAINING = "draining"
    SETTLING = "settling"
    DRAINED = "drained"


class Stop(enum.StrEnum):
    """What is known of the end of our own pod."""

    NOT_ASKED = "no"
    ROLLOUT = "rollout"
    """A successor comes: routers that support graceful restart keep the routes until then."""
    DRAIN = "drain"
    """Nobody is known to come: everything is withdrawn first."""


STOPS = (Stop.NOT_ASKED, Stop.ROLLOUT, Stop.DRAIN)
"""One way only: what has once begun to withdraw announces nothing any more."""


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


def further(stop: Stop, asked: Stop) -> Stop:
    """Return how a stop goes on after another request."""
    return max(stop, asked, key=STOPS.index)


def advance(phase: Phase, trigger: Trigger) -> Phase:
    """Return the phase after a trigger."""
    return TRANSITIONS.get((phase, trigger), phase)
