"""What is valid in the settings, and still does not do what its author may expect.

A mistake is refused; this is only said, by ``config validate`` and in the log.
"""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s import errors
from exabgp_k8s.core.facts import asns, config


def find(settings: config.Config) -> Iterator[errors.Problem]:
    """Yield what to tell the author of these settings."""
    for number, peer in {peer.entry: peer for peer in settings.peers}.items():
        if _is_external(peer) and peer.attributes.local_pref is not None:
            named = f"AS {peer.asn}" if isinstance(peer.asn, int) else "the router's AS"
            yield errors.Problem(
                f"peers[{number}].attributes.localPref",
                f"is not sent, because {named} is not ours (RFC 4271 section 5.1.5); "
                "use med or communities, or remove it",
            )


def _is_external(peer: config.Peer) -> bool:
    """Return whether a session is eBGP on every node, as far as the settings alone say so."""
    match peer.asn, peer.local_asn:
        case asns.Relation.EXTERNAL, _:
            return True
        case int(), int():
            return peer.asn != peer.local_asn
        case _:
            return False
