"""BFD (RFC 5880) beside the sessions: what is wanted of it, and what its engine says.

A node that loses power says nothing, and until the hold time its routers go on sending to it. BFD
notices in a fraction of a second. It is another program that speaks it; here stand the values that
go to that program and come back from it. Nothing of them decides about a route or a session of
this node: the router at the other end draws the conclusion (RFC 5882 section 4).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import model

MOST = 256
"""Sessions that are taken from the engine; a node has a handful of routers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How fast a failure is noticed, as the settings of a peer say it."""

    interval: int = 300
    """Milliseconds from one packet to the next, both ways, at the least."""
    multiplier: int = 3
    """How many packets may be missed in a row."""
    is_multihop: bool = False
    """The router is beyond another one (RFC 5883)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One BFD session as the engine is configured for it on this node."""

    name: str
    """The peer's; for people, the engine has no names."""
    address: model.Address
    """With its link, where it is link-local; else the engine looks where it is."""
    local: model.Address
    timing: Timing = Timing()


class State(enum.StrEnum):
    """The state of a session (RFC 5880 section 6.2), as ``show bfd sessions`` spells it."""

    ADMIN_DOWN = "AdminDown"
    DOWN = "Down"
    INIT = "Init"
    UP = "Up"


DIAGNOSTICS: Mapping[int, str] = {
    0: "no diagnostic",
    1: "nothing heard in the detection time",
    2: "echo function failed",
    3: "the router says that its session is down",
    4: "forwarding plane reset",
    5: "path down",
    6: "concatenated path down",
    7: "administratively down",
    8: "reverse concatenated path down",
}
"""Why a session went down, in words (RFC 5880 section 4.1)."""


def in_words(diagnostic: int | None) -> str:
    """Return what a diagnostic code means; nothing where the engine did not say one."""
    if diagnostic is None or diagnostic == 0:
        return ""
    return DIAGNOSTICS.get(diagnostic, f"diagnostic {diagnostic}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as the engine has it."""

    address: model.Address
    """With its link, where it is link-local."""
    state: State
    since: float
    """When the state last changed, by our own clock."""
    diagnostic: int | None = None
    """None: the engine did not say."""
    interval: int | None = None
    """Milliseconds between our packets, as it was agreed; None: not known."""
    detect: int | None = None
    """Milliseconds after which the engine takes the router for lost."""
    downs: int = 0
    """How often it has gone from Up to another state, in the life of this agent."""
    is_listed: bool = True
    """False: the engine is configured with it, and has no such session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the engine says, or why it is not known."""

    problem: str = ""
    """In words for people; empty: the engine works and says so."""
    is_heard: bool = True
    """False: the engine says nothing, and the problem is that."""
    sessions: Mapping[model.Address, Session] = field(default_factory=dict)
    """By the router's address; empty where the engine is not heard."""
