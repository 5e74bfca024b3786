"""Which peers of the settings this node has sessions with, and why not with the others."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from exabgp_k8s.core.facts import absences, config, model
from exabgp_k8s.core.facts import asns as facts
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import addresses, asns, routers


def select(world: World) -> tuple[tuple[model.Neighbor, ...], tuple[absences.PeerHeld, ...]]:
    """Return the neighbors to configure and the peers held back, each with its cause.

    A peer whose password was never found is held back: it never connects without one. So are
    peers of one address that select the same node: which of them the router is nobody knows.
    """
    neighbors: list[model.Neighbor] = []
    held: list[absences.PeerHeld] = []
    if world.config is None or world.node is None:
        return (), ()
    router_id = world.in_use.router_id or addresses.router_id(world.config, world.node)
    selected = _selected(world)
    for peer in world.entries:
        if isinstance(peer, config.Sought):
            held.append(_unfound(world, world.node, peer))
            continue
        others = [each for each in selected.get(peer.address, ()) if each != peer.name]
        found = _session(world, world.node, peer, router_id, others)
        if isinstance(found, model.Neighbor):
            neighbors.append(found)
        else:
            held.append(absences.PeerHeld(name=peer.name, address=peer.address, cause=found))
    return tuple(neighbors), tuple(held)


def _of_the_router(written: int | facts.Relation, own: int) -> int:
    match written:
        case facts.Relation.EXTERNAL:
            return facts.ANY_EXTERNAL
        case facts.Relation.INTERNAL:
            return int(own)
        case _:
            return int(written)


def meant(
    settings: config.Config,
    sessions: tuple[model.Neighbor, ...],
    held: tuple[absences.PeerHeld, ...],
) -> tuple[config.Entry, ...]:
    """Return the peers of the settings that are meant for this node, with a session or held."""
    names = {each.name for each in sessions}
    names |= {each.name for each in held if each.cause.reason is not model.Reason.NOT_SELECTED}
    return tuple(peer for peer in settings.entries if peer.name in names)


def _unfound(world: World, node: model.NodeFacts, peer: config.Sought) -> absences.PeerHeld:
    cause = model.Cause(model.Reason.NOT_SELECTED)
    if peer.selector.matches(world.in_use.labels):
        cause = routers.missing(world, node, peer) or model.Cause(model.Reason.ROUTER_MISSING)
    return absences.PeerHeld(name=peer.name, address=None, cause=cause)


def _selected(world: World) -> Mapping[model.Address, list[str]]:
    """Return the names of the peers that are meant for this node, by their address."""
    found: dict[model.Address, list[str]] = {}
    for peer in world.peers:
        if peer.name in world.in_use.peers and peer.selector.matches(world.in_use.labels):
            found.setdefault(peer.address, []).append(peer.name)
    return found


def _session(
    world: World,
    node: model.NodeFacts,
    peer: config.Peer,
    router_id: ipaddress.IPv4Address,
    others: Sequence[str],
) -> model.Neighbor | model.Cause:
    """Return the session that a peer has on this node, or why it has none."""
    used = world.in_use.peers.get(peer.name)
    if used is None or not peer.selector.matches(world.in_use.labels):
        return model.Cause(model.Reason.NOT_SELECTED)
    if others:
        return model.Cause(model.Reason.SAME_ADDRESS, " ".join(others))
    if peer.password_from is not None and used.password is None:
        return model.Cause(model.Reason.PASSWORD_MISSING, peer.password_from)
    if (own := asns.local(world, peer)) is None:
        return asns.missing(node, peer) or model.Cause(model.Reason.ASN_MISSING)
    local = addresses.local(world, node, peer, used)
    # An address that the node found may be of another family than the one that is written.
    if local is None or local.version != peer.address.version:
        return model.Cause(model.Reason.NO_LOCAL_ADDRESS, addresses.why_none(world, peer))
    return model.Neighbor(
        name=peer.name,
        description=peer.description,
        address=peer.address,
        port=peer.port,
        local_address=local,
        router_id=router_id,
        peer_asn=_of_the_router(peer.asn, own),
        local_asn=int(own),
        hold_time=peer.hold_time,
        keepalive=peer.keepalive,
        connect_retry=peer.connect_retry,
        password=used.password,
        multihop=peer.multihop,
        ttl_security=peer.ttl_security,
        graceful_restart=peer.graceful_restart,
        families=peer.families,
        is_extended=peer.is_extended and model.family_of(peer.address) is model.Family.IPV6,
        hostname=node.name if world.config and world.config.is_named else "",
    )
