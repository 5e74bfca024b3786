"""``peers``: the routers, on which nodes each is used, and what its routes carry."""

from __future__ import annotations

from typing import Annotated

import pydantic

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.settings import fields

Communities = Annotated[tuple[fields.Community, ...], pydantic.Field(max_length=64), fields.Unique]
LargeCommunities = Annotated[
    tuple[fields.LargeCommunity, ...], pydantic.Field(max_length=64), fields.Unique
]
ExtendedCommunities = Annotated[
    tuple[fields.ExtendedCommunity, ...], pydantic.Field(max_length=16), fields.Unique
]
Portions = Annotated[
    tuple[fields.Portion, ...], pydantic.Field(min_length=1, max_length=64), fields.Unique
]
Families = Annotated[tuple[model.Family, ...], pydantic.Field(min_length=1), fields.Unique]
Addresses = Annotated[
    tuple[fields.OneRouter, ...], pydantic.Field(min_length=1, max_length=16), fields.Unique
]
Ttl = Annotated[fields.Whole, pydantic.Field(ge=1, le=255)]


class Requirement(fields.Section):
    """One entry of ``matchExpressions`` (Kubernetes, LabelSelectorRequirement)."""

    key: fields.LabelKey
    """Label of the node."""
    operator: config.Operator
    """In and NotIn compare with ``values``; Exists and DoesNotExist look at the key only."""
    values: tuple[fields.LabelValue, ...] = ()
    """Label values; needed with In and NotIn, refused with the other two."""


class NodeSelector(fields.Section):
    """A standard LabelSelector: all its parts must match; an empty one matches every node."""

    match_labels: dict[fields.LabelKey, fields.LabelValue] = pydantic.Field(default_factory=dict)
    """Labels that the node must have with exactly these values."""
    match_expressions: tuple[Requirement, ...] = ()
    """Requirements that the node's labels must meet."""


class ClassAttributes(fields.Section):
    """What the routes of one class carry instead of what all routes to the peer carry."""

    communities: Communities | None = None
    """Instead of the peer's own list; [] is none at all."""
    large_communities: LargeCommunities | None = None
    """Instead of the peer's own list; [] is none at all."""
    extended_communities: ExtendedCommunities | None = None
    """Instead of the peer's own list; [] is none at all."""
    med: fields.Metric | None = None
    """Instead of the peer's own MED."""
    local_pref: fields.Metric | None = None
    """Instead of the peer's own LOCAL_PREF; iBGP only."""
    prepend: fields.Prepend | None = None
    """Instead of the peer's own number; eBGP only."""


class Attributes(fields.Section):
    """BGP path attributes of every route announced to a peer."""

    communities: Communities = ()
    """Communities (RFC 1997) such as "64512:10", or well-known ones by name: no-export,
    no-advertise, no-export-subconfed, no-peer, blackhole, graceful-shutdown, accept-own,
    llgr-stale, no-llgr, standby-pe."""
    large_communities: LargeCommunities = ()
    """Large communities (RFC 8092) such as "64512:1:2"."""
    extended_communities: ExtendedCommunities = ()
    """Extended communities (RFC 4360): a route target such as "target:64512:1" or
    "target:192.0.2.1:1", or a route origin (site of origin) such as "origin:64512:1"."""
    med: fields.Metric | None = None
    """MULTI_EXIT_DISC, lower is preferred; absent: not sent."""
    local_pref: fields.Metric | None = None
    """LOCAL_PREF, higher is preferred; sent to iBGP peers only; absent: ExaBGP's 100."""
    prepend: fields.Prepend = 0
    """How often our AS is added in front of the usual path; eBGP only."""
    services: ClassAttributes = ClassAttributes()
    """What the service ranges carry instead; a key that is not written is as above."""
    pods: ClassAttributes = ClassAttributes()
    """What the pod ranges carry instead; a key that is not written is as above."""


class Bfd(fields.Section):
    """How fast a dead node is noticed (RFC 5880); {} has the defaults."""

    interval: fields.BfdInterval = 300
    """Time between two packets, both ways, 50ms to 1m; the router may ask for a longer one."""
    multiplier: Annotated[fields.Whole, pydantic.Field(ge=2, le=50)] = 3
    """How many packets may be missed in a row before the other end is taken for dead."""
    multihop: fields.Flag | None = None
    """The router is not on the node's own network (RFC 5883). Absent: as ``multihop`` of the
    peer is written or not."""


