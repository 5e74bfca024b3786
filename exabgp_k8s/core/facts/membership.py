"""What is in force for one prefix class, and the past that its return depends on."""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core.facts import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What is in force for one prefix class, and what its past makes of its return."""

    action: model.Action = model.Action.KEEP
    leaves: tuple[float, ...] = ()
    """When the class got worse after it had been better, oldest first; at most ``LEAVES_KEPT``."""
    is_partly_back: bool = False
    """It got better, though not as good as KEEP: to get worse now is one more leave."""
    until: float | None = None
    """The hold-down ends then; None: nothing better is waited for."""
