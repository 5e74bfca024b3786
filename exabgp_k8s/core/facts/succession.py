"""A Node object that takes the place of one that was deleted, and inherits from it for a while."""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core.facts import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """The Node that was there before the present one, and until when it still counts."""

    before: model.NodeFacts
    until: float
