"""What we want: the routes for each peer, and a reason for everything withheld.

The decision is made anew from the whole world every time. It never depends on what happened
last, only on what is known now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.decide import changeover, missing, neighbors, prefixes
from exabgp_k8s.core.facts import config, hysteresis, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import causes, keeping, rollout, slots

Wanted = Mapping[tuple[model.Address, model.Network], model.Route]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Everything that shall be true, and why what is missing is missing."""

    routes: Wanted | None
    """The routes for every peer; None: too little is known, what stands stays."""
    kept: frozenset[model.Network] = frozenset()
    """Prefixes that stay as they are, because too little is known of them yet."""
    withheld: tuple[model.Withheld, ...] = ()
    """Every prefix that is not announced as usual, deprioritised ones included."""
    spared: Mapping[model.PrefixClass, tuple[model.Cause, ...]] = field(default_factory=dict)
    """Classes announced although something speaks against them: the outage budget has no slot."""
    neighbors: tuple[model.Neighbor, ...] | None = None
    """The sessions to have in the end; None: not known yet."""
    peers_held: tuple[model.PeerHeld, ...] = ()
    missing: tuple[model.Missing, ...] = ()
    """What goes on although it cannot be found now."""
    prefixes: tuple[prefixes.Candidate, ...] = ()
    """Every prefix that was considered."""
    actions: Mapping[model.PrefixClass, model.Action] = field(default_factory=dict)
    deadline: float | None = None
    """When to look again although nothing happened."""


def decide(world: World, now: float) -> Decision:
    """Return what shall be announced to whom, with a reason for everything withheld."""
    actions = {
        prefix_class: world.membership.get(prefix_class, hysteresis.Membership()).action
        for prefix_class in model.PrefixClass
    }
    deadline = _deadline(world, now)
    if world.config is None or world.node is None:
        return _blind(world, now, actions, deadline)
    sessions, held = neighbors.select(world)
    speaking = changeover.speaking(world, sessions)
    spoken = neighbors.families(world.config, sessions, held)
    candidates = tuple(prefixes.for_peers(prefixes.candidates(world), spoken))
    kept = frozenset(_kept(world, candidates, actions))
    outcomes = [
        outcome
        for candidate in candidates
        for outcome in _outcomes(world, candidate, speaking, actions, now)
    ]
    routes = [each for each in outcomes if isinstance(each, model.Route)]
    return Decision(
        routes={(route.peer, route.prefix): route for route in routes},
        kept=kept,
        withheld=tuple(each for each in outcomes if isinstance(each, model.Withheld)),
        neighbors=sessions,
        peers_held=held,
        missing=tuple(missing.find(world)),
        prefixes=candidates,
        actions=actions,
        spared=slots.spared(world, actions, now),
        deadline=deadline,
    )


def _kept(
    world: World,
    candidates: tuple[prefixes.Candidate, ...],
    actions: Mapping[model.PrefixClass, model.Action],
) -> Iterator[model.Network]:
    for candidate in candidates:
        is_out = actions[candidate.prefix_class] is model.Action.WITHDRAW
        if candidate.prefix is None or candidate.guard is not None or is_out:
            continue
        if causes.is_undecided(world, candidate.prefix_class):
            yield candidate.prefix
    yield from _perhaps_services(world, candidates, actions)


def _perhaps_services(
    world: World,
    candidates: tuple[prefixes.Candidate, ...],
    actions: Mapping[model.PrefixClass, model.Action],
) -> Iterator[model.Network]:
    """Yield what stands and may be a service range that the API has not named yet."""
    is_out = actions[model.PrefixClass.SERVICES] is model.Action.WITHDRAW
    if is_out or prefixes.are_services_known(world):
        return
    named = {candidate.prefix for candidate in candidates}
    for held in (world.rib or {}).values():
        yield from (prefix for prefix in held.routes if prefix not in named)


def _outcomes(
    world: World,
    candidate: prefixes.Candidate,
    sessions: tuple[model.Neighbor, ...],
    actions: Mapping[model.PrefixClass, model.Action],
    now: float,
) -> Iterator[model.Route | model.Withheld]:
    """Yield a prefix's routes, and its reasons where it is not announced as usual."""
    action = actions[candidate.prefix_class]
    if candidate.guard is not None or action is not model.Action.KEEP:
        yield _withheld(world, candidate, action, now)
    if candidate.guard is not None or action is model.Action.WITHDRAW:
        return
    if causes.is_undecided(world, candidate.prefix_class):
        yield from _starting(world, candidate, "checks have no verdict yet")
        return
    is_pending = slots.is_pending(world, candidate.prefix_class, now)
    if is_pending:
        yield from _starting(world, candidate, "the outage budget has not answered yet")
    for neighbor in sessions:
        if not is_pending or _stands(world, neighbor.address, candidate.prefix):
            yield from _of_the_stop(world, neighbor, candidate, action, now)


def _stands(world: World, peer: model.Address, prefix: model.Network | None) -> bool:
    return world.rib is not None and peer in world.rib and prefix in world.rib[peer].routes


def _of_the_stop(
    world: World,
    neighbor: model.Neighbor,
    candidate: prefixes.Candidate,
    action: model.Action,
    now: float,
) -> Iterator[model.Route | model.Withheld]:
    """Yield a peer's route, or what a rollout makes of it where the peer cannot bridge it."""
    asked = rollout.action(world, neighbor, candidate.prefix_class, now)
    is_worse = model.SEVERITY[asked] > model.SEVERITY[action]
    if is_worse:
        yield model.Withheld(
            prefix=candidate.prefix,
            prefix_class=candidate.prefix_class,
            action=asked,
            causes=(rollout.STOPPING,),
            peer=neighbor.name,
        )
    if asked is not model.Action.WITHDRAW:
        yield from _for_peer(world, neighbor, candidate, asked if is_worse else action, now)


