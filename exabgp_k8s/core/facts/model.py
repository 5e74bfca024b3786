"""The nouns: prefixes, routes, sessions, the node, and the reasons for every absence.

Everything here is a frozen value. Times are floats in seconds on one monotonic clock, the one
whose reading the shell passes as ``now``.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Family(enum.StrEnum):
    """An address family; the value is the word ExaBGP, FRR and the settings use."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def family_of(item: Address | Network) -> Family:
    """Return the family of an address or a network."""
    return Family(f"ipv{item.version}")


def is_inside(prefix: Network, outer: Network) -> bool:
    """Return whether a prefix lies within another one; False over families."""
    # subnet_of() refuses to compare families.
    return (
        prefix.version == outer.version
        and prefix.prefixlen >= outer.prefixlen
        and prefix.network_address in outer
    )


class PrefixClass(enum.StrEnum):
    """What a prefix is for; the policy table has one column for each."""

    SERVICES = "services"
    PODS = "pods"


class Action(enum.StrEnum):
    """What a cause does to a prefix class."""

    KEEP = "keep"
    DEPRIORITISE = "deprioritise"
    WITHDRAW = "withdraw"


SEVERITY: Mapping[Action, int] = {Action.KEEP: 0, Action.DEPRIORITISE: 1, Action.WITHDRAW: 2}


class Reason(enum.StrEnum):
    """Why a prefix is not announced as usual: one word for status, metrics, logs and docs."""

    # Causes: each is a row of the policy table.
    CORDONED = "cordoned"
    DRAINING = "draining"
    EXCLUDED = "excluded"
    OUT_OF_SERVICE = "out-of-service"
    UNHEALTHY = "unhealthy"
    NODE_DELETED = "node-deleted"
    OPERATOR = "operator"
    STOPPING = "stopping"
    # Guards: no setting lifts them.
    STARTING = "starting"
    HOLD_DOWN = "hold-down"
    NOT_ALLOWED = "not-allowed"
    NO_POD_CIDR = "no-pod-cidr"
    POD_RANGES_UNSEEN = "pod-ranges-unseen"
    NO_SERVICE_CIDR = "no-service-cidr"
    NO_NEXT_HOP = "no-next-hop"
    NO_PEER = "no-peer"
    REFUSED = "refused-by-exabgp"
    # Why a prefix is announced although something speaks against it.
    BUDGET_EXHAUSTED = "budget-exhausted"
    BUDGET_UNREACHABLE = "budget-unreachable"
    # Why a peer that the settings name has no session configured.
    NOT_SELECTED = "not-selected"
    PASSWORD_MISSING = "password-missing"  # noqa: S105 - a reason, not a password
    ASN_MISSING = "asn-missing"
    ROUTER_MISSING = "router-missing"
    NO_LOCAL_ADDRESS = "no-local-address"
    SAME_ADDRESS = "same-address"
    # What cannot be found although it is in use; it goes on all the same.
    LABEL_MISSING = "label-missing"
    ADDRESS_MISSING = "address-missing"
    HOST_UNSEEN = "host-unseen"
    # What is announced, and leads elsewhere.
    PODS_ELSEWHERE = "pods-elsewhere"


CAUSES = (
    Reason.CORDONED,
    Reason.DRAINING,
    Reason.EXCLUDED,
    Reason.OUT_OF_SERVICE,
    Reason.UNHEALTHY,
    Reason.NODE_DELETED,
    Reason.OPERATOR,
    Reason.STOPPING,
)
"""The rows of the policy table, in the order in which they are shown."""

PLANNED = frozenset({Reason.CORDONED, Reason.DRAINING, Reason.OPERATOR, Reason.STOPPING})
"""Causes announced ahead of time: a graceful-shutdown hold may precede their withdrawal."""

PASSING = frozenset({Reason.STARTING, Reason.HOLD_DOWN})
"""Reasons that end by themselves, at every start or after every withdrawal."""

