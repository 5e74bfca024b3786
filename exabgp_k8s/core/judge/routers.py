"""The address of a router where the node finds it: by its kernel's route, or in an annotation.

It is kept like everything in use: a default route or an annotation that is gone, or says something
that can be no router, ends nothing. Another annotation moves the session at once, for somebody
wrote it. Another default gateway does only after it has been there for a while: a link that is set
up anew leaves the kernel with another default route for some seconds, and with none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exabgp_k8s.core.facts import config, in_use, links, model, routers
from exabgp_k8s.core.facts.world import World

MOVED_AFTER = 30.0
"""Seconds for which another gateway must be there before it ends a session that is up."""

Found = Mapping[str, in_use.RouterInUse]


def kept(world: World, node: model.NodeFacts, now: float) -> Found:
    """Return the routers that the node finds, or found last, by where it finds them."""
    settings, labels = world.config, world.in_use.labels
    known = world.in_use.routers
    found: dict[str, in_use.RouterInUse] = {}
    for each in settings.sought if settings else ():
        key, before = str(each.where), known.get(str(each.where))
        if not each.selector.matches(labels):
            if before is not None:
                found.setdefault(key, before)
            continue
        if before is not None and _written(world, before.address):
            before = None
        there = said(world, node, each)
        usable = there if there and not objection(world, node, each, there) else None
        settled = _settled(world, each.where, before, usable, now)
        if settled is not None:
            found[key] = settled
    return found


def _settled(
    world: World,
    where: routers.Where,
    before: in_use.RouterInUse | None,
    there: model.Address | None,
    now: float,
) -> in_use.RouterInUse | None:
    """Return the router to have, given the one that there was and the one that is there now."""
    if before is None or there is None or before.address == there:
        address = there or (before.address if before else None)
        return None if address is None else in_use.RouterInUse(address=address)
    # Before ExaBGP's table was read the session may be one of an earlier process.
    is_lost = world.rib is not None and not world.is_up(before.address)
    if isinstance(where, routers.Annotated) or is_lost:
        return in_use.RouterInUse(address=there)
    if isinstance(where, routers.OnLink):
        # A session that is up says more than a table: the router that it is with is there.
        return before
    since = before.since if before.other == there else now
    if now >= since + MOVED_AFTER:
        return in_use.RouterInUse(address=there)
    return in_use.RouterInUse(address=before.address, other=there, since=since)


def used_at(world: World, where: routers.Where) -> model.Address | None:
    """Return the router that was found at a place; None: none was."""
    found = world.in_use.routers.get(str(where))
    return None if found is None else found.address


def said(world: World, node: model.NodeFacts, peer: config.Sought) -> model.Address | None:
    """Return the address that is there now; None: there is none."""
    match peer.where:
        case routers.Gateway(family=family):
            found = world.host.gateways.get(family, ())
            # Of several that are as good the one in use stays.
            used = used_at(world, peer.where)
            return used if used in found else next(iter(found), None)
        case routers.OnLink(interface=name):
            on_link = world.host.links.get(name, links.Link()).routers
            known = used_at(world, peer.where)
            if known in on_link:
                return known
            # Of two nobody knows which is meant.
            return on_link[0] if len(on_link) == 1 else None
        case routers.Annotated(key=key):
            return routers.read((world.node_seen or node).annotations.get(key, ""))


def objection(
    world: World, node: model.NodeFacts, peer: config.Sought, address: model.Address
) -> str:
    """Return why an address cannot be this peer's router; empty: it can.

    Whoever may annotate a node must not be able to withdraw a range by it, nor to end the session
    with another router.
    """
    link = links.of(address)
    if not link and not routers.is_reachable(address):
        return f"{address} is no router's"
    if link and not links.is_tellable(link):
        return f"{address} is on an interface whose name ExaBGP would take for something else"
    if address in node.internal_ips or world.host.addresses.get(address):
        return f"{address} is this node's own"
    for each in _announced(world, node):
        if address in each:
            return f"{address} lies in {each}, which is announced"
    others = [*_written(world, address), *_sought(world, peer, address)]
    return f"{address} is the address of {others[0]}" if others else ""


def _announced(world: World, node: model.NodeFacts) -> Iterator[model.Network]:
    settings = world.config
    yield from (settings.service_cidrs if settings else None) or world.service_cidrs or ()
    yield from node.pod_cidrs


def _written(world: World, address: model.Address) -> list[str]:
    """Return the peers of this node that the settings write with an address."""
    peers = world.config.peers if world.config else ()
    return [
        each.name
        for each in peers
        if each.address == address and each.selector.matches(world.in_use.labels)
    ]


def _sought(world: World, peer: config.Sought, address: model.Address) -> list[str]:
    """Return the other peers that this node found at an address."""
    used, sought = world.in_use.routers, world.config.sought if world.config else ()
    return [
        each.name
        for each in sought
        if each.where != peer.where
        and each.selector.matches(world.in_use.labels)
        and (found := used.get(str(each.where))) is not None
        and found.address == address
    ]


def _unheard(world: World, interface: str) -> str:
    """Return why the router on a link is not known."""
    found = world.host.links.get(interface)
    if found is None:
        return "the node has no such interface"
    if not found.routers:
        return "none has been heard there"
    listed = " ".join(str(links.plain(each)) for each in found.routers)
    return f"several are there, write the address of one: {listed}"


def missing(world: World, node: model.NodeFacts, peer: config.Sought) -> model.Cause | None:
    """Return what is wrong with what is there now; None: nothing."""
    there, where = said(world, node, peer), str(peer.where)
    used = world.in_use.routers.get(where)
    if there is None and isinstance(peer.where, routers.OnLink):
        detail = f"{where}, {_unheard(world, peer.where.interface)}"
    elif there is None:
        is_written = (
            isinstance(peer.where, routers.Annotated)
            and peer.where.key in (world.node_seen or node).annotations
        )
        detail = f"{where} holds no address of a router" if is_written else where
    elif wrong := objection(world, node, peer, there):
        detail = f"{where}: {wrong}"
    elif used is not None and used.address != there:
        detail = f"{where} is {there} now"
    else:
        return None
    return model.Cause(model.Reason.ROUTER_MISSING, detail)
