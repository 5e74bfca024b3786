"""The settings as the core uses them: checked where they are read. Durations are seconds."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from exabgp_k8s.core.facts import asns, bfd, model, offer, places, pod_ranges, routers


class Operator(enum.StrEnum):
    """The operators of a LabelSelector requirement (Kubernetes, LabelSelectorRequirement)."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One ``matchExpressions`` entry."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether a set of labels meets this requirement."""
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A LabelSelector: every requirement must hold; the empty one selects every node."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether a node with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)


class LocalAddress(enum.StrEnum):
    """How the local address of a session is found when the settings name none."""

    NODE = "node"
    """The node's InternalIP of the peer's family."""
    ROUTE = "route"
    """The source address the kernel uses towards the peer, for nodes with several uplinks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the settings say of one router of ``peers``, wherever it is."""

    entry: int = 0
    """Which entry of the settings it comes from; one may be for several routers."""
    name: str
    asn: int | asns.Relation
    local_asn: int | asns.OfTheNode
    description: str = ""
    port: int = 179
    local_address: model.Address | LocalAddress | places.Place = LocalAddress.NODE
    next_hop: model.Address | LocalAddress | places.Place | None = None
    """None: where the session is. An address or a subnet is for its own family only."""
    selector: Selector = Selector()
    hold_time: int = 9
    keepalive: int | None = None
    connect_retry: int | None = None
    """Seconds from one KEEPALIVE or one attempt in vain to the next; None: as without it."""
    password_from: str | None = None
    """A key of the mounted Secret; None: a session without TCP MD5."""
    multihop: int | None = None
    ttl_security: bool = False
    graceful_restart: int | None = None
    bfd: bfd.Timing | None = None
    families: tuple[model.Family, ...] = (model.Family.IPV4, model.Family.IPV6)
    is_extended: bool = False
    services: offer.Offer | None = offer.Offer()
    pods: offer.Offer | None = offer.Offer()
    """What it is announced of each class; None: nothing."""

    def offered(self, prefix_class: model.PrefixClass) -> offer.Offer | None:
        """Return what this peer is announced of a class; None: nothing."""
        return self.services if prefix_class is model.PrefixClass.SERVICES else self.pods

    def hears(self, prefix: model.Network, prefix_class: model.PrefixClass) -> bool:
        """Return whether a prefix is announced to this peer, as far as the settings go."""
        found = self.offered(prefix_class)
        return bool(found and model.family_of(prefix) in self.families and found.holds(prefix))

    def at(self, place: model.Address | routers.Where) -> Peer | Sought:
        """Return the peer that it is at an address, or wherever the node finds it."""
        said = {each.name: getattr(self, each.name) for each in dataclasses.fields(Entry)}
        if isinstance(place, routers.Where):
            return Sought(**said, where=place)
        return Peer(**said, address=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer(Entry):
    """A router at an address."""

    address: model.Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought(Entry):
    """A router whose address each node finds itself."""

    where: routers.Where

    @property
    def address(self) -> None:
        """Nothing: the node has not found it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the policy table: what to do, and how long the cause must have stood."""

    action: model.Action
    after: float = 0


Policy = Mapping[tuple[model.Reason, model.PrefixClass], Cell]
"""The policy table; a pair that is absent means keep."""

DEFAULT_POLICY: Policy = {
    (reason, prefix_class): Cell(action=model.Action.WITHDRAW)
    for reason in model.CAUSES
    for prefix_class in model.PrefixClass
} | {
    # A /24 has no other way in, and the label speaks of load balancers only.
    (model.Reason.EXCLUDED, model.PrefixClass.PODS): Cell(action=model.Action.KEEP),
    # A Node re-registered within half a minute must not cost the service range its next hop.
    (model.Reason.NODE_DELETED, model.PrefixClass.SERVICES): Cell(
        action=model.Action.WITHDRAW, after=30
    ),
}

DRAIN_TAINTS = (
    model.Taint(key="ToBeDeletedByClusterAutoscaler"),
    model.Taint(key="karpenter.sh/disrupted"),
    model.Taint(key="karpenter.sh/disruption"),
)
"""Taints that mean ``draining`` unless the settings say otherwise; no effect means any effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """GET a URL; any status from 200 to 399 is healthy, as with kubelet probes."""

    url: str
    verify: bool = True
    """Check the server's certificate; the system's CAs are used."""
    fallback: str = ""
    """URL to ask instead where the server does not know ``url`` (404); empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpProbe:
    """Open a TCP connection and close it."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecProbe:
    """Run a command without a shell; exit code 0 is healthy."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsProbe:
    """Ask a server for a name; an answer with at least one address is healthy."""

    server: model.Address
    name: str
    port: int = 53
    record: str = "A"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessProbe:
    """A process of this name must run on the node (needs hostPID)."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceProbe:
    """A network interface must be up, and at least this fast in Mbit/s (0: any speed)."""

    name: str
    min_speed: int = 0


