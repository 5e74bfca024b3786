"""The agent's own life, as a table: serving, and the way to being drained.

A drain is over only when every withdrawal has been acknowledged *and* the routers have had time
to change their forwarding tables; ``drain --wait`` returns at DRAINED. An illegal trigger changes
nothing: every entry that is absent from the table means "stay".
"""

from __future__ import annotations

import enum


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
