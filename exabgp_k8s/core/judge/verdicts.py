"""Which classes the checks have come to a verdict on; none is announced anew before."""

from __future__ import annotations

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.checks import CheckState, Health
from exabgp_k8s.core.facts.world import World


def undecided(world: World) -> frozenset[model.PrefixClass]:
    """Return the classes with a check that has not come to a verdict; all without settings."""
    if world.config is None:
        return frozenset(model.PrefixClass)
    return frozenset(
        prefix_class
        for check in world.config.checks
        if world.checks.get(check.name, CheckState()).hysteresis.health is Health.UNKNOWN
        for prefix_class in check.affects
    )
