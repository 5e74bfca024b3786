"""All we know at one moment: one frozen value, replaced and never changed.

What is not known is a value of its own, never an empty collection: a RIB that was not read yet
is ``None``, an API server that was not heard yet leaves ``node`` as ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import (
    bfd,
    budget,
    config,
    events,
    exchange,
    in_use,
    lifecycle,
    model,
    pod_ranges,
    succession,
)
from exabgp_k8s.core.facts.checks import CheckState
from exabgp_k8s.core.facts.membership import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A change that ExaBGP stored and that no UPDATE has been seen for yet."""

    route: model.Route
    is_withdrawal: bool
    since: float
    reminders: int = 0
    """How often it was asked for once more, each time after longer than it ever takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRib:
    """ExaBGP's adj-rib-out for one peer, and what of it is not acknowledged."""

    routes: Mapping[model.Network, model.Route] = field(default_factory=dict)
    pending: Mapping[model.Network, Pending] = field(default_factory=dict)
    is_flushed: bool = False
    """Sent once more since the session came up: ExaBGP may order queued changes wrongly."""
    ended: frozenset[model.Family] = frozenset()
    """Families whose End-of-RIB went out since the session came up."""


Peers = tuple[config.Peer, ...]
Entries = tuple[config.Peer | config.Sought, ...]
Rib = Mapping[model.Address, PeerRib]
"""One entry for every peer that ExaBGP has, also for those that are down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What ExaBGP said about one session."""

    name: str = ""
    """The peer's when it last came up; empty: it was up before this agent's life, or never."""
    is_up: bool = False
    since: float = 0
    """When ``is_up`` last changed, or when the session was first heard of."""
    row: events.NeighborRow | None = None
    """The latest counters."""
    families: frozenset[model.Family] = frozenset()
    """What was negotiated; empty while the session is down."""
    hold_time: int = 0
    is_extended: bool = False
    """IPv4 routes may have an IPv6 next hop (RFC 8950); False while the session is down."""
    local: model.Address | None = None
    is_restartable: bool | None = None
    """Graceful restart was negotiated; None: not read since the session came up."""
    restart_time: int = 0
    """Seconds that the router was asked to keep our routes for when the session came up."""
    problem: str = ""
    """Why it is down, in words; empty while it is up."""
    ended: str = ""
    """What ended the latest session or its OPEN, while it is not up again."""
    last_problem: str = ""
    """The latest ``problem``; it stays when the session is up again."""
    last_problem_at: float = 0
    times_up: int = 0
    times_lost: int = 0
    flaps: tuple[exchange.Flap, ...] = ()
    """The last losses, the latest first."""
    failed_attempts: int = 0
    """Attempts in vain since it was up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A session that was up and whose parameters were changed: it goes down and comes back."""

    since: float
    times_up: int
    """How often it had been up before."""
    served_at: float | None = None
    """Since when it is back and every UPDATE has left; None: it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remnant:
    """A lost session whose routes the router may still have; it knows the pair of addresses."""

    peer: model.Address
    local: model.Address | None
    name: str = ""
    """The peer's: a session with another router of the same address clears nothing. Empty: it is
    not known, and any session between the two addresses counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """ExaBGP answered ``error`` to an announcement; it is tried again at ``until``."""

    problem: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """What we tell the other nodes about ourselves, and what their Leases say to it."""

    standing: budget.Standing | None = None
    """What our Lease shall say; None: too little is known to change it."""
    verdict: budget.Verdict | None = None
    """On the claim that we have; None: none has come yet."""
    count: budget.Count | None = None
    """What the verdict rests on."""
    problem: str = ""
    """Why the Leases could not be asked the last time; empty: they could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that a decision may depend on."""

    started: float = 0
    node_name: str = ""
    """The name of the Node that is looked for."""
    config: config.Config | None = None
    passwords: Mapping[str, model.Secret] = field(default_factory=dict)
    config_problems: tuple[str, ...] = ()
    """Non-empty: the settings file on disk is refused and an older one is in force."""

    node: model.NodeFacts | None = None
    """The Node as it counts now; it stays after the object is gone."""
    node_seen: model.NodeFacts | None = None
    """The object as last seen."""
    succession: succession.Succession | None = None
    is_node_remembered: bool = False
    """An earlier process saw the Node; this one has not been able to."""
    is_node_gone: bool = False
    kube_contact: float | None = None
    kube_problem: str = ""
    kube_lost: float | None = None
    """Since when the API server cannot be asked; None: it can."""
    service_cidrs: tuple[model.Network, ...] | None = None
    api_servers: frozenset[model.Address] = frozenset()
    is_service_cidr_missing: bool = False
    """The API has none any more; the ones that it had go on."""
    plugin_ranges: pod_ranges.RangesSeen | None = None
    """What a network plugin's objects said last; None: nothing yet."""
    plugin_ranges_lost: pod_ranges.RangesLost | None = None
    """Why they cannot be read now; None: they can."""
    local_pods: Mapping[str, tuple[model.Address, ...]] = field(default_factory=dict)
    """Addresses of pods that the host shows, by the usual name of their interfaces."""
    pods_elsewhere: Mapping[str, tuple[model.Address, ...]] = field(default_factory=dict)
    """Those of them that no announced range covers."""
    host: events.HostSeen = events.HostSeen()
    host_problem: str = ""
    """Why the host could not be looked at the last time; empty: it could."""
    in_use: in_use.InUse = in_use.InUse()

    checks: Mapping[str, CheckState] = field(default_factory=dict)
    phase: lifecycle.Phase = lifecycle.Phase.SERVING
    phase_since: float = 0
    is_drain_asked: bool = False
    """By the operator, on the command line."""
    stop: lifecycle.Stop = lifecycle.Stop.NOT_ASKED

    budget: BudgetView = BudgetView()
    causes: Mapping[model.Cause, float] = field(default_factory=dict)
    """Every cause that stands now, with the time since when."""
    membership: Mapping[model.PrefixClass, Membership] = field(default_factory=dict)

    neighbors: tuple[model.Neighbor, ...] | None = None
    """What ExaBGP is configured with; None before the agent configured it."""
    asked: tuple[model.Neighbor, ...] | None = None
    """What it is being told to read, until it is known to have taken or refused that."""
    leaving: Mapping[model.Address, float] = field(default_factory=dict)
    """Peers whose routes are withdrawn because their session ends, and since when."""
    resets: Mapping[model.Address, Reset] = field(default_factory=dict)
    """Sessions that were made anew by a change of their parameters."""
    remnants: Mapping[Remnant, float] = field(default_factory=dict)
    """Lost sessions whose routes a router may still have, and until when."""
    daemon_problem: str = ""
    sessions: Mapping[model.Address, Session] = field(default_factory=dict)
    rib: Rib | None = None
    """None: not read since the agent started."""
    is_rib_current: bool = False
    """False: ExaBGP was reconfigured, or refused what the RIB made us expect; read it again."""
    peers_read: tuple[model.Address, ...] | None = None
    """The peers ExaBGP has, read on the way to a current RIB."""
    reloaded_at: float = 0
    is_reload_lost: bool = False
    """ExaBGP was told to read a new configuration and has not taken it: restart it."""
    neighbors_read_at: float = 0
    bfd: bfd.Seen | None = None
    """What the engine of BFD said last; None: nothing yet."""
    is_joining_refused: bool = False
    """ExaBGP refused several changes in one line: one by one shows which of them it means."""
    refusals: Mapping[tuple[model.Address, model.Network], Refusal] = field(default_factory=dict)

    @property
    def is_stopping(self) -> bool:
        """Whether the pod itself is about to end."""
        return self.stop is not lifecycle.Stop.NOT_ASKED

    @property
    def peers(self) -> Peers:
        """The peers whose address is known, in the order in which they are written."""
        if self.config is None:
            return ()
        if not self.config.sought:
            return self.config.peers
        return tuple(each for each in self.entries if isinstance(each, config.Peer))

    @property
    def entries(self) -> Entries:
        """All peers, as they are written; those that the node found have their address."""
        if self.config is None:
            return ()
        known = self.in_use.routers
        found = (
            each if (at := known.get(str(each.where))) is None else each.at(at.address)
            for each in self.config.sought
        )
        return tuple(sorted((*self.config.peers, *found), key=lambda each: each.entry))

    @property
    def running(self) -> Mapping[model.Address, model.Neighbor]:
        """What ExaBGP is configured with, by address; empty before the agent configured it."""
        return {each.address: each for each in self.neighbors or ()}

    def session_of(self, name: str, address: model.Address) -> Session | None:
        """Return a peer's session; None: it has none, or its address has another peer's.

        A session of a name that is no peer's any more is that of a peer that was renamed.
        """
        found = self.sessions.get(address)
        if found is None or found.name in ("", name) or self.config is None:
            return found
        is_others = any(each.name == found.name for each in self.config.entries)
        return None if is_others else found

    def is_up(self, peer: model.Address) -> bool:
        """Return whether the session with a peer is Established."""
        return peer in self.sessions and self.sessions[peer].is_up

    def awaits(self, peer: model.Address, prefix: model.Network) -> bool:
        """Return whether an UPDATE about a prefix is due to a peer, and none was seen yet.

        In a session that has just come up that is so for all that ExaBGP held before: the first
        flush sends it, and only the answer to that makes it pending.
        """
        held = (self.rib or {}).get(peer, PeerRib())
        session = self.sessions.get(peer, Session())
        is_unsent = prefix in held.routes and not held.is_flushed
        return prefix in held.pending or (
            is_unsent and model.family_of(prefix) in session.families
        )

    @property
    def held(self) -> frozenset[model.Network]:
        """Every prefix in the adj-rib-out of some peer; none where that was not read yet."""
        ribs = (self.rib or {}).values()
        return frozenset(prefix for rib in ribs for prefix in rib.routes)
