"""What becomes of each prefix: a route for every peer, or a reason where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exabgp_k8s.core.decide import prefixes, route
from exabgp_k8s.core.facts import absences, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import demands, rollout
from exabgp_k8s.core.judge.judgement import Judgement

Outcome = model.Route | absences.Withheld


def of_all(
    world: World,
    judgement: Judgement,
    candidates: Iterable[prefixes.Candidate],
    sessions: tuple[model.Neighbor, ...],
    now: float,
) -> Iterator[Outcome]:
    """Yield every prefix's routes, and its reasons where it is not announced as usual."""
    for candidate in candidates:
        action = judgement.actions[candidate.prefix_class]
        if candidate.guard is not None or action is not model.Action.KEEP:
            yield _withheld(judgement, candidate)
        if candidate.guard is None and action is not model.Action.WITHDRAW:
            yield from _of_the_class(world, judgement, candidate, sessions, now)


def _of_the_class(
    world: World,
    judgement: Judgement,
    candidate: prefixes.Candidate,
    sessions: tuple[model.Neighbor, ...],
    now: float,
) -> Iterator[Outcome]:
    """Yield what becomes of a prefix whose class is announced."""
    if candidate.prefix_class in judgement.undecided:
        yield from _starting(world, candidate, "checks have no verdict yet")
        return
    is_pending = candidate.prefix_class in judgement.pending
    if is_pending:
        yield from _starting(world, candidate, "the outage budget has not answered yet")
    for neighbor in sessions:
        if not is_pending or _stands(world, neighbor.address, candidate.prefix):
            yield from _of_the_stop(world, judgement, neighbor, candidate, now)


def _stands(world: World, peer: model.Address, prefix: model.Network | None) -> bool:
    return world.rib is not None and peer in world.rib and prefix in world.rib[peer].routes


def _of_the_stop(
    world: World,
    judgement: Judgement,
    neighbor: model.Neighbor,
    candidate: prefixes.Candidate,
    now: float,
) -> Iterator[Outcome]:
    """Yield a peer's route, or what a rollout makes of it where the peer cannot bridge it."""
    action = judgement.actions[candidate.prefix_class]
    asked = rollout.action(world, neighbor, judgement.demands[candidate.prefix_class])
    is_worse = model.SEVERITY[asked] > model.SEVERITY[action]
    if is_worse and route.offered(world, neighbor, candidate) is not None:
        yield absences.Withheld(
            prefix=candidate.prefix,
            prefix_class=candidate.prefix_class,
            action=asked,
            causes=(rollout.STOPPING,),
            peer=neighbor.name,
        )
    if asked is not model.Action.WITHDRAW:
        chosen = asked if is_worse else action
        yield from route.for_peer(world, neighbor, candidate, chosen, now)


def while_blind(
    world: World, judgement: Judgement, candidates: Iterable[prefixes.Candidate]
) -> Iterator[absences.Withheld]:
    """Yield why prefixes are missing before the Node has been seen."""
    for candidate in candidates:
        if judgement.actions[candidate.prefix_class] is model.Action.WITHDRAW:
            yield _withheld(judgement, candidate)
        elif candidate.prefix not in world.held:
            yield _withheld_for(candidate, prefixes.node_unseen(world))


def _withheld(judgement: Judgement, candidate: prefixes.Candidate) -> absences.Withheld:
    action = judgement.actions[candidate.prefix_class]
    asked = judgement.asked[candidate.prefix_class]
    found = [candidate.guard] if candidate.guard is not None else []
    found += [each.cause for each in asked if each.action is not model.Action.KEEP]
    if model.SEVERITY[action] > model.SEVERITY[demands.worst(asked)]:
        found.append(model.Cause(model.Reason.HOLD_DOWN))
    return absences.Withheld(
        prefix=candidate.prefix,
        prefix_class=candidate.prefix_class,
        action=model.Action.WITHDRAW if candidate.guard is not None else action,
        causes=tuple(found),
    )


def _starting(
    world: World, candidate: prefixes.Candidate, why: str
) -> Iterator[absences.Withheld]:
    """Name a prefix that waits to be decided upon, unless it already stands."""
    if candidate.prefix not in world.held:
        yield _withheld_for(candidate, model.Cause(model.Reason.STARTING, why))


def _withheld_for(candidate: prefixes.Candidate, cause: model.Cause) -> absences.Withheld:
    return absences.Withheld(
        prefix=candidate.prefix,
        prefix_class=candidate.prefix_class,
        action=model.Action.WITHDRAW,
        causes=(cause,),
    )
