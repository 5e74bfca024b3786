"""Which addresses of the host a session uses: its own, its next hops, and the BGP identifier.

The address of a session is what the router knows the node by, so it is kept for as long as the
host has it, whatever the Node lists meanwhile and in which order. A next hop must be where the
session is: a router may have no way to an address of another interface.
"""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
from dataclasses import dataclass

from exabgp_k8s.core.facts import config, in_use, links, model, places, routers
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import places as at


def is_gone(world: World, address: model.Address) -> bool:
    """Return whether the host was looked at and does not have an address; unknown is not gone."""
    return world.host.addresses.get(address) == ()


def local(
    world: World, node: model.NodeFacts, peer: config.Peer, before: in_use.PeerInUse
) -> model.Address | None:
    """Return the local address of a session; None when there is none of the family."""
    kept = before.local_address if before.rule == str(peer.local_address) else None
    if link := links.of(peer.address):
        return _of_the_link(world, link, kept)
    match peer.local_address:
        case config.LocalAddress.NODE:
            return _of_the_node(world, node, peer, kept, is_proven=before.is_proven)
        case config.LocalAddress.ROUTE:
            return world.host.sources.get(peer.address, kept)
        case places.OnInterface() | places.InSubnet():
            # What was proven under other words stays, if it is what these words mean.
            used = before.local_address if before.is_proven else None
            family = model.family_of(peer.address)
            place = peer.local_address
            return at.choose(world, place, family, peer.address, used) or kept
        case _:
            return peer.local_address


def _of_the_link(world: World, link: str, kept: model.Address | None) -> model.Address | None:
    """Return our link-local address on a link; the one in use for as long as it is not gone."""
    found = world.host.links.get(link)
    if found is None or not found.own:
        return kept
    return kept if kept in found.own else found.own[0]


def why_none(world: World, peer: config.Peer) -> str:
    """Return why a session has no local address."""
    family = model.family_of(peer.address)
    if link := links.of(peer.address):
        return link
    match peer.local_address:
        case places.OnInterface() | places.InSubnet():
            return at.why_none(world, peer.local_address, family)
        case _:
            return str(family)


def _of_the_node(
    world: World,
    node: model.NodeFacts,
    peer: config.Peer,
    kept: model.Address | None,
    *,
    is_proven: bool,
) -> model.Address | None:
    if kept is not None and is_proven and not is_gone(world, kept):
        return kept
    family = model.family_of(peer.address)
    named = [address for address in node.internal_ips if model.family_of(address) is family]
    here = next((address for address in named if not is_gone(world, address)), None)
    # None that the Node names is here: the one that was used may come back as well as another.
    return here or kept or next(iter(named), None)


def next_hop(
    world: World,
    node: model.NodeFacts,
    local_address: model.Address,
    before: in_use.PeerInUse,
) -> model.Address | None:
    """Return the next hop for the family that the session's own address is not of.

    It stands on the interface with that address. Where the host could not be looked at, only the
    Node can say so: it names both.
    """
    family = other(model.family_of(local_address))
    beside = world.host.addresses.get(local_address)
    if not beside:
        named = internal_ip(node, family) if local_address in node.internal_ips else None
        return before.next_hop or named
    found = [address for address in beside if model.family_of(address) is family]
    if before.next_hop in found:
        return before.next_hop
    return next((address for address in node.internal_ips if address in found), None) or next(
        iter(found), None
    )


def other(family: model.Family) -> model.Family:
    """Return the one of the two families that this is not."""
    return model.Family.IPV6 if family is model.Family.IPV4 else model.Family.IPV4


