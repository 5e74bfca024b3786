"""Why our sessions are about to end, for the routers' logs."""

from __future__ import annotations

from exabgp_k8s.core.facts import lifecycle, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import rollout

REPLACED = "replaced by a new pod"


def causes(world: World) -> tuple[str, ...]:
    """Return why the sessions end, most telling first; empty: they are not about to."""
    if not world.is_stopping:
        return ()
    if world.stop is lifecycle.Stop.ROLLOUT:
        return (REPLACED,)
    # "stopping" is what each router sees anyway; what it stops for is news.
    found = sorted(world.causes, key=lambda each: (each == rollout.STOPPING, each))
    return tuple(str(cause) for cause in found)


def silent(world: World) -> frozenset[model.Address]:
    """Return the routers that are told nothing: they keep the routes for the next pod."""
    if world.stop is not lifecycle.Stop.ROLLOUT:
        return frozenset()
    return frozenset(
        each.address for each in world.neighbors or () if rollout.is_bridged(world, each)
    )