Probe = HttpProbe | TcpProbe | ExecProbe | DnsProbe | ProcessProbe | InterfaceProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One health check and its hysteresis."""

    name: str
    probe: Probe
    interval: float = 1
    fast_interval: float | None = None
    """The interval while a verdict is open; None: the usual one."""
    timeout: float = 0.5
    fall: int = 3
    rise: int = 2
    affects: frozenset[model.PrefixClass] = frozenset(model.PrefixClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldDown:
    """How long a class stays out after its last cause is gone; repeated leaves double it."""

    initial: float = 1
    maximum: float = 60
    window: float = 600
    """Leaves older than this are forgotten."""


class WithoutApi(enum.StrEnum):
    """What a node with a failing check does while the budget cannot be asked."""

    WITHDRAW = "withdraw"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many nodes may be withdrawn at once for a reason that needs a slot."""

    amount: int = 50
    is_percent: bool = True
    covers: frozenset[model.Reason] = frozenset({model.Reason.UNHEALTHY})
    """The reasons that need a slot."""
    without_api: WithoutApi = WithoutApi.WITHDRAW


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole settings document."""

    asn: int | asns.OfTheNode
    router_id: ipaddress.IPv4Address | None = None
    """None: the node's IPv4 InternalIP."""
    is_named: bool = True
    """The routers are told the node's name."""
    peers: tuple[Peer, ...] = ()
    sought: tuple[Sought, ...] = ()
    """The peers whose address the node finds; ``World.peers`` has them once it is known."""
    service_cidrs: tuple[model.Network, ...] | None = ()
    """None: the API's ServiceCIDR objects."""
    services_within: tuple[model.Network, ...] = ()
    """With ``auto``: where the ServiceCIDRs must lie; empty: anywhere the guards allow."""
    pods_within: tuple[model.Network, ...] = ()
    overlap_allowed: frozenset[model.PrefixClass] = frozenset()
    """The classes that may be announced from inside of the node's own uplink network."""
    pods_from: pod_ranges.PodSource = pod_ranges.PodSource.NODE
    policy: Policy = dataclasses.field(default_factory=lambda: DEFAULT_POLICY)
    drain_taints: tuple[model.Taint, ...] = DRAIN_TAINTS
    deprioritise_med: int | None = None
    deprioritise_prepend: int = 0
    checks: tuple[Check, ...] = ()
    hold_down: HoldDown = HoldDown()
    graceful_shutdown: float = 0
    """How long a planned withdrawal is preceded by GRACEFUL_SHUTDOWN."""
    is_rollout_drained: bool = False
    """Withdraw even where graceful restart would bridge the replacement of our own pod."""
    settle: float = 1
    """How long after the last acknowledgement a drain counts as over: the routers' FIBs."""
    budget: Budget | None = None
    """None: any number of nodes may be withdrawn."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All peers, in the order in which they are written."""
        if not self.sought:
            return self.peers
        return tuple(sorted((*self.peers, *self.sought), key=lambda each: each.entry))