class Routers(fields.Section):
    """Which router an entry of ``peers`` means, or which of them."""

    name: fields.Name
    """Name of the peer in status, metrics and logs; unique. Of several routers each is called by
    it and its own address: rack-a/192.0.2.1."""
    description: fields.Description = ""
    """Free text for people, at most 80 printable ASCII characters."""
    address: fields.RouterAddress | None = None
    """IPv4 or IPv6 address of the router; a link-local one names its interface: fe80::1%eth1.
    Several peers may have the same one where no node can be meant by the nodeSelector of two of
    them, as with a gateway address of every rack. Or where each node finds it: {interface: eth1},
    the one router that is heard there; {fromAnnotation: example.com/router};
    default-gateway-ipv4 or default-gateway-ipv6; default-gateway: one peer for each of
    ``families``, which speaks that one only and is called by it: gw/ipv4."""
    addresses: Addresses | None = None
    """Instead of ``address``: the addresses of up to 16 routers of which all else is the same."""


class PeerDefaults(fields.Section):
    """What every peer has that does not write the key itself.

    A key that a peer writes counts whole: nothing of the default's ``attributes`` or
    ``nodeSelector`` is added to its own. One that it writes without a value, as in
    ``passwordFrom:``, has none.
    """

    asn: fields.RouterAsn | None = None
    """AS number of the router, as 65537 or as 1.1; equal to ours means iBGP. internal: ours,
    whatever it is; external: any but ours, as the router answers. Needed at each peer, or in
    ``peerDefaults`` for all."""
    local_asn: fields.OwnAsn | None = pydantic.Field(None, alias="localASN")
    """Our AS number towards this peer, written as ``bgp.asn`` is; absent: that."""
    port: fields.Port = 179
    """TCP port the router listens on."""
    local_address: fields.LocalAddress = config.LocalAddress.NODE
    """Where the session starts: node (the node's InternalIP of the peer's family), route (what
    the kernel would use, for nodes with several uplinks), {interface: bond0} or {subnet:
    10.1.0.0/16} (the node's address there), or an address."""
    next_hop: fields.NextHop | None = None
    """Where the routers send to, if not where the session starts: node, {interface: bond0} or
    {subnet: 10.1.0.0/16}, or an address. What this host does not have is never announced."""
    node_selector: NodeSelector | None = None
    """Nodes that have this peer; absent: every node."""
    hold_time: fields.HoldTime = 9
    """Hold time offered to the router, 0s or 3s to 65535s: how long a dead node keeps traffic.
    The router may lower it. 0s turns keepalives off, and a dead node is never noticed."""
    keepalive: fields.Keepalive | None = None
    """Time between two KEEPALIVEs of ours, 1s to a third of ``holdTime``. Absent, or where the
    router lowers the hold time below three of it: a third of the hold time in force."""
    connect_retry: fields.ConnectRetry | None = None
    """Time from one attempt at a router that is away to the next, 1s to 5m, on average: each one
    is up to a third shorter or longer, so that nodes are not in step. Absent: 3s."""
    password_from: fields.SecretKey | None = None
    """Key of the mounted Secret that holds the TCP MD5 password (RFC 2385). While the key is
    missing the peer stays down; it never connects without a password. One that had a
    password goes on with it."""
    multihop: Ttl | None = None
    """TTL of our packets, for a router that is not on the node's own network."""
    ttl_security: fields.Flag = False
    """GTSM (RFC 5082): accept only packets of a directly connected router; excludes multihop."""
    graceful_restart: fields.RestartTime | None = None
    """Restart time of RFC 4724, 1s to 4095s: how long the router keeps forwarding to a node
    whose session is gone. Absent: off, and a lost session withdraws at once."""
    bfd: Bfd | None = None
    """BFD beside the session (RFC 5882), so that the router drops a dead node in a fraction of a
    second instead of ``holdTime``. It needs the BFD engine and a router that has BFD, too: see
    how-to/bfd.md. Absent: none. Peers of one node share the shortest interval and the largest
    multiplier, those with multihop apart."""
    families: Families = tuple(model.Family)
    """Address families offered: ipv4, ipv6 or both."""
    announce: Portions | None = None
    """What this peer is announced: services, pods, and single ranges as they stand under the
    document's own ``announce``, such as 10.96.0.0/16. Absent: all of it."""
    extended_next_hop: fields.Flag | None = None
    """Offer to give IPv4 routes an IPv6 next hop over an IPv6 session (RFC 8950); used only where
    the router agrees. Absent: offered where the router's address is link-local."""
    attributes: Attributes = Attributes()
    """What the routes to this peer carry."""


class Peer(PeerDefaults, Routers):
    """One router, or several alike, and the sessions to them."""

    def over(self, defaults: PeerDefaults | None) -> Peer:
        """Return this peer with the defaults for what it does not write itself."""
        written = set() if defaults is None else defaults.model_fields_set
        unsaid = written - self.model_fields_set
        return self.model_copy(update={key: getattr(defaults, key) for key in unsaid})
