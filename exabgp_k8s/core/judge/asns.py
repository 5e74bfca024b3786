"""Our AS number where the Node says it: in a label or an annotation.

It is kept like an address: one that is gone, or has become something else than an AS number, ends
nothing. Another number in its place does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exabgp_k8s.core.facts import asns, config, model
from exabgp_k8s.core.facts.world import World


def said(node: model.NodeFacts, where: asns.OfTheNode) -> str | None:
    """Return what a Node says at a place; None: nothing."""
    found = node.labels if where.source is asns.Source.LABEL else node.annotations
    return found.get(where.key)


def kept(world: World, node: model.NodeFacts, peers: Iterable[config.Entry]) -> Mapping[str, int]:
    """Return the AS numbers that the Node says, or said last, for those that these peers ask."""
    asked = {each.local_asn for each in peers if isinstance(each.local_asn, asns.OfTheNode)}
    if not asked:
        return {}
    latest = world.node_seen or node
    found = {str(where): asns.read(said(latest, where) or "") for where in asked}
    known = {key: found[key] or world.in_use.asns.get(key) for key in sorted(found)}
    return {key: number for key, number in known.items() if number is not None}


def local(world: World, peer: config.Entry) -> int | None:
    """Return our AS number towards a peer; None: the Node never said it."""
    if isinstance(peer.local_asn, asns.OfTheNode):
        return world.in_use.asns.get(str(peer.local_asn))
    return peer.local_asn


def missing(node: model.NodeFacts, peer: config.Entry) -> model.Cause | None:
    """Return what is wrong with what the Node says; None: nothing."""
    where = peer.local_asn
    if not isinstance(where, asns.OfTheNode):
        return None
    written = said(node, where)
    if written is not None and asns.read(written) is not None:
        return None
    detail = str(where) if written is None else f"{where} is no AS number: {written}"
    # What an annotation says is not kept where it is no number.
    detail = detail.removesuffix(": ")
    return model.Cause(model.Reason.ASN_MISSING, detail)
