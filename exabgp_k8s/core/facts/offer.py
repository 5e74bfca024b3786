"""What one peer is announced of one class of prefixes, and with which attributes.

Services and pods are not the same to a router: the edge hears of services only, the pods of a
rack carry another community than its services do. So a peer has an offer for each class, or none.
"""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core.facts import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One class, or a part of it, for one peer."""

    within: tuple[model.Network, ...] | None = None
    """Only what lies inside one of these ranges; None: the whole class."""
    attributes: model.Attributes = model.Attributes()
    prepend: int = 0
    """How often the local AS is added in front of the usual path; eBGP only."""

    def holds(self, prefix: model.Network) -> bool:
        """Return whether a prefix of the class is announced to the peer."""
        within = self.within
        return within is None or any(model.is_inside(prefix, outer) for outer in within)
