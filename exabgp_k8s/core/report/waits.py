"""What passes by itself, and how long it takes yet.

Whoever sees a node withheld wants to know first whether to wait or to act. Everything that a
clock alone will change is named here, with the moment and what comes of it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exabgp_k8s.core.facts import absences, lifecycle, model
from exabgp_k8s.core.judge import demands, keeping, remnants, slots
from exabgp_k8s.core.observe import reloads
from exabgp_k8s.core.plan import drains, stages
from exabgp_k8s.core.plan.turn import Turn


class What(enum.StrEnum):
    """What is being waited for."""

    AFTER = "after"
    """The hold of a cell of the policy table."""
    GRACEFUL_SHUTDOWN = "gracefulShutdown"
    HOLD_DOWN = "hold-down"
    SETTLE = "settle"
    LOST_SESSION = "lost-session"
    """A drain waits: the router may still have what was announced in a session that was lost."""
    LEAVING = "leaving"
    """A session that ends waits for its withdrawals."""
    TURN = "turn"
    """An edited session waits until the one before it is back."""
    SUCCESSION = "succession"
    """A Node registered anew inherits labels and addresses for a while."""
    LABEL = "label"
    """A label that selects a peer is away, and counts for a while longer."""
    BUDGET = "outage-budget"
    """How long the Leases are waited for while the API server cannot be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One thing that the time alone will change."""

    what: What
    until: float
    then: str
    """What happens at ``until``, in words."""
    prefix_class: model.PrefixClass | None = None
    """None: not about one class."""
    cause: model.Cause | None = None


def find(turn: Turn, now: float) -> tuple[Wait, ...]:
    """Return everything that is being waited for, the nearest first."""
    found = (
        *_of_the_policy(turn),
        *_of_the_dampers(turn),
        *_of_the_sessions(turn, now),
        *_of_the_rest(turn),
    )
    return tuple(sorted((each for each in found if each.until > now), key=lambda each: each.until))


def of_class(turn: Turn, prefix_class: model.PrefixClass | None, now: float) -> tuple[Wait, ...]:
    """Return what one class waits for."""
    return tuple(
        each
        for each in find(turn, now)
        if prefix_class is not None and each.prefix_class is prefix_class
    )


def rows(found: Iterable[Wait], now: float) -> list[Mapping[str, Any]]:
    """Return waits as plain rows."""
    return [
        {
            "what": str(each.what),
            "class": each.prefix_class and str(each.prefix_class),
            "cause": each.cause and str(each.cause),
            "then": each.then,
            "remaining_seconds": round(each.until - now, 3),
        }
        for each in found
    ]


def remaining(
    turn: Turn, withheld: absences.Withheld, cause: model.Cause, now: float
) -> float | None:
    """Return the seconds after which a reason ends or changes by itself; None: it does not."""
    moments = [
        each.until
        for each in find(turn, now)
        if each.prefix_class is withheld.prefix_class
        and (each.cause == cause or _is_hold_down(each, cause))
    ]
    moments += [
        refusal.until
        for (_, prefix), refusal in turn.world.refusals.items()
        if cause == model.Cause(model.Reason.REFUSED, refusal.problem)
        and prefix == withheld.prefix
    ]
    return round(max(0.0, min(moments) - now), 3) if moments else None


def _is_hold_down(wait: Wait, cause: model.Cause) -> bool:
    return wait.what is What.HOLD_DOWN and cause.reason is model.Reason.HOLD_DOWN


def _of_the_policy(turn: Turn) -> Iterator[Wait]:
    world = turn.world
    if world.config is None:
        return
    for name in model.PrefixClass:
        in_force = turn.judgement.actions.get(name, model.Action.KEEP)
        for each in turn.judgement.demands.get(name, ()):
            cell = world.config.policy.get((each.cause.reason, name))
            if each.until is None or cell is None:
                continue
            if model.SEVERITY[cell.action] <= model.SEVERITY[in_force]:
                continue
            is_lowered = each.action is model.Action.DEPRIORITISE
            yield Wait(
                what=What.GRACEFUL_SHUTDOWN if is_lowered else What.AFTER,
                until=each.until,
                then=f"{name}: {cell.action} because of {each.cause}",
                prefix_class=name,
                cause=each.cause,
            )


def _of_the_dampers(turn: Turn) -> Iterator[Wait]:
    world = turn.world
    for name, membership in world.membership.items():
        if membership.until is not None:
            wanted = demands.worst(turn.judgement.asked.get(name, ()))
            yield Wait(
                what=What.HOLD_DOWN,
                until=membership.until,
                then=f"{name}: {'announce' if wanted is model.Action.KEEP else wanted} again",
                prefix_class=name,
            )
        if name in turn.judgement.pending and world.kube_lost is not None:
            is_out = membership.action is model.Action.WITHDRAW
            yield Wait(
                what=What.BUDGET,
                until=world.kube_lost + slots.AWAY,
                then=f"{name}: {'stay out' if is_out else 'decide'} without the outage budget",
                prefix_class=name,
            )


def _of_the_sessions(turn: Turn, now: float) -> Iterator[Wait]:
    world = turn.world
    if world.phase is lifecycle.Phase.DRAINING:
        for each, until in remnants.awaited(world, now).items():
            yield Wait(
                what=What.LOST_SESSION,
                until=until,
                then=f"{each.peer} can have no route any more of {_session(each.local)}",
            )
    for peer, since in world.leaving.items():
        yield Wait(
            what=What.LEAVING,
            until=since + stages.LEAVE_LIMIT,
            then=f"the session with {peer} ends, whether its withdrawals are acknowledged or not",
        )
    limits = [since + stages.LEAVE_LIMIT for since in world.leaving.values()]
    limits += [begun.since + reloads.RESET_LIMIT for begun in world.resets.values()]
    latest = max(limits, default=None)
    for name in sorted(stages.waiting(world, turn.decision.neighbors, turn.stage)):
        if latest is not None:
            yield Wait(
                what=What.TURN,
                until=latest,
                then=f"the session with {name} is made anew as it was edited, or before that",
            )


def _session(local: model.Address | None) -> str:
    return "a session with an earlier process" if local is None else f"its session with {local}"


def _of_the_rest(turn: Turn) -> Iterator[Wait]:
    world = turn.world
    if world.phase is lifecycle.Phase.SETTLING:
        yield Wait(
            what=What.SETTLE,
            until=drains.settled_at(world, turn.decision),
            then="the drain is over",
        )
    for key, since in world.in_use.away.items():
        yield Wait(
            what=What.LABEL,
            until=since + keeping.LABELS_KEPT_FOR,
            then=f"the label {key}, which the Node has no longer, selects no peer any more",
        )
    if world.succession is not None:
        yield Wait(
            what=What.SUCCESSION,
            until=world.succession.until,
            then="only the new Node's own labels and addresses count",
        )