def _blind(
    world: World,
    now: float,
    actions: Mapping[model.PrefixClass, model.Action],
    deadline: float | None,
) -> Decision:
    """Decide without having seen the Node: what stands stays, unless its class must go.

    The API server may be away for long, and a dead kube-proxy must still withdraw what it serves.
    """
    candidates = tuple(prefixes.candidates(world))
    out = [each for each in model.PrefixClass if actions[each] is model.Action.WITHDRAW]
    held = {prefix for rib in (world.rib or {}).values() for prefix in rib.routes}
    starting = prefixes.node_unseen(world)
    return Decision(
        routes={} if out else None,
        kept=frozenset(prefix for prefix in held if prefixes.class_of(world, prefix) not in out),
        withheld=tuple(
            _withheld(world, candidate, actions[candidate.prefix_class], now)
            if candidate.prefix_class in out
            else model.Withheld(
                prefix=candidate.prefix,
                prefix_class=candidate.prefix_class,
                action=model.Action.WITHDRAW,
                causes=(starting,),
            )
            for candidate in candidates
            if candidate.prefix_class in out or candidate.prefix not in held
        ),
        prefixes=candidates,
        actions=actions,
        spared=slots.spared(world, actions, now),
        deadline=deadline,
    )


def _withheld(
    world: World, candidate: prefixes.Candidate, action: model.Action, now: float
) -> model.Withheld:
    found = [candidate.guard] if candidate.guard is not None else []
    if world.config is not None:
        asked = slots.asked(world, candidate.prefix_class, now)
        found += [each.cause for each in asked if each.action is not model.Action.KEEP]
        if model.SEVERITY[action] > model.SEVERITY[causes.worst(asked)]:
            found.append(model.Cause(model.Reason.HOLD_DOWN))
    return model.Withheld(
        prefix=candidate.prefix,
        prefix_class=candidate.prefix_class,
        action=model.Action.WITHDRAW if candidate.guard is not None else action,
        causes=tuple(found),
    )


def _starting(world: World, candidate: prefixes.Candidate, why: str) -> Iterator[model.Withheld]:
    """Name a prefix that waits to be decided upon, unless it already stands."""
    held = (rib.routes for rib in (world.rib or {}).values())
    if any(candidate.prefix in routes for routes in held):
        return
    yield model.Withheld(
        prefix=candidate.prefix,
        prefix_class=candidate.prefix_class,
        action=model.Action.WITHDRAW,
        causes=(model.Cause(model.Reason.STARTING, why),),
    )


def _for_peer(
    world: World,
    neighbor: model.Neighbor,
    candidate: prefixes.Candidate,
    action: model.Action,
    now: float,
) -> Iterator[model.Route | model.Withheld]:
    """Yield the route for one peer, or why there is none; nothing for a family not spoken."""
    prefix = candidate.prefix
    if prefix is None or world.config is None or world.node is None:
        return
    family = model.family_of(prefix)
    if family not in neighbor.families:
        return
    is_own = model.family_of(neighbor.local_address) is family
    next_hop = neighbor.local_address if is_own else world.in_use.peers[neighbor.address].next_hop
    refusal = world.refusals.get((neighbor.address, prefix))
    cause: model.Cause | None = None
    if next_hop is None:
        cause = model.Cause(model.Reason.NO_NEXT_HOP, str(family))
    elif refusal is not None and now < refusal.until:
        cause = model.Cause(model.Reason.REFUSED, refusal.problem)
    if next_hop is None or cause is not None:
        yield model.Withheld(
            prefix=prefix,
            prefix_class=candidate.prefix_class,
            action=model.Action.WITHDRAW,
            causes=(cause,) if cause else (),
            peer=neighbor.name,
        )
        return
    yield model.Route(
        peer=neighbor.address,
        prefix=prefix,
        next_hop=next_hop,
        attributes=_attributes(world.config, neighbor, action),
    )


def _attributes(
    settings: config.Config, neighbor: model.Neighbor, action: model.Action
) -> model.Attributes:
    """Return a peer's attributes, lowered where the route is to be used as a last resort."""
    peer = next(peer for peer in settings.peers if peer.address == neighbor.address)
    communities, med, prepend = peer.attributes.communities, peer.attributes.med, peer.prepend
    if action is model.Action.DEPRIORITISE:
        communities = (*communities, model.GRACEFUL_SHUTDOWN)
        med = med if settings.deprioritise_med is None else settings.deprioritise_med
        prepend += settings.deprioritise_prepend
    is_prepended = neighbor.is_external and prepend > 0
    return model.Attributes(
        communities=communities,
        large_communities=peer.attributes.large_communities,
        med=med,
        local_pref=None if neighbor.is_external else peer.attributes.local_pref,
        # ExaBGP adds our own AS only where no path is given.
        as_path=(neighbor.local_asn,) * (prepend + 1) if is_prepended else (),
    ).normalised()


def _deadline(world: World, now: float) -> float | None:
    """Return the next moment at which the same facts decide differently."""
    moments = [refusal.until for refusal in world.refusals.values()]
    moments += [each.until for each in world.membership.values() if each.until is not None]
    moments += [] if world.succession is None else [world.succession.until]
    moments += [at + keeping.LABELS_KEPT_FOR for at in world.in_use.away.values()]
    if world.config is not None:
        moments += [
            each.until
            for prefix_class in model.PrefixClass
            for each in causes.demands(world.causes, prefix_class, world.config, now)
            if each.until is not None
        ]
    return min((moment for moment in moments if moment > now), default=None)
