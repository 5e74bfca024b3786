"""What BFD of a peer must not be beside what else the peer says."""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s import errors
from exabgp_k8s.settings import fields, linklocal
from exabgp_k8s.settings.written import Place, addresses, entries


def find(root: Place) -> Iterator[errors.Problem]:
    """Yield what must not be together."""
    for peer in entries(root):
        multihop = peer["bfd"]["multihop"]
        if multihop.value is not True:
            continue
        routers = [place.read(fields.RouterAddress) for place in addresses(peer)]
        if any(linklocal.is_on_a_link(each) for each in routers if each):
            yield multihop.problem("a link-local address is on the node's own link; remove it")
        elif peer["ttlSecurity"].value is True:
            yield multihop.problem(
                "excludes ttlSecurity, which accepts directly connected routers only; "
                "remove one of both"
            )
