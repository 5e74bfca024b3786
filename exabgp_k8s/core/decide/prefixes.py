"""Which prefixes could be announced, and the guards, of which one setting lifts one.

A prefix is announced only inside a range that the settings allow. A default route, the network
of the node's own uplink and a prefix that covers the node or one of its peers never are: each
would draw the routers' own traffic to the node. Nor is a pod range within a service range: it
would draw a part of everybody's services. A part of the uplink network is announced only where
the settings say so in so many words; then it must not cover an API server either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import pod_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One prefix under consideration; with a guard it is withheld whatever else holds."""

    prefix: model.Network | None
    prefix_class: model.PrefixClass
    guard: model.Cause | None = None


def candidates(world: World) -> Iterator[Candidate]:
    """Yield every prefix the settings and the node speak of, services first."""
    if world.config is None:
        return
    services = tuple(_services(world, world.config))
    yield from services
    if world.config.pods_within and world.node is not None:
        yield from _pods(world, world.config, services)
    elif world.config.pods_within and not _are_pods_held(world):
        cause = node_unseen(world)
        yield Candidate(prefix=None, prefix_class=model.PrefixClass.PODS, guard=cause)


def for_peers(found: Iterable[Candidate], meant: tuple[config.Entry, ...]) -> Iterator[Candidate]:
    """Yield candidates; what none of the peers meant for this node is to hear is withheld."""
    for each in found:
        missing = lack(each.prefix, each.prefix_class, meant) if each.prefix else None
        if missing is None or each.guard is not None:
            yield each
        else:
            yield dataclasses.replace(each, guard=model.Cause(model.Reason.NO_PEER, missing))


def lack(
    prefix: model.Network, prefix_class: model.PrefixClass, meant: tuple[config.Entry, ...]
) -> str | None:
    """Return what keeps all peers from a prefix: their families, or that none is announced it.

    None: one of them hears it; empty: there is no peer.
    """
    if any(peer.hears(prefix, prefix_class) for peer in meant):
        return None
    family = model.family_of(prefix)
    is_spoken = any(family in peer.families for peer in meant)
    return str(prefix_class if is_spoken else family) if meant else ""


def node_unseen(world: World) -> model.Cause:
    """Return why nothing is decided while the Node is not known."""
    is_missing = world.is_node_gone and world.node is None
    detail = f"no Node object named {world.node_name}" if is_missing else "node not seen yet"
    return model.Cause(model.Reason.STARTING, detail)


def _are_pods_held(world: World) -> bool:
    """Return whether an earlier agent announced a pod range that still stands."""
    return any(class_of(world, prefix) is model.PrefixClass.PODS for prefix in world.held)


def are_services_known(world: World) -> bool:
    """Return whether the service ranges are known, be it from the settings or from the API."""
    if world.config is None:
        return False
    return world.config.service_cidrs is not None or bool(world.service_cidrs)


def class_of(world: World, prefix: model.Network) -> model.PrefixClass:
    """Return what a prefix that is announced is for, also before the Node is known."""
    within = world.config.pods_within if world.config is not None else ()
    is_of_pods = any(model.is_inside(prefix, outer) for outer in within)
    is_of_services = world.config is not None and prefix in (world.config.service_cidrs or ())
    if is_of_pods and not is_of_services:
        return model.PrefixClass.PODS
    return model.PrefixClass.SERVICES


def _services(world: World, settings: config.Config) -> Iterator[Candidate]:
    cidrs, allowed = settings.service_cidrs, settings.service_cidrs
    if cidrs is None:
        cidrs, allowed = world.service_cidrs, settings.services_within or None
        if cidrs is None:
            cause = model.Cause(model.Reason.STARTING, "ServiceCIDRs not seen yet")
            yield Candidate(prefix=None, prefix_class=model.PrefixClass.SERVICES, guard=cause)
            return
        if not cidrs:
            cause = model.Cause(model.Reason.NO_SERVICE_CIDR)
            yield Candidate(prefix=None, prefix_class=model.PrefixClass.SERVICES, guard=cause)
    for cidr in cidrs:
        yield _guarded(world, cidr, model.PrefixClass.SERVICES, allowed)


def _pods(
    world: World,
    settings: config.Config,
    services: tuple[Candidate, ...],
) -> Iterator[Candidate]:
    if not world.in_use.pod_cidrs:
        cause = pod_ranges.unread(world)
        yield Candidate(prefix=None, prefix_class=model.PrefixClass.PODS, guard=cause)
    ranges = [each.prefix for each in services if each.prefix and each.guard is None]
    for cidr in world.in_use.pod_cidrs:
        candidate = _guarded(world, cidr, model.PrefixClass.PODS, settings.pods_within)
        shared = next((each for each in ranges if _overlap(cidr, each)), None)
        if shared is not None and candidate.guard is None:
            cause = model.Cause(model.Reason.NOT_ALLOWED, f"overlaps the service range {shared}")
            candidate = dataclasses.replace(candidate, guard=cause)
        yield candidate


def _guarded(
    world: World,
    prefix: model.Network,
    prefix_class: model.PrefixClass,
    allowed: tuple[model.Network, ...] | None,
) -> Candidate:
    problem = _objection(world, prefix, prefix_class, allowed)
    guard = model.Cause(model.Reason.NOT_ALLOWED, problem) if problem else None
    return Candidate(prefix=prefix, prefix_class=prefix_class, guard=guard)


def _objection(
    world: World,
    prefix: model.Network,
    prefix_class: model.PrefixClass,
    allowed: tuple[model.Network, ...] | None,
) -> str:
    if prefix.prefixlen == 0:
        return "a default route is never announced"
    if allowed is not None and not any(model.is_inside(prefix, outer) for outer in allowed):
        ranges = " ".join(str(outer) for outer in allowed)
        return f"outside of the allowed {ranges}"
    return _beside_the_uplink(world, prefix, prefix_class) or next(
        (
            f"covers {address}, an address of this node or of a peer"
            for address in _own_addresses(world)
            if address in prefix
        ),
        "",
    )


def _beside_the_uplink(
    world: World, prefix: model.Network, prefix_class: model.PrefixClass
) -> str:
    """Return what speaks against a prefix that has something of the node's uplink networks."""
    is_allowed = world.config is not None and prefix_class in world.config.overlap_allowed
    for uplink in world.host.uplinks:
        if not _overlap(prefix, uplink):
            continue
        if not is_allowed:
            return f"overlaps the node's own uplink network {uplink}"
        if not model.is_inside(prefix, uplink) or prefix == uplink:
            return f"covers the node's own uplink network {uplink}, which is never announced"
        for server in world.api_servers:
            if server in prefix:
                return f"covers {server}, the address of an API server"
    return ""


def _own_addresses(world: World) -> Iterator[model.Address]:
    if world.node is not None:
        yield from world.node.internal_ips
    # The Node may have stopped to list the ones that the sessions use.
    for used in world.in_use.peers.values():
        is_found = used.rule not in (config.LocalAddress.ROUTE, str(used.local_address))
        if is_found and used.local_address is not None:
            yield used.local_address
        if used.own_next_hop is not None:
            yield used.own_next_hop
    yield from (peer.address for peer in world.peers)


def _overlap(one: model.Network, other: model.Network) -> bool:
    return one.version == other.version and one.overlaps(other)
