"""What our own end of a session and the next hop must not be."""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s import errors
from exabgp_k8s.core.facts import links, model, places
from exabgp_k8s.settings import fields, peers, sources
from exabgp_k8s.settings.written import Place, addresses, entries


def find(root: Place) -> Iterator[errors.Problem]:
    """Yield what must not be together."""
    for peer in entries(root):
        routers = [place.read(fields.OneRouter) for place in addresses(peer)]
        for router in filter(None, routers):
            yield from _to(router, peer)
        yield from _of_no_family(peer)


def _to(router: model.Address, peer: Place) -> Iterator[errors.Problem]:
    local, hop = peer["localAddress"], peer["nextHop"]
    source = local.read(fields.LocalAddress)
    family = sources.family(source)
    if links.of(router) and isinstance(source, places.Place):
        yield local.problem(
            "to a link-local address the session starts from the interface's own one; remove it"
        )
    elif source == router or family not in (None, model.family_of(router)):
        what = getattr(source, "subnet", source)
        yield local.problem(
            f"{what} cannot be our end of a session to {router}; "
            "write our own of the same family, {interface: bond0}, or node"
        )
    if hop.read(fields.NextHop) == router:
        yield hop.problem(f"{router} is the router's own; write an address of the nodes")


def _of_no_family(peer: Place) -> Iterator[errors.Problem]:
    spoken = peer["families"].read(peers.Families, tuple(model.Family))
    only = sources.family(peer["nextHop"].read(fields.NextHop))
    if spoken is not None and only is not None and only not in spoken:
        yield peer["nextHop"].problem(
            f"is of {only}, which is not among the families of the peer; add it there, or "
            "write {interface: bond0}"
        )
