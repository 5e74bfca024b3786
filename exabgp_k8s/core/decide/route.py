"""One prefix for one peer: the route with its next hop and attributes, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s.core.decide import prefixes
from exabgp_k8s.core.facts import absences, config, links, model, offer
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import next_hops


def for_peer(
    world: World,
    neighbor: model.Neighbor,
    candidate: prefixes.Candidate,
    action: model.Action,
    now: float,
) -> Iterator[model.Route | absences.Withheld]:
    """Yield the route for one peer, or why there is none; nothing for what it is not to hear."""
    prefix = candidate.prefix
    if prefix is None or world.config is None or world.node is None:
        return
    family = model.family_of(prefix)
    peer = _peer_of(world, neighbor)
    found = _offered(peer, neighbor, candidate)
    if found is None:
        return
    next_hop = _next_hop(world, neighbor, peer, family)
    refusal = world.refusals.get((neighbor.address, prefix))
    if refusal is not None and now < refusal.until and not isinstance(next_hop, model.Cause):
        next_hop = model.Cause(model.Reason.REFUSED, refusal.problem)
    if isinstance(next_hop, model.Cause):
        yield absences.Withheld(
            prefix=prefix,
            prefix_class=candidate.prefix_class,
            action=model.Action.WITHDRAW,
            causes=(next_hop,),
            peer=neighbor.name,
        )
        return
    yield model.Route(
        peer=neighbor.address,
        prefix=prefix,
        next_hop=next_hop,
        attributes=_attributes(world.config, neighbor, found, action),
    )


def offered(
    world: World, neighbor: model.Neighbor, candidate: prefixes.Candidate
) -> offer.Offer | None:
    """Return the offer that holds a prefix for a peer; None: the peer is not to hear it."""
    return _offered(_peer_of(world, neighbor), neighbor, candidate)


def _peer_of(world: World, neighbor: model.Neighbor) -> config.Peer:
    return next(each for each in world.peers if each.name == neighbor.name)


def _offered(
    peer: config.Peer, neighbor: model.Neighbor, candidate: prefixes.Candidate
) -> offer.Offer | None:
    prefix = candidate.prefix
    # The families are those of the session, which an edit may not have reached yet.
    if prefix is None or model.family_of(prefix) not in neighbor.families:
        return None
    found = peer.offered(candidate.prefix_class)
    return found if found is not None and found.holds(prefix) else None


def _next_hop(
    world: World, neighbor: model.Neighbor, peer: config.Peer, family: model.Family
) -> model.Address | model.Cause:
    """Return our address for a family, in a form that the session has agreed to, or why none.

    An IPv4 route with an IPv6 next hop is nothing that a router may be sent unasked (RFC 8950).
    """
    if next_hops.is_named(peer, family):
        return next_hops.of(world, neighbor, peer, family)
    if model.family_of(neighbor.local_address) is family or _is_agreed(world, neighbor):
        return links.plain(neighbor.local_address)
    detail = f"{family}, {_not_agreed(world, neighbor)}" if neighbor.is_extended else str(family)
    found = world.in_use.peers[neighbor.name].next_hop
    return found or model.Cause(model.Reason.NO_NEXT_HOP, detail)


def _is_agreed(world: World, neighbor: model.Neighbor) -> bool:
    session = world.sessions.get(neighbor.address)
    return neighbor.is_extended and session is not None and session.is_extended


def _not_agreed(world: World, neighbor: model.Neighbor) -> str:
    if not world.is_up(neighbor.address):
        return "the router has not said yet whether it takes an IPv6 one"
    return "the router takes no IPv6 one (RFC 8950) and the interface has no IPv4 address"


def _attributes(
    settings: config.Config,
    neighbor: model.Neighbor,
    chosen: offer.Offer,
    action: model.Action,
) -> model.Attributes:
    """Return a route's attributes, lowered where it is to be used as a last resort."""
    own, prepend = chosen.attributes, chosen.prepend
    communities, med = own.communities, own.med
    if action is model.Action.DEPRIORITISE:
        communities = (*communities, model.GRACEFUL_SHUTDOWN)
        med = med if settings.deprioritise_med is None else settings.deprioritise_med
        prepend += settings.deprioritise_prepend
    is_prepended = neighbor.is_external and prepend > 0
    return model.Attributes(
        communities=communities,
        large_communities=own.large_communities,
        extended_communities=own.extended_communities,
        med=med,
        local_pref=None if neighbor.is_external else own.local_pref,
        # ExaBGP adds our own AS only where no path is given.
        as_path=(neighbor.local_asn,) * (prepend + 1) if is_prepended else (),
    ).normalised()
