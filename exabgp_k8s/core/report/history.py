"""What changed between two decisions: what left, what came, and why.

A decision is made anew with every turn and is nearly always the one before. One that is worth
remembering is one by which a route leaves or comes for some router, or by which another reason
than before keeps a prefix back. A session that goes down or comes up is none: what this node
wants to say stays the same, and ``sessions`` tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import whose

Row = Mapping[str, Any]
Key = tuple[model.Address, model.Network]

NAMED = 16
"""Prefixes, peers and reasons that a change names; of more it says how many."""

ANNOUNCED, DEPRIORITISED, WITHDRAWN = "announced", "deprioritised", "withdrawn"
ALTERED, WITHHELD, GONE = "altered", "withheld", "no longer there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was decided, as far as one decision is told from another."""

    routes: Mapping[Key, model.Route] = field(default_factory=dict)
    withheld: Mapping[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    """By prefix, class and peer; the last is empty where it is about all of them."""


def held(world: World) -> Seen:
    """Return what an earlier process left in ExaBGP, as if it had just been decided."""
    return Seen(
        routes={
            (peer, prefix): route
            for peer, rib in (world.rib or {}).items()
            for prefix, route in rib.routes.items()
        }
    )


def seen(turn: Turn) -> Seen | None:
    """Return what is decided; None: too little is known for any decision."""
    if turn.decision.routes is None or turn.world.rib is None:
        return None
    return Seen(
        routes=turn.decision.routes,
        withheld={
            (str(each.prefix or ""), str(each.prefix_class), each.peer): tuple(
                str(cause) for cause in each.causes
            )
            for each in turn.decision.withheld
        },
    )


def touched(was: Seen, now: Seen) -> tuple[Key, ...]:
    """Return the routes that differ, for which an acknowledgement is to be awaited."""
    keys = was.routes.keys() | now.routes.keys()
    return tuple(key for key in keys if was.routes.get(key) != now.routes.get(key))


def changes(was: Seen, now: Seen, turn: Turn) -> list[Row]:
    """Return what changed, joined where only prefixes or peers differ; empty: nothing did."""
    classes = {each.prefix: str(each.prefix_class) for each in turn.decision.prefixes}
    found = [*_routes(was, now, turn, classes), *_reasons(was, now)]
    by_peers = _join(found, "peers")
    return [_bounded(row) for row in _join(by_peers, "prefixes")]


def _routes(
    was: Seen, now: Seen, turn: Turn, classes: Mapping[model.Network | None, str]
) -> Iterator[dict[str, Any]]:
    for key in sorted(touched(was, now), key=lambda each: (each[1].version, each[1], str(each))):
        peer, prefix = key
        named = whose.at(turn.world, peer)
        name = str(peer) if named is None else named.name
        kind = classes.get(prefix, "")
        before, after = _why(was, prefix, kind, name), _why(now, prefix, kind, name)
        yield {
            "change": _word(was.routes.get(key), now.routes.get(key)),
            "class": kind or None,
            "prefixes": (str(prefix),),
            "peers": (name,),
            "reasons": after,
            "ended": tuple(each for each in before if each not in after),
        }


def _why(seen_then: Seen, prefix: model.Network, kind: str, peer: str) -> tuple[str, ...]:
    found = (
        each
        for of, about in ((str(prefix), ""), (str(prefix), peer), ("", ""))
        for each in seen_then.withheld.get((of, kind, about), ())
    )
    return tuple(dict.fromkeys(found))


def _word(was: model.Route | None, now: model.Route | None) -> str:
    if now is None:
        return WITHDRAWN
    is_low = model.GRACEFUL_SHUTDOWN in now.attributes.communities
    was_low = was is not None and model.GRACEFUL_SHUTDOWN in was.attributes.communities
    if was is None or is_low != was_low:
        return DEPRIORITISED if is_low else ANNOUNCED
    return ALTERED


def _reasons(was: Seen, now: Seen) -> Iterator[dict[str, Any]]:
    """Yield what is kept back for another reason than before, and nothing of it left or came."""
    moved = {str(prefix) for _, prefix in touched(was, now)}
    for key in sorted(was.withheld.keys() | now.withheld.keys()):
        before, after = was.withheld.get(key, ()), now.withheld.get(key, ())
        prefix, kind, peer = key
        if before == after or prefix in moved:
            continue
        yield {
            "change": WITHHELD if after else GONE,
            "class": kind,
            "prefixes": (prefix,) if prefix else (),
            "peers": (peer,) if peer else (),
            "reasons": after,
            "ended": tuple(each for each in before if each not in after),
        }


def _join(found: Sequence[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    """Join rows that differ in this list only."""
    joined: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in found:
        same = tuple(value for name, value in row.items() if name != what)
        if same in joined:
            joined[same][what] = tuple(sorted({*joined[same][what], *row[what]}))
        else:
            joined[same] = dict(row)
    return list(joined.values())


def _bounded(row: dict[str, Any]) -> Row:
    names = ("prefixes", "peers", "reasons", "ended")
    return {
        **row,
        **{name: list(row[name][:NAMED]) for name in names},
        "more": {name: len(row[name]) - NAMED for name in names if len(row[name]) > NAMED},
    }


def awaited(turn: Turn, keys: Sequence[Key]) -> tuple[list[str], list[str]]:
    """Return which peers have not acknowledged yet, and of those that cannot, which are down.

    What counts is what counts everywhere: the UPDATE was seen, and nothing is pending.
    """
    world = turn.world
    open_at = {peer for peer, prefix in keys if _is_open(turn, peer, prefix)}
    down = {peer for peer, _ in keys if not world.is_up(peer)}
    return _names(world, open_at - down), _names(world, down)


def _is_open(turn: Turn, peer: model.Address, prefix: model.Network) -> bool:
    world = turn.world
    session, rib = world.sessions.get(peer), (world.rib or {}).get(peer)
    if session is None or rib is None or model.family_of(prefix) not in session.families:
        return False
    wanted = (turn.decision.routes or {}).get((peer, prefix))
    return world.awaits(peer, prefix) or rib.routes.get(prefix) != wanted


def _names(world: World, peers: set[model.Address]) -> list[str]:
    found = ((peer, whose.at(world, peer)) for peer in peers)
    return sorted(str(peer) if named is None else named.name for peer, named in found)[:NAMED]