def kept_router_id(world: World, node: model.NodeFacts) -> ipaddress.IPv4Address | None:
    """Return the identifier to keep although the Node may list others now; None: none yet.

    A changed one ends every session. It is kept from the first session on, until the host has
    lost the address and the Node names another one.
    """
    if world.config is None or world.config.router_id is not None:
        return None
    before, chosen = world.in_use.router_id, router_id(world.config, node)
    if before is None:
        is_any_up = any(session.is_up for session in world.sessions.values())
        return chosen if is_any_up else None
    if not is_gone(world, before) or chosen not in node.internal_ips:
        return before
    # What came from the node's name is no address that the host could lose.
    return before if before == _from_the_name(node) else chosen


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
    return _from_the_name(node)


def _from_the_name(node: model.NodeFacts) -> ipaddress.IPv4Address:
    digest = hashlib.sha256(node.name.encode()).digest()
    return ipaddress.IPv4Address(int.from_bytes(digest[:4], "big") or 1)


def internal_ip(node: model.NodeFacts, family: model.Family) -> model.Address | None:
    """Return the node's first InternalIP of a family."""
    return next((ip for ip in node.internal_ips if model.family_of(ip) is family), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedFor:
    """What the host is to be asked: where addresses are, the way to peers, what is on links."""

    addresses: frozenset[model.Address]
    peers: tuple[model.Address, ...]
    gateways: frozenset[model.Family] = frozenset()
    """The families of which the default gateway is to be found."""
    links: frozenset[str] = frozenset()
    places: places.LookedFor = places.NOWHERE

    @property
    def is_of_the_moment(self) -> bool:
        """Whether what is looked for may be something else any moment."""
        return bool(self.peers or self.gateways or self.links or self.places.places)


def looked_for(world: World, node: model.NodeFacts, settings: config.Config) -> LookedFor:
    """Return what must be known of the host before this Node and these settings are decided on."""
    used = world.in_use
    labels = {**used.labels, **node.labels}
    found = {*node.internal_ips, *([] if used.router_id is None else [used.router_id])}
    by_route, selected, where = [], set(), set[places.Place]()
    for peer in _entries(world, settings):
        if not peer.selector.matches(labels):
            continue
        is_on_a_link = isinstance(peer, config.Peer) and links.of(peer.address)
        # There it starts from what is found on the link.
        for written in (peer.next_hop,) if is_on_a_link else (peer.local_address, peer.next_hop):
            match written:
                case places.OnInterface() | places.InSubnet():
                    where.add(written)
                case config.LocalAddress.ROUTE:
                    by_route += [peer.address] if isinstance(peer, config.Peer) else []
                case config.LocalAddress.NODE | None:
                    pass
                case _:
                    found.add(written)
        if isinstance(peer, config.Peer):
            selected.add(peer.address)
    # By the address: a peer may just have been renamed.
    kept = (each.local_address for each in used.peers.values() if each.address in selected)
    found.update(each for each in kept if each is not None)
    sought = [each.where for each in settings.sought if each.selector.matches(labels)]
    return LookedFor(
        addresses=frozenset(found),
        peers=tuple(by_route),
        gateways=frozenset(each.family for each in sought if isinstance(each, routers.Gateway)),
        links=frozenset(
            link
            for link in (
                *(links.of(each) for each in selected),
                *(each.interface for each in sought if isinstance(each, routers.OnLink)),
            )
            if link
        ),
        places=_at(world, node, settings, where),
    )


def _entries(world: World, settings: config.Config) -> tuple[config.Peer | config.Sought, ...]:
    """Return the peers of settings that may not be in force yet."""
    if settings is world.config:
        return world.entries
    return dataclasses.replace(world, config=settings).entries


def _at(
    world: World, node: model.NodeFacts, settings: config.Config, where: set[places.Place]
) -> places.LookedFor:
    if not where:
        return places.NOWHERE
    pods = (*node.pod_cidrs, *world.in_use.pod_cidrs)
    services = settings.service_cidrs if settings.service_cidrs is not None else ()
    inner = frozenset((*services, *(world.service_cidrs or ()), *pods))
    return places.LookedFor(places=frozenset(where), inner=inner)
