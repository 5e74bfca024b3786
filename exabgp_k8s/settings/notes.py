"""What is valid in the settings, and still does not do what its author may expect.

A mistake is refused; this is only said, by ``config validate`` and in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from exabgp_k8s import errors
from exabgp_k8s.core.facts import asns, config, durations, model, offer
from exabgp_k8s.settings import values

DANGEROUS: Mapping[str, str] = {
    "blackhole": "a router that follows RFC 7999 discards every packet to these ranges; this is "
    "for keeping the outside away from them, never for a router whose traffic is to arrive",
    "graceful-shutdown": "the routers use these routes only where there are no others (RFC 8326), "
    "always and not only in a drain; for a path that is less wanted use med, prepend or localPref",
    "llgr-stale": "the routers take these routes for left-overs of a lost session (RFC 9494): "
    "they use them last, and pass them on to few; for a path that is less wanted use med",
}
"""Well-known communities that take traffic away for as long as they stand there."""

HASTY = 300
"""Milliseconds; what is noticed faster is often a busy node and no dead one."""


def find(settings: config.Config) -> Iterator[errors.Problem]:
    """Yield what to tell the author of these settings."""
    for number, peer in {peer.entry: peer for peer in settings.entries}.items():
        path = f"peers[{number}].attributes"
        if _is_external(peer):
            named = f"AS {peer.asn}" if isinstance(peer.asn, int) else "the router's AS"
            for place in _places(peer, lambda each: each.attributes.local_pref is not None):
                yield errors.Problem(
                    f"{path}{place}.localPref",
                    f"is not sent, because {named} is not ours (RFC 4271 section 5.1.5); "
                    "use med or communities, or remove it",
                )
        for name, why in DANGEROUS.items():
            for place in _places(peer, _carries(values.COMMUNITIES[name])):
                yield errors.Problem(f"{path}{place}.communities", f"{name}: {why}")
    yield from _bfd(settings)


def _is_external(peer: config.Entry) -> bool:
    """Return whether a session is eBGP on every node, as far as the settings alone say so."""
    match peer.asn, peer.local_asn:
        case asns.Relation.EXTERNAL, _:
            return True
        case int(), int():
            return peer.asn != peer.local_asn
        case _:
            return False


def _carries(community: tuple[int, int]) -> Callable[[offer.Offer], bool]:
    return lambda each: community in each.attributes.communities


def _places(peer: config.Entry, is_said: Callable[[offer.Offer], bool]) -> Iterator[str]:
    """Yield below which keys of a peer's attributes something is said, as far as it is used."""
    offers = {each: found for each in model.PrefixClass if (found := peer.offered(each))}
    said = [each for each, found in offers.items() if is_said(found)]
    if said and len(said) == len(offers):
        yield ""
    else:
        yield from (f".{each}" for each in said)


def _bfd(settings: config.Config) -> Iterator[errors.Problem]:
    asked = {peer.entry: peer for peer in settings.entries if peer.bfd is not None}
    for number, peer in asked.items():
        if peer.bfd is not None and peer.bfd.interval * peer.bfd.multiplier < HASTY:
            detected = durations.write(peer.bfd.interval * peer.bfd.multiplier / 1000)
            yield errors.Problem(
                f"peers[{number}].bfd",
                f"a node that is busy for {detected} is taken for dead, and its routes go and "
                "come; 300ms x 3 are usual",
            )
    for is_multihop in (False, True):
        timings = {
            (peer.bfd.interval, peer.bfd.multiplier): number
            for number, peer in asked.items()
            if peer.bfd is not None and peer.bfd.is_multihop is is_multihop
        }
        if len(timings) > 1:
            interval = durations.write(min(each[0] for each in timings) / 1000)
            multiplier = max(each[1] for each in timings)
            yield errors.Problem(
                f"peers[{max(timings.values())}].bfd",
                "is not the same as at other peers: a node with several of them uses one for all, "
                f"the shortest interval and the largest multiplier, here {interval} x {multiplier}"
                "; a router that wants it slower says so itself",
            )
