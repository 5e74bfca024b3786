"""What is valid in the settings, and still does not do what its author may expect.

A mistake is refused; this is only said, by ``config validate`` and in the log.
"""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s import errors
from exabgp_k8s.core.facts import config


def find(settings: config.Config) -> Iterator[errors.Problem]:
    """Yield what to tell the author of these settings."""
    for number, peer in enumerate(settings.peers):
        is_external = peer.asn != peer.local_asn
        if is_external and peer.attributes.local_pref is not None:
            yield errors.Problem(
                f"peers[{number}].attributes.localPref",
                f"is not sent, because AS {peer.asn} is not ours (RFC 4271 section 5.1.5); "
                "use med or communities, or remove it",
            )
