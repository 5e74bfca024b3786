"""How long it took from a cause until the routers had been sent all that followed from it.

The time from a decision to its acknowledgement says how fast we are; this one says how long the
routers still send traffic to a node that should have none, and everything is in it: a check that
has to fail several times, the wait for a slot of the outage budget, a hold of the settings.

A cause begins when this node could know of it: the watch's line has arrived, the first of the
failed runs has begun, somebody has asked for a drain, a session has come up, an edit of the
settings has been found. It ends with the UPDATE that ExaBGP reports for the last of the routers
that are up. What is taken back before that is not measured, and neither is a return: that waits
for its hold-down on purpose.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import history

LIMIT = 64
"""Reactions that are under way at most; what is beyond is not measured."""


class Kind(enum.StrEnum):
    """Where a cause comes from."""

    NODE = "node"
    HEALTH = "health"
    DRAIN = "drain"
    SESSION = "session"
    SETTINGS = "settings"


OF_THE_OPERATOR = "drain"
"""The detail of the cause that is asked for on the command line; the other one is the Node's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Something that follows from a cause, and that not every router was sent yet."""

    kind: Kind
    since: float
    wanted: Mapping[history.Key, model.Route | None]
    """None: it is to be withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is remembered between two turns."""

    began: Mapping[model.Cause, float] = field(default_factory=dict)
    """When each cause that stands began, which may be before it counted."""
    under_way: tuple[Reaction, ...] = ()


Done = tuple[Kind, float]
"""What kind of cause it was, and the seconds that it took."""


def look(
    watched: Watched, before: Turn, after: Turn, *, arrived: float, now: float
) -> tuple[Watched, tuple[Done, ...]]:
    """Return what is remembered from now on, and what has come to its end.

    Args:
        watched: what was remembered.
        before: the turn before.
        after: the latest one.
        arrived: when that came in which led to it.
        now: the present time.
    """
    began = watched.began
    if after.world.causes is not before.world.causes:
        began = {
            cause: began.get(cause, _moment(after.world, cause, arrived))
            for cause in after.world.causes
        }
    found = (*watched.under_way, *_begun(began, before, after, arrived))[:LIMIT]
    if not found:
        return Watched(began=began), ()
    standing = [each for each in found if _is_standing(each, after)]
    open_ = tuple(each for each in standing if _is_open(each, after))
    done = tuple((each.kind, now - each.since) for each in standing if each not in open_)
    return Watched(began=began, under_way=open_), done


def worse(before: Turn, after: Turn) -> tuple[model.PrefixClass, ...]:
    """Return the classes for which something worse is in force than before."""
    was, severity = before.judgement.actions, model.SEVERITY
    return tuple(
        each
        for each, action in after.judgement.actions.items()
        if each in was and severity[action] > severity[was[each]]
    )


def _moment(world: World, cause: model.Cause, arrived: float) -> float:
    check = world.checks.get(cause.detail) if cause.reason is model.Reason.UNHEALTHY else None
    if check is not None and check.failing_since is not None:
        return check.failing_since
    return arrived


def _kind(cause: model.Cause) -> Kind:
    match cause.reason:
        case model.Reason.UNHEALTHY:
            return Kind.HEALTH
        case model.Reason.STOPPING:
            return Kind.DRAIN
        case model.Reason.OPERATOR if cause.detail == OF_THE_OPERATOR:
            return Kind.DRAIN
        case _:
            return Kind.NODE


def _begun(
    began: Mapping[model.Cause, float], before: Turn, after: Turn, arrived: float
) -> Iterator[Reaction]:
    """Yield what this turn begins."""
    if before.decision.routes is None or after.decision.routes is None:
        return
    if left := worse(before, after):
        yield from _leaving(left, began, before, after)
    elif after.world.config is not before.world.config:
        yield from _changed(Kind.SETTINGS, before, after, arrived)
    elif after.world.node is not before.world.node:
        yield from _changed(Kind.NODE, before, after, arrived)
    if after.world.sessions is not before.world.sessions:
        yield from _up(before, after, arrived)


def _leaving(
    left: tuple[model.PrefixClass, ...],
    began: Mapping[model.Cause, float],
    before: Turn,
    after: Turn,
) -> Iterator[Reaction]:
    """Yield what leaves, by the cause that came last: those before it were not enough."""
    classes = {each.prefix: each.prefix_class for each in before.decision.prefixes}
    touched = _touched(before, after)
    of_cause: dict[model.Cause, dict[history.Key, model.Route | None]] = {}
    for prefix_class in left:
        action = after.judgement.actions[prefix_class]
        asked = after.judgement.asked.get(prefix_class, ())
        causes = [each.cause for each in asked if each.action is action and each.cause in began]
        if causes:
            of_cause.setdefault(max(causes, key=began.__getitem__), {}).update(
                (key, wanted)
                for key, wanted in touched.items()
                if classes.get(key[1]) is prefix_class
            )
    for cause, wanted in of_cause.items():
        if wanted:
            yield Reaction(kind=_kind(cause), since=began[cause], wanted=wanted)


def _changed(kind: Kind, before: Turn, after: Turn, arrived: float) -> Iterator[Reaction]:
    if touched := _touched(before, after):
        yield Reaction(kind=kind, since=arrived, wanted=touched)


def _up(before: Turn, after: Turn, arrived: float) -> Iterator[Reaction]:
    for peer, session in after.world.sessions.items():
        was = before.world.sessions.get(peer)
        if not session.is_up or (was is not None and was.times_up == session.times_up):
            continue
        routes = after.decision.routes or {}
        wanted = {key: route for key, route in routes.items() if key[0] == peer}
        if wanted:
            yield Reaction(kind=Kind.SESSION, since=arrived, wanted=wanted)


def _touched(before: Turn, after: Turn) -> dict[history.Key, model.Route | None]:
    was, now = before.decision.routes or {}, after.decision.routes or {}
    return {key: now.get(key) for key in was.keys() | now.keys() if was.get(key) != now.get(key)}


def _is_standing(reaction: Reaction, turn: Turn) -> bool:
    """Return whether the same is wanted still, and some router is there to be told."""
    routes = turn.decision.routes or {}
    return all(routes.get(key) == wanted for key, wanted in reaction.wanted.items()) and any(
        turn.world.is_up(peer) for peer, _ in reaction.wanted
    )


def _is_open(reaction: Reaction, turn: Turn) -> bool:
    world = turn.world
    for peer in {peer for peer, _ in reaction.wanted}:
        rib = (world.rib or {}).get(peer)
        # What is stored for a session that has just come up is sent by the flush.
        if world.is_up(peer) and (rib is None or not rib.is_flushed):
            return True
    return bool(history.awaited(turn, tuple(reaction.wanted))[0])