GRACEFUL_SHUTDOWN = (65535, 0)
"""RFC 8326 section 5, in numbers: the word would make ExaBGP itself shut down."""


@dataclass(frozen=True, slots=True, order=True)
class Cause:
    """A reason with what it is about, for example ``unhealthy:kube-proxy``."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}:{self.detail}" if self.detail else str(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """BGP path attributes of one announcement (RFC 4271, RFC 1997, RFC 8092, RFC 4360)."""

    communities: tuple[tuple[int, int], ...] = ()
    large_communities: tuple[tuple[int, int, int], ...] = ()
    extended_communities: tuple[int, ...] = ()
    """Eight bytes each, as one number; ``extended`` knows the words."""
    med: int | None = None
    local_pref: int | None = None
    """Sent to iBGP peers only (RFC 4271 section 5.1.5)."""
    as_path: tuple[int, ...] = ()
    """Empty: ExaBGP's own default. Otherwise exactly this path, our own AS included."""

    def normalised(self) -> Attributes:
        """Return the same attributes with the communities in one order, for comparison."""
        return dataclasses.replace(
            self,
            communities=tuple(sorted(set(self.communities))),
            large_communities=tuple(sorted(set(self.large_communities))),
            extended_communities=tuple(sorted(set(self.extended_communities))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One prefix as one peer shall hear it."""

    peer: Address
    prefix: Network
    next_hop: Address
    attributes: Attributes = Attributes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A taint of the node; ``effect`` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    effect: str = ""


class Override(enum.StrEnum):
    """The operator's word in the node's annotation."""

    NONE = ""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """What we use of a Node object; everything else of it is ignored."""

    name: str
    uid: str = ""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    annotations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Those of an AS number or an address as they are; all others are empty."""
    override: Override = Override.NONE
    is_unschedulable: bool = False
    is_deleting: bool = False
    """``metadata.deletionTimestamp`` is set."""
    is_shutting_down: bool = False
    """Kubelet says so in its Ready condition: its graceful node shutdown runs."""
    taints: tuple[Taint, ...] = ()
    pod_cidrs: tuple[Network, ...] = ()
    internal_ips: tuple[Address, ...] = ()
    problems: tuple[str, ...] = ()
    """What the object held that could not be understood, in words for the operator."""


class Secret:
    """A password that no repr, log line or report ever shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the password; only the renderer of exabgp.conf has a use for it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor:
    """One session as ExaBGP is configured for it on this node."""

    name: str
    description: str
    address: Address
    port: int
    local_address: Address
    router_id: ipaddress.IPv4Address
    peer_asn: int
    local_asn: int
    hold_time: int
    keepalive: int | None = None
    connect_retry: int | None = None
    password: Secret | None = None
    multihop: int | None = None
    ttl_security: bool = False
    graceful_restart: int | None = None
    families: tuple[Family, ...] = (Family.IPV4, Family.IPV6)
    is_extended: bool = False
    """Offer to take an IPv6 next hop for IPv4 (RFC 8950)."""
    hostname: str = ""
    """What the router is told as our name (draft-walton-bgp-hostname-capability); empty: none."""

    @property
    def is_external(self) -> bool:
        """An eBGP session: the two sides have different AS numbers."""
        return self.peer_asn != self.local_asn

    def is_reset_from(self, before: Neighbor) -> bool:
        """Return whether ExaBGP makes the session anew: all but the words for people matters."""
        if self == before:
            return False
        as_before = dataclasses.replace(self, name=before.name, description=before.description)
        return as_before != before

    def is_moved_from(self, before: Neighbor) -> bool:
        """Return whether the router takes what comes back for another neighbor, or refuses it."""
        return (before.local_address, before.port, before.local_asn, before.peer_asn) != (
            self.local_address,
            self.port,
            self.local_asn,
            self.peer_asn,
        )
