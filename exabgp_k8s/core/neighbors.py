"""Which peers of the settings this node has sessions with, and why not with the others."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator

from exabgp_k8s.core import config, model
from exabgp_k8s.core.world import World


def select(world: World) -> tuple[tuple[model.Neighbor, ...], tuple[model.PeerHeld, ...]]:
    """Return the neighbors to configure and the peers held back, each with its cause.

    A peer whose password is missing is held back: it never connects without one.
    """
    neighbors: list[model.Neighbor] = []
    held: list[model.PeerHeld] = []
    if world.config is None or world.node is None:
        return (), ()
    for peer in world.config.peers:
        cause = _obstacle(world, world.node, peer)
        if cause is not None:
            held.append(model.PeerHeld(name=peer.name, address=peer.address, cause=cause))
            continue
        neighbors.extend(_neighbor(world, world.config, world.node, peer))
    return tuple(neighbors), tuple(held)


def families(
    settings: config.Config,
    sessions: tuple[model.Neighbor, ...],
    held: tuple[model.PeerHeld, ...],
) -> frozenset[model.Family]:
    """Return the families that some peer meant for this node speaks, with a session or held."""
    names = {each.name for each in sessions}
    names |= {each.name for each in held if each.cause.reason is not model.Reason.NOT_SELECTED}
    return frozenset(
        family for peer in settings.peers if peer.name in names for family in peer.families
    )


def _obstacle(world: World, node: model.NodeFacts, peer: config.Peer) -> model.Cause | None:
    if not peer.selector.matches(node.labels):
        return model.Cause(model.Reason.NOT_SELECTED)
    if peer.password_from is not None and peer.password_from not in world.passwords:
        return model.Cause(model.Reason.PASSWORD_MISSING, peer.password_from)
    if local_address(world, node, peer) is None:
        return model.Cause(model.Reason.NO_LOCAL_ADDRESS, str(model.family_of(peer.address)))
    return None


def _neighbor(
    world: World, settings: config.Config, node: model.NodeFacts, peer: config.Peer
) -> Iterator[model.Neighbor]:
    local = local_address(world, node, peer)
    if local is None:
        return
    yield model.Neighbor(
        name=peer.name,
        description=peer.description,
        address=peer.address,
        port=peer.port,
        local_address=local,
        router_id=router_id(settings, node),
        peer_asn=peer.asn,
        local_asn=peer.local_asn,
        hold_time=peer.hold_time,
        password=world.passwords[peer.password_from] if peer.password_from else None,
        multihop=peer.multihop,
        ttl_security=peer.ttl_security,
        graceful_restart=peer.graceful_restart,
        families=peer.families,
    )


def local_address(world: World, node: model.NodeFacts, peer: config.Peer) -> model.Address | None:
    """Return the local address of a session; None when there is none of the family."""
    match peer.local_address:
        case config.LocalAddress.NODE:
            return internal_ip(node, model.family_of(peer.address))
        case config.LocalAddress.ROUTE:
            return world.host.sources.get(peer.address)
        case _:
            return peer.local_address


def router_id(settings: config.Config, node: model.NodeFacts) -> ipaddress.IPv4Address:
    """Return the BGP identifier: the settings' own, else the node's IPv4 InternalIP.

    An IPv6-only node gets one from its name: any number but 0 will do, as long as no two
    speakers of an AS have the same (RFC 6286 section 2.1).
    """
    if settings.router_id is not None:
        return settings.router_id
    address = internal_ip(node, model.Family.IPV4)
    if isinstance(address, ipaddress.IPv4Address):
        return address
    digest = hashlib.sha256(node.name.encode()).digest()
    return ipaddress.IPv4Address(int.from_bytes(digest[:4], "big") or 1)


def internal_ip(node: model.NodeFacts, family: model.Family) -> model.Address | None:
    """Return the node's first InternalIP of a family."""
    return next((ip for ip in node.internal_ips if model.family_of(ip) is family), None)
