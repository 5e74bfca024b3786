"""What stands, stays: what is in use, brought up to now.

Only what says so ends something here: another value in place of the one that was, an address
that the host has lost, an edit of the settings. What is merely absent goes on. A label that
selects a peer does so for a while only, because taking a label off is how people say that a node
shall not have a session.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from exabgp_k8s.core.facts import config, in_use, model
from exabgp_k8s.core.facts.world import Session, World
from exabgp_k8s.core.judge import addresses, asns, next_hops, pod_ranges, routers

LABELS_KEPT_FOR = 30.0
"""Seconds; as long as what a Node registered anew inherits. Feature discovery needs a few."""


def settle(world: World, before: World, now: float) -> World:
    """Bring what is in use up to a moment; a world without settings or Node keeps what it has."""
    settings, node = world.config, world.node
    if settings is None or node is None or not _is_due(world, before):
        return world
    labels, away = _labels(world, settings, now)
    # Which router this node may find depends on the peers that the labels of now select.
    world = _with(world, labels=labels, away=away)
    world = _with(world, routers=routers.kept(world, node, now))
    selected = [peer for peer in settings.entries if peer.selector.matches(labels)]
    return _with(
        world,
        uid=node.uid,
        pod_cidrs=pod_ranges.in_force(world, node),
        pods_from=pod_ranges.named_by(world),
        asns=asns.kept(world, node, selected),
        router_id=addresses.kept_router_id(world, node),
        peers=_peers(world, node, labels),
    )


def _with(world: World, **found: Any) -> World:
    """Return the world with this in use; the same one where it is so already, as nearly always."""
    used = world.in_use
    if all(getattr(used, name) == value for name, value in found.items()):
        return world
    return dataclasses.replace(world, in_use=dataclasses.replace(used, **found))


def _is_due(world: World, before: World) -> bool:
    """Return whether anything that is looked at here has changed, or does so with the time."""
    used = world.in_use
    is_waiting = bool(used.away) or any(each.other for each in used.routers.values())
    return is_waiting or any(
        now is not was
        for now, was in (
            (world.config, before.config),
            (world.passwords, before.passwords),
            (world.node, before.node),
            (world.node_seen, before.node_seen),
            (world.host, before.host),
            (world.plugin_ranges, before.plugin_ranges),
            (world.sessions, before.sessions),
            (world.in_use, before.in_use),
        )
    )


def _labels(
    world: World, settings: config.Config, now: float
) -> tuple[Mapping[str, str], Mapping[str, float]]:
    """Return the labels that select peers, and which of them are away since when."""
    node = world.node_seen or world.node
    seen = node.labels if node else {}
    gone = world.in_use.labels.keys() - seen.keys()
    if not gone:
        return seen, {}
    asked = {each.key for peer in settings.entries for each in peer.selector.requirements}
    since = {key: world.in_use.away.get(key, now) for key in sorted(gone & asked)}
    away = {key: at for key, at in since.items() if now < at + LABELS_KEPT_FOR}
    return {**{key: world.in_use.labels[key] for key in away}, **seen}, away


def _peers(
    world: World, node: model.NodeFacts, labels: Mapping[str, str]
) -> Mapping[str, in_use.PeerInUse]:
    named, nameless = _known(world)
    found = {}
    for peer in world.peers:
        if peer.selector.matches(labels):
            before = named.get(peer.name) or nameless.get(peer.address)
            session = world.session_of(peer.name, peer.address)
            found[peer.name] = _peer(world, node, peer, before or _nothing(peer), session)
        elif peer.name in named:
            found[peer.name] = named[peer.name]
    return found


def _known(
    world: World,
) -> tuple[Mapping[str, in_use.PeerInUse], Mapping[model.Address, in_use.PeerInUse]]:
    """Return what is in use by the peers' names, and by address where the name is no peer's.

    A peer that was renamed is found by its address. One that is still there under its own name is
    another router at the same address, of which nothing is taken over.
    """
    used, running = world.in_use.peers, {each.name for each in world.neighbors or ()}
    named = {
        peer.name: used[peer.name]
        for peer in world.peers
        if peer.name in used and used[peer.name].address == peer.address
    }
    # Of several that lost their names the one that runs counts, so it comes last.
    nameless = sorted(used.keys() - named.keys(), key=lambda name: (name in running, name))
    return named, {used[name].address: used[name] for name in nameless}


def _nothing(peer: config.Peer) -> in_use.PeerInUse:
    return in_use.PeerInUse(address=peer.address, rule=str(peer.local_address))


def _peer(
    world: World,
    node: model.NodeFacts,
    peer: config.Peer,
    before: in_use.PeerInUse,
    session: Session | None,
) -> in_use.PeerInUse:
    own = model.family_of(peer.address)
    other = addresses.other(own)
    named = next_hops.named(world, peer, {own: before.own_next_hop, other: before.next_hop})
    rule = str(peer.local_address)
    local = addresses.local(world, node, peer, before)
    is_proving = session is not None and session.is_up and session.local == local
    is_other = before.is_proven and before.rule == rule and before.local_address != local
    if is_other and not is_proving:
        # A makeshift until the proven address is back or this one is proven as well.
        kept, is_proven = before.local_address, True
    else:
        kept = local
        is_proven = is_proving or (before.is_proven and before.local_address == local)
    return in_use.PeerInUse(
        address=peer.address,
        rule=rule,
        local_address=kept,
        is_proven=is_proven,
        next_hop=named[other]
        if other in named
        else _next_hop(world, node, local, before, session),
        own_next_hop=named.get(own),
        password=_password(world, peer, before),
    )


def _next_hop(
    world: World,
    node: model.NodeFacts,
    local: model.Address | None,
    before: in_use.PeerInUse,
    session: Session | None,
) -> model.Address | None:
    if local is None:
        return None
    if session is not None and session.is_up and session.local not in (None, local):
        # Until the session has moved its routes belong to the interface that it still uses.
        return before.next_hop
    return addresses.next_hop(world, node, local, before)


def _password(world: World, peer: config.Peer, before: in_use.PeerInUse) -> model.Secret | None:
    if peer.password_from is None:
        return None
    return world.passwords.get(peer.password_from, before.password)
