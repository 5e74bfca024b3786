"""What goes with a router at a link-local address, and with an IPv6 next hop for IPv4."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

from exabgp_k8s import errors
from exabgp_k8s.core.facts import links, model, routers
from exabgp_k8s.settings import fields, peers
from exabgp_k8s.settings.written import Place, addresses, entries

BOTH = frozenset(model.Family)


def is_extended(
    place: model.Address | routers.Where, written: bool | None, families: Collection[model.Family]
) -> bool:
    """Return whether a session offers IPv6 next hops for IPv4: where it is asked, or on a link.

    ExaBGP offers it only where the session speaks both families.
    """
    is_wanted = is_on_a_link(place) if written is None else written
    return is_wanted and set(families) >= BOTH


def is_on_a_link(place: object) -> bool:
    """Return whether a router is at a link-local address, written or found."""
    is_written = isinstance(place, model.Address) and bool(links.of(place))
    return is_written or isinstance(place, routers.OnLink)


def find(root: Place) -> Iterator[errors.Problem]:
    """Yield what must not be together."""
    for peer in entries(root):
        found = [place.read(fields.RouterAddress) for place in addresses(peer)]
        known = [each for each in found if each]
        if any(is_on_a_link(each) for each in known):
            yield from _of_a_link(peer)
        extended = dataclasses.replace(peer, defaults=None)["extendedNextHop"]
        if extended.value is not True:
            # A default for all peers is one for those that it can be for.
            continue
        written = [each for each in known if isinstance(each, model.Address)]
        if any(model.family_of(each) is model.Family.IPV4 for each in written):
            yield extended.problem(
                "goes with an IPv6 address of the router; write that, or remove it"
            )
        families = peer["families"].read(peers.Families, tuple(model.Family))
        if families and not set(families) >= BOTH:
            yield extended.problem("goes with both families; write families: [ipv4, ipv6]")


def _of_a_link(peer: Place) -> Iterator[errors.Problem]:
    if peer["multihop"].is_written:
        yield peer["multihop"].problem("a link-local address is on the node's own link; remove it")
    local = peer["localAddress"]
    source = local.read(fields.Address)
    if source and model.family_of(source) is model.Family.IPV6:
        yield local.problem(
            "to a link-local address the session starts from the interface's own one; remove it"
        )
