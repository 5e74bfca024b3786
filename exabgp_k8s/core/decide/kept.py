"""What stays as it is, because too little is known of it yet."""

from __future__ import annotations

from collections.abc import Iterator

from exabgp_k8s.core.decide import prefixes
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge.judgement import Judgement


def find(
    world: World, judgement: Judgement, candidates: tuple[prefixes.Candidate, ...]
) -> Iterator[model.Network]:
    """Yield the prefixes that wait for the checks, and what may be a service range."""
    for candidate in candidates:
        is_out = judgement.actions[candidate.prefix_class] is model.Action.WITHDRAW
        if candidate.prefix is None or candidate.guard is not None or is_out:
            continue
        if candidate.prefix_class in judgement.undecided:
            yield candidate.prefix
    yield from _perhaps_services(world, judgement, candidates)


def _perhaps_services(
    world: World, judgement: Judgement, candidates: tuple[prefixes.Candidate, ...]
) -> Iterator[model.Network]:
    """Yield what stands and may be a service range that the API has not named yet."""
    is_out = judgement.actions[model.PrefixClass.SERVICES] is model.Action.WITHDRAW
    if is_out or prefixes.are_services_known(world):
        return
    named = {candidate.prefix for candidate in candidates}
    yield from (prefix for prefix in world.held if prefix not in named)


def while_blind(world: World, judgement: Judgement) -> Iterator[model.Network]:
    """Yield what stands and is not of a class that must go, before the Node has been seen."""
    for prefix in world.held:
        prefix_class = prefixes.class_of(world, prefix)
        if judgement.actions[prefix_class] is not model.Action.WITHDRAW:
            yield prefix
