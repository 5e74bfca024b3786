"""What is absent, each with its causes: a prefix, a session, or something that is in use."""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core.facts import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A prefix that is not announced, or not as usual, and every cause of it."""

    prefix: model.Network | None
    """None where there is no prefix to name, as with ``no-pod-cidr``."""
    prefix_class: model.PrefixClass
    action: model.Action
    causes: tuple[model.Cause, ...]
    peer: str = ""
    """The name of the one peer concerned; empty: all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHeld:
    """A peer of the settings that has no session here, and why."""

    name: str
    address: model.Address | None
    """None: the node has not found it."""
    cause: model.Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something in use that cannot be found now; what was known of it goes on."""

    cause: model.Cause
    peer: str = ""
    """The name of the one peer concerned; empty: all of them."""
