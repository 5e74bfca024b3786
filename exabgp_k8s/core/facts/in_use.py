"""What is in use: what the sessions and routes of this node were last chosen from.

A Node's addresses, labels and pod ranges, and the keys of a Secret, vanish by mistake, and then
on all nodes at once. That something cannot be found says nothing about it. So what is in use is
known by itself, apart from where it was found, and an agent that starts is told what its
predecessor used.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.pod_ranges import PodSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerInUse:
    """What the session with one peer uses."""

    address: model.Address
    """The router's; a peer of the same name at another one is another peer."""
    rule: str
    """What the settings said of the local address when it was chosen; other words end it."""
    local_address: model.Address | None = None
    is_proven: bool = False
    """The session was Established from this address: the router expects it."""
    next_hop: model.Address | None = None
    """For the family that the session's own address is not of."""
    own_next_hop: model.Address | None = None
    """For the other one, where the settings name another than the session's own address."""
    password: model.Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterInUse:
    """A router that this node found itself."""

    address: model.Address
    other: model.Address | None = None
    """What is there now, and not yet for long enough to move to."""
    since: float = 0
    """When that was first seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """What this node uses."""

    uid: str = ""
    """Of the Node object that the pod ranges stand in."""
    pod_cidrs: tuple[model.Network, ...] = ()
    pods_from: PodSource = PodSource.NODE
    """Who named them."""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The Node's labels as they select peers now."""
    away: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Those of them that the Node does not have now, and since when."""
    asns: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Our AS numbers that the Node says, by where it says them."""
    routers: Mapping[str, RouterInUse] = dataclasses.field(default_factory=dict)
    """The routers that this node finds itself, by where it finds them."""
    router_id: ipaddress.IPv4Address | None = None
    """None: no session has been up with one that was not written in the settings."""
    peers: Mapping[str, PeerInUse] = dataclasses.field(default_factory=dict)
    """By name, one entry for each peer of the settings that this node was ever selected for.

    Not by address: another rack's router may have the same one, with another password.
    """
