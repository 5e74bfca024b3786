"""What we want: the routes for each peer, and a reason for everything withheld.

The decision is made anew from the whole world every time. It never depends on what happened
last, only on what is known now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from exabgp_k8s.core.decide import (
    changeover,
    kept,
    missing,
    neighbors,
    outcomes,
    prefixes,
)
from exabgp_k8s.core.facts import absences, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge.judgement import Judgement

Wanted = Mapping[tuple[model.Address, model.Network], model.Route]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Everything that shall be true, and why what is missing is missing."""

    routes: Wanted | None = None
    """The routes for every peer; None: too little is known, what stands stays."""
    kept: frozenset[model.Network] = frozenset()
    """Prefixes that stay as they are, because too little is known of them yet."""
    withheld: tuple[absences.Withheld, ...] = ()
    """Every prefix that is not announced as usual, deprioritised ones included."""
    neighbors: tuple[model.Neighbor, ...] | None = None
    """The sessions to have in the end; None: not known yet."""
    peers_held: tuple[absences.PeerHeld, ...] = ()
    missing: tuple[absences.Missing, ...] = ()
    """What goes on although it cannot be found now."""
    prefixes: tuple[prefixes.Candidate, ...] = ()
    """Every prefix that was considered."""


def decide(world: World, judgement: Judgement, now: float) -> tuple[World, Decision]:
    """Return what shall be announced to whom, and the world with the sessions that end by it."""
    decision = _decide(world, judgement, now)
    world = changeover.served(world, decision.routes, now)
    leaving = changeover.leaving(world, decision.neighbors, now)
    if leaving == world.leaving:
        return world, decision
    # A session that ends has no routes any longer.
    world = dataclasses.replace(world, leaving=leaving)
    return world, _decide(world, judgement, now)


def _decide(world: World, judgement: Judgement, now: float) -> Decision:
    if world.config is None or world.node is None:
        return _blind(world, judgement)
    sessions, held = neighbors.select(world)
    meant = neighbors.meant(world.config, sessions, held)
    candidates = tuple(prefixes.for_peers(prefixes.candidates(world), meant))
    speaking = changeover.speaking(world, sessions)
    found = tuple(outcomes.of_all(world, judgement, candidates, speaking, now))
    routes = (each for each in found if isinstance(each, model.Route))
    return Decision(
        routes={(route.peer, route.prefix): route for route in routes},
        kept=frozenset(kept.find(world, judgement, candidates)),
        withheld=tuple(each for each in found if isinstance(each, absences.Withheld)),
        neighbors=sessions,
        peers_held=held,
        missing=tuple(missing.find(world)),
        prefixes=candidates,
    )


def _blind(world: World, judgement: Judgement) -> Decision:
    """Decide without having seen the Node: what stands stays, unless its class must go.

    The API server may be away for long, and a dead kube-proxy must still withdraw what it serves.
    """
    candidates = tuple(prefixes.candidates(world))
    is_anything_out = model.Action.WITHDRAW in judgement.actions.values()
    return Decision(
        routes={} if is_anything_out else None,
        kept=frozenset(kept.while_blind(world, judgement)),
        withheld=tuple(outcomes.while_blind(world, judgement, candidates)),
        prefixes=candidates,
    )
