"""What is in use and cannot be found: it goes on, and people are told.

Each of these is the one sign of a mistake that has not cost anything yet.
"""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s.core.facts import absences, config, links, model, places
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import addresses, asns, pod_ranges, routers
from exabgp_k8s.core.judge import places as at


def find(world: World) -> Iterator[absences.Missing]:
    """Yield everything that is missing, what concerns the whole node first."""
    for cause in (*_of_the_surroundings(world), *_of_the_node(world)):
        yield absences.Missing(cause=cause)
    if world.config is None or world.node is None:
        return
    for peer in world.peers:
        if peer.selector.matches(world.in_use.labels):
            for cause in _of_a_peer(world, world.node, peer):
                yield absences.Missing(cause=cause, peer=peer.name)

    for name, cause in _of_the_sought(world, world.config, world.node):
        yield absences.Missing(cause=cause, peer=name)


def _of_the_sought(
    world: World, settings: config.Config, node: model.NodeFacts
) -> Iterator[tuple[str, model.Cause]]:
    """Yield the peers that this node found, and does not find there any more."""
    for peer in settings.sought:
        is_used = str(peer.where) in world.in_use.routers
        if is_used and peer.selector.matches(world.in_use.labels):
            wrong = routers.missing(world, node, peer)
            if wrong is not None:
                yield peer.name, wrong


def _of_the_surroundings(world: World) -> Iterator[model.Cause]:
    if world.host_problem:
        yield model.Cause(model.Reason.HOST_UNSEEN, world.host_problem)
    if world.is_service_cidr_missing:
        yield model.Cause(model.Reason.NO_SERVICE_CIDR)


def _of_the_node(world: World) -> Iterator[model.Cause]:
    if world.config is None or not world.config.pods_within or world.node_seen is None:
        return
    used, found = world.in_use.pod_cidrs, pod_ranges.named(world)
    if used and (problem := pod_ranges.problem(world)):
        yield model.Cause(model.Reason.POD_RANGES_UNSEEN, problem)
    elif found is not None:
        for cidr in used:
            if cidr not in found:
                yield model.Cause(model.Reason.NO_POD_CIDR, str(cidr))


def _of_a_peer(world: World, node: model.NodeFacts, peer: config.Peer) -> Iterator[model.Cause]:
    used, seen = world.in_use.peers[peer.name], world.node_seen or node
    for requirement in peer.selector.requirements:
        if requirement.key in world.in_use.away:
            yield model.Cause(model.Reason.LABEL_MISSING, requirement.key)
    wrong = asns.missing(seen, peer)
    if wrong is not None and asns.local(world, peer) is not None:
        yield wrong
    key = peer.password_from
    if key is not None and key not in world.passwords and used.password is not None:
        yield model.Cause(model.Reason.PASSWORD_MISSING, key)
    local = addresses.local(world, node, peer, used)
    if local is not None and not _is_where_it_belongs(world, seen, peer, local):
        yield model.Cause(model.Reason.ADDRESS_MISSING, str(local))


def _is_where_it_belongs(
    world: World, node: model.NodeFacts, peer: config.Peer, local: model.Address
) -> bool:
    if links.of(peer.address):
        return True
    match peer.local_address:
        case config.LocalAddress.NODE:
            return local in node.internal_ips
        case places.OnInterface() | places.InSubnet():
            there = at.found(world, peer.local_address, model.family_of(local))
            return there is None or any(each.ip == local for each in there)
        case _:
            return True
