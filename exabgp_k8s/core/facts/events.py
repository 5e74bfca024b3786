"""Everything that can happen, one frozen class each.

An event is a fact that an adapter saw, and no wish: what follows is decided anew from the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import (
    bfd,
    budget,
    commands,
    config,
    in_use,
    links,
    model,
    pod_ranges,
    reload,
)
from exabgp_k8s.core.facts.exchange import Exchange
from exabgp_k8s.core.facts.places import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time passed; a deadline that a decision named has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigLoaded:
    """A valid settings document is in force, with the passwords found beside it."""

    config: config.Config
    passwords: Mapping[str, model.Secret] = field(default_factory=dict)
    found_at: float | None = field(default=None, compare=False)
    """When the edit was found; None: it was there from the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRefused:
    """An edited settings document is not valid; the last good one stays in force."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSeen:
    """The API server showed our Node object."""

    node: model.NodeFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGone:
    """The API server says that there is no Node of our name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the API server said to an earlier process, while it says nothing to this one."""

    node: model.NodeFacts
    service_cidrs: tuple[model.Network, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRecalled:
    """What an earlier process of this pod used."""

    in_use: in_use.InUse


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeContact:
    """The API server answered, or a line of the watch arrived, bookmarks included."""

    servers: frozenset[model.Address] = frozenset()
    """The servers' own addresses, where they were learned or are others now; else none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeLost:
    """The API server could not be asked; nothing that was known changes."""

    problem: str
    is_ours: bool = False
    """For want of something of ours: that does not mean that the API server is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCidrsSeen:
    """The ServiceCIDR objects of the cluster (networking.k8s.io/v1)."""

    cidrs: tuple[model.Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSeen:
    """What the other nodes' Leases say to our claim; without a count there is no claim."""

    count: budget.Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLost:
    """The Leases could not be written or read."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSeen:
    """What the host's own network looks like.

    ``uplinks``: the networks of interfaces with an address of the node or a session; ``sources``:
    our address towards each peer; ``addresses``: all beside each on its interface; empty: gone.
    """

    uplinks: frozenset[model.Network] = frozenset()
    sources: Mapping[model.Address, model.Address] = field(default_factory=dict)
    addresses: Mapping[model.Address, tuple[model.Address, ...]] = field(default_factory=dict)
    gateways: Mapping[model.Family, tuple[model.Address, ...]] = field(default_factory=dict)
    links: Mapping[str, links.Link] = field(default_factory=dict)
    places: Found = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLost:
    """The host's network could not be looked at; nothing that was known changes."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """One run of a health check ended."""

    name: str
    is_ok: bool
    message: str = ""
    duration: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMissed:
    """A run of a check says nothing: not carried out, or this process stood still meanwhile."""

    name: str
    why: str
    is_repeated: bool = False
    """It is run again at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainAsked:
    """Somebody asked for a drain; with ``is_stopping`` the pod itself is about to end."""

    is_stopping: bool = False
    is_rollout: bool = False
    """The API server says that the pod is being replaced; only looked at with ``is_stopping``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndrainAsked:
    """The drain is taken back; a stopping pod stays drained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanged:
    """ExaBGP reports a session as connected, up or down."""

    peer: model.Address
    state: str
    local: model.Address | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What the two OPEN messages agreed on."""

    peer: model.Address
    families: frozenset[model.Family]
    hold_time: int
    is_extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationReceived:
    """The router closed the session and said why (RFC 4271 section 4.5)."""

    peer: model.Address
    code: int
    subcode: int
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSent:
    """An UPDATE for this peer was generated: the acknowledgement that counts."""

    peer: model.Address
    announced: frozenset[model.Network] = frozenset()
    withdrawn: frozenset[model.Network] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborRow:
    """One row of ``show neighbor json``."""

    peer: model.Address
    local: model.Address | None
    is_up: bool
    fsm: str
    local_asn: int = 0
    peer_asn: int = 0
    local_router_id: str = ""
    families: frozenset[model.Family] = frozenset()
    local_hold_time: int = 0
    hold_time: int = 0
    """The negotiated one in seconds, not the configured one; 0 while the session is down."""
    duration: int = 0
    """Seconds since the session came up, or since ExaBGP started trying."""
    messages_sent: int = 0
    messages_received: int = 0
    router_id: str = ""
    """The peer's own router id; empty while down."""
    graceful_restart: bool = False
    """Both sides offered it, as with the next one."""
    is_extended: bool = False
    exchange: Exchange = Exchange()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborsRead:
    """The answer to ``ShowNeighbors``."""

    rows: tuple[NeighborRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RibRead:
    """The answer to ``ShowRib``: what ExaBGP holds for each peer."""

    routes: tuple[model.Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDone:
    """ExaBGP stored it; that an UPDATE left is another event."""

    command: commands.Command


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailed:
    """ExaBGP refused the command."""

    command: commands.Command
    problem: str = ""


Event = (
    Tick
    | ConfigLoaded
    | ConfigRefused
    | NodeSeen
    | NodeGone
    | Remembered
    | UseRecalled
    | KubeContact
    | KubeLost
    | ServiceCidrsSeen
    | pod_ranges.Event
    | BudgetSeen
    | BudgetLost
    | HostSeen
    | HostLost
    | CheckOutcome
    | CheckMissed
    | DrainAsked
    | UndrainAsked
    | SessionChanged
    | Negotiated
    | NotificationReceived
    | UpdateSent
    | NeighborsRead
    | RibRead
    | bfd.Seen
    | reload.Event
    | CommandDone
    | CommandFailed
)
