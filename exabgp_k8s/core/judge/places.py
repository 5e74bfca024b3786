"""Which address of an interface or a network of this host is used, and why there is none.

There may be several: a virtual address beside the host's own, an interface in two networks. The
one that is in use stays for as long as it is there. The first choice is one that the router can
be reached from without a gateway, then one that the Node names.
"""

from __future__ import annotations

from exabgp_k8s.core.facts import model, places
from exabgp_k8s.core.facts.world import World


def found(
    world: World, place: places.Place, family: model.Family
) -> tuple[places.Interface, ...] | None:
    """Return the addresses of a family there; None where nobody has looked."""
    if place not in world.host.places:
        return None
    there = world.host.places[place] or ()
    return tuple(each for each in there if model.family_of(each.ip) is family)


def choose(
    world: World,
    place: places.Place,
    family: model.Family,
    router: model.Address,
    used: model.Address | None,
) -> model.Address | None:
    """Return the address to use; None where there is none, or nobody has looked.

    Args:
        world: with the host as it was seen last.
        place: where the address stands.
        family: which it is of.
        router: whom it is used towards.
        used: the one until now.
    """
    there = found(world, place, family) or ()
    if any(each.ip == used for each in there):
        return used
    named = world.node.internal_ips if world.node is not None else ()
    best = sorted(there, key=lambda each: (router not in each.network, each.ip not in named))
    return best[0].ip if best else None


def why_none(world: World, place: places.Place, family: model.Family) -> str:
    """Return why no address is there."""
    if place not in world.host.places:
        return f"{place} not looked for yet"
    match place:
        case places.OnInterface() if world.host.places[place] is None:
            return f"there is no {place}"
        case places.OnInterface():
            return f"{place} has no {family} address"
        case _:
            return f"no address of this host is in {place.subnet}"
