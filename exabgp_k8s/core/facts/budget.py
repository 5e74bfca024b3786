"""A node's place in the outage budget: what it tells the others, and what they say to it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from exabgp_k8s.core.facts import config


class Standing(enum.StrEnum):
    """What a node tells the others about itself."""

    IN = "in"
    EXCLUDED = "excluded"
    """Out because somebody excluded it from load balancing for good: none of the nodes that the
    budget is about. kubeadm does so to every control-plane node."""
    PLANNED = "planned"
    """Out, or about to be, for a reason that needs no slot."""
    SLOT = "slot"
    """Out on a slot, or in the queue for one."""

    @property
    def is_claim(self) -> bool:
        """Whether others have to count it."""
        return self in {Standing.PLANNED, Standing.SLOT}


class Verdict(enum.StrEnum):
    """What the list said about our claim."""

    GRANTED = "granted"
    EXHAUSTED = "exhausted"
    UNREACHABLE = "unreachable"
    """It could not be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the agent wants its Lease to say."""

    budget: config.Budget | None = None
    """None: there is no budget, and no request is to be made."""
    standing: Standing | None = None
    """None: too little is known; what the Lease says stays."""
    uid: str = ""
    """Of the Node, which owns the Lease; empty: not seen yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One node's Lease, as far as others look at it."""

    node: str
    standing: Standing
    key: int
    is_live: bool
    """Renewed in time. A node that died holds nothing for longer than its Lease lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What a list says to one claim."""

    taken: int
    """Slots that are not for us: what counts against our claim."""
    allowed: int
    nodes: int

    @property
    def verdict(self) -> Verdict:
        """Whether the claim is granted."""
        return Verdict.GRANTED if self.taken < self.allowed else Verdict.EXHAUSTED
