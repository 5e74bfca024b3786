"""What peers are announced, against what the document announces at all.

A peer may be limited to a class or to ranges. Each entry must stand under ``announce``, so that a
typo is refused and not announced to nobody; and what stands there must be heard by some peer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from exabgp_k8s.core.facts import model
from exabgp_k8s.settings import fields
from exabgp_k8s.settings.contradictions import MOST_CIDRS, MOST_NAMED, Problems
from exabgp_k8s.settings.written import Place, entries

Ranges = Mapping[model.PrefixClass, Mapping[model.Network, Place]]


def find(document: object) -> Problems:
    """Yield every entry that means nothing, and what no peer is announced."""
    root = Place(document)
    ranges = {each: dict(_ranges(root["announce"][each])) for each in model.PrefixClass}
    yield from dict.fromkeys(_pointless_ones(root, ranges))
    yield from _unheard(root, ranges)


def _pointless_ones(root: Place, ranges: Ranges) -> Problems:
    """Yield what no peer can be announced; of what stands in ``peerDefaults`` at every peer."""
    for peer in entries(root):
        yield from _pointless(root, ranges, peer)


def _ranges(section: Place) -> Iterator[tuple[model.Network, Place]]:
    """Yield the ranges of a class that stand in the document; with ``auto`` those allowed."""
    for place in itertools.islice((*section["cidrs"], *section["within"]), 2 * MOST_CIDRS):
        network = place.read(fields.Network)
        if network is not None:
            yield network, place


def _entries(peer: Place) -> Iterator[Place]:
    # More than these are refused, and need not be compared.
    return itertools.islice(peer["announce"], MOST_CIDRS)


def _pointless(root: Place, ranges: Ranges, peer: Place) -> Problems:
    written = {place.read(fields.Portion): place for place in _entries(peer)}
    for entry, place in written.items():
        if isinstance(entry, model.PrefixClass):
            if not root["announce"][entry].is_written:
                yield place.problem(
                    f"announce.{entry} is not written, so there is nothing of it to announce; "
                    f"write it, or remove {entry} here"
                )
        elif entry is not None:
            classes = [each for each, known in ranges.items() if entry in known]
            if not classes:
                yield place.problem(f"{entry} is no range of the document; {_advice(ranges)}")
            elif all(each in written for each in classes):
                yield place.problem(f"{classes[0]} has it already; remove one of the two")


def _advice(ranges: Ranges) -> str:
    known = [str(network) for each in ranges.values() for network in each]
    shown = ", ".join(["services", "pods", *known[:MOST_NAMED]])
    return (
        f"write one that stands under announce.services or announce.pods, whole, such as {shown}"
        if known
        else "with cidrs: auto write the range under announce.services.within, too"
    )


def _unheard(root: Place, ranges: Ranges) -> Problems:
    peers = list(entries(root))
    if not peers or not all(peer["announce"].is_written for peer in peers):
        return
    heard = {place.read(fields.Portion) for peer in peers for place in _entries(peer)}
    for prefix_class, known in ranges.items():
        section = root["announce"][prefix_class]
        if prefix_class in heard or not section.is_written:
            continue
        missed = [place for network, place in known.items() if network not in heard]
        if len(missed) == len(known):
            missed = [section]
        for place in missed:
            yield place.problem(
                "is announced to no peer: each of them is limited to something else by its own "
                "announce; add it to one of them, or remove it here"
            )
