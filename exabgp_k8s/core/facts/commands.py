"""What ExaBGP can be told, as values; ``wire.commands`` knows the words."""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core.facts import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Store a route in a peer's adj-rib-out."""

    route: model.Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Withdraw a route, with the very attributes it was announced with."""

    route: model.Route


Change = Announce | Withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Changes of one kind that differ in peer and prefix only, every peer having them all.

    One command and one answer for all of them, and one UPDATE for each peer: a second one would
    wait up to 40 ms for the acknowledgement of the first (Nagle's algorithm, RFC 896).
    """

    changes: tuple[Announce, ...] | tuple[Withdraw, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """Send a peer the whole adj-rib-out again."""

    peer: model.Address


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfRib:
    """Send End-of-RIB for one family (RFC 4724 section 2)."""

    peer: model.Address
    family: model.Family


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowNeighbors:
    """Ask which peers there are, and their counters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRib:
    """Ask what is stored in adj-rib-out."""


Command = Announce | Withdraw | Together | Flush | EndOfRib | ShowNeighbors | ShowRib
"""What we can tell ExaBGP."""
