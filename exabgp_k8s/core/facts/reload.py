"""What becomes of a configuration on its way to ExaBGP.

Three events and not two: ExaBGP closes the sessions that change as soon as it reads the file, and
that may be heard before it is known to have read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core.facts import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """ExaBGP is about to be told to read a configuration, and may do so at any moment."""

    neighbors: tuple[model.Neighbor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """ExaBGP read a new configuration: which peers it has must be asked anew."""

    neighbors: tuple[model.Neighbor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The configuration rendered for ExaBGP was refused; the running one stays."""

    problem: str


Event = Asked | Taken | Refused
