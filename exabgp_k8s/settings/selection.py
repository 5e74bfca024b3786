"""Whom the selectors of the peers find among given nodes, and whom they miss.

A label with a typo is valid everywhere: the peer is meant for no node, the nodes have no router,
and nothing fails. It shows only where settings and nodes are looked at together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exabgp_k8s import errors
from exabgp_k8s.core.decide import prefixes
from exabgp_k8s.core.facts import config, model, routers
from exabgp_k8s.core.facts.pod_ranges import PodSource
from exabgp_k8s.core.judge import asns
from exabgp_k8s.settings import fields

NAMED = 10
"""Nodes that one message names."""
LACKS: Mapping[str, str] = {
    **{
        family: f"no peer with {family} among its families is meant for {{}}, which would not "
        f"announce their {family} ranges"
        for family in model.Family
    },
    **{
        each: f"of the {each} ranges some or all would be announced to no peer by {{}}, because "
        "each of their peers is limited to something else by its own announce"
        for each in model.PrefixClass
    },
}
"""What the peers of a node may lack, in the words of the reason, and how it is said of nodes."""


def find(settings: config.Config, nodes: Sequence[model.NodeFacts]) -> Iterator[errors.Problem]:
    """Yield what to tell the author of these settings about these nodes."""
    for number, peer in {peer.entry: peer for peer in settings.entries}.items():
        name = peer.name.partition("/")[0]
        if nodes and not any(peer.selector.matches(node.labels) for node in nodes):
            why = "; ".join(_unmet(peer.selector, nodes)) or "no node has all of its labels"
            yield errors.Problem(
                f"peers[{number}].nodeSelector",
                f"peer {name} is meant for none of the {len(nodes)} nodes: {why}",
            )
        if without := [node.name for node in nodes if _has_no_asn(peer, node)]:
            yield errors.Problem(
                f"peers[{number}]",
                f"{len(without)} of the nodes of peer {name} have no AS number in "
                f"{peer.local_asn}, and the peer would stay down there (asn-missing): "
                f"{_names(without)}",
            )
    yield from _unfound(settings, nodes)
    lonely = [node.name for node in nodes if not _is_selected(settings, node)]
    if lonely:
        yield errors.Problem(
            "peers",
            f"no peer is meant for {len(lonely)} of the {len(nodes)} nodes, which would announce "
            f"nothing (no-peer): {_names(lonely)}",
        )
    for lack, sentence in LACKS.items():
        mute = [node.name for node in nodes if lack in _lacks(settings, node)]
        if mute:
            said = sentence.format(f"{len(mute)} of the {len(nodes)} nodes")
            yield errors.Problem("peers", f"{said} (no-peer:{lack}): {_names(mute)}")


def _unfound(
    settings: config.Config, nodes: Sequence[model.NodeFacts]
) -> Iterator[errors.Problem]:
    """Yield the peers whose router some nodes do not say."""
    for peer in settings.sought:
        if not isinstance(peer.where, routers.Annotated):
            continue
        key = peer.where.key
        mine = (node for node in nodes if peer.selector.matches(node.labels))
        without = [
            node.name for node in mine if routers.read(node.annotations.get(key, "")) is None
        ]
        if without:
            yield errors.Problem(
                f"peers[{peer.entry}].address",
                f"{len(without)} of the nodes of peer {peer.name} have no address of a router in "
                f"{peer.where}, and the peer would stay down there (router-missing): "
                f"{_names(without)}",
            )


def _has_no_asn(peer: config.Entry, node: model.NodeFacts) -> bool:
    return peer.selector.matches(node.labels) and asns.missing(node, peer) is not None


def _names(found: Sequence[str]) -> str:
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more


def _lacks(settings: config.Config, node: model.NodeFacts) -> frozenset[str]:
    """Return what a node with peers has none for, in the words of the reason ``no-peer``."""
    selected = tuple(peer for peer in settings.entries if peer.selector.matches(node.labels))
    if not selected:
        return frozenset()
    pods = (
        cidr
        for cidr in (node.pod_cidrs if settings.pods_from is PodSource.NODE else ())
        if any(model.is_inside(cidr, within) for within in settings.pods_within)
    )
    announced = [(each, model.PrefixClass.SERVICES) for each in settings.service_cidrs or ()]
    announced += [(each, model.PrefixClass.PODS) for each in pods]
    found = {prefixes.lack(prefix, of_class, selected) for prefix, of_class in announced}
    # Which ranges the API has, with auto, is not known here.
    if settings.service_cidrs is None and not any(peer.services for peer in selected):
        found.add(model.PrefixClass.SERVICES)
    return frozenset(each for each in found if each)


def _is_selected(settings: config.Config, node: model.NodeFacts) -> bool:
    return any(peer.selector.matches(node.labels) for peer in settings.entries)


def _unmet(selector: config.Selector, nodes: Sequence[model.NodeFacts]) -> Iterator[str]:
    """Yield each requirement that no node meets, with what the nodes have instead."""
    for each in selector.requirements:
        if any(each.matches(node.labels) for node in nodes):
            continue
        known = sorted({node.labels[each.key] for node in nodes if each.key in node.labels})
        if known:
            shown = ", ".join(known[:NAMED])
            yield f"no node is {_words(each)}; there is {each.key}: {shown}"
        else:
            labels = {key for node in nodes for key in node.labels}
            hint = fields.suggestion(each.key, labels, fields.ALIKE).strip()
            yield f"no node has the label {each.key}" + (f"; {hint}" if hint else "")


def _words(each: config.Requirement) -> str:
    values = ", ".join(sorted(each.values))
    match each.operator:
        case config.Operator.IN:
            return f"{each.key}: {values}"
        case config.Operator.NOT_IN:
            return f"anything but {each.key}: {values}"
        case config.Operator.EXISTS:
            return f"labelled {each.key}"
        case config.Operator.DOES_NOT_EXIST:
            return f"without {each.key}"
