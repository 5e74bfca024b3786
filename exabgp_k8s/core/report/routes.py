"""Prefixes as plain rows: who has been sent them, who has not, and why.

The state of every prefix is ``announced.standings``' word; here it only becomes JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from exabgp_k8s.core.facts import extended, lifecycle, model
from exabgp_k8s.core.judge import rollout
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, waits

Row = Mapping[str, Any]


def standings(turn: Turn) -> tuple[announced.Standing, ...]:
    """Return every prefix with the routers that have been sent it."""
    return announced.standings(turn.world, turn.decision)


def rows(turn: Turn) -> list[Row]:
    """Return one row for each prefix and peer, sorted; what all peers lack has one row."""
    return [row for each in standings(turn) for row in _of(turn, each)]


def _of(turn: Turn, standing: announced.Standing) -> Iterator[Row]:
    spared = spared_by(turn, standing.prefix_class)
    for hearing in sorted(standing.hearings, key=lambda each: each.peer):
        is_common = hearing.causes == standing.causes
        if hearing.state is not announced.State.WITHHELD or not is_common:
            yield _row(standing, hearing, hearing.causes or spared)
    if standing.causes or not standing.hearings:
        yield _row(standing, None, standing.causes)


def _row(
    standing: announced.Standing,
    hearing: announced.Hearing | None,
    causes: Iterable[model.Cause],
) -> Row:
    route = hearing.route if hearing else None
    sent = route.attributes if route else model.Attributes()
    return {
        "prefix": None if standing.prefix is None else str(standing.prefix),
        "class": None if standing.prefix_class is None else str(standing.prefix_class),
        "peer": hearing.peer if hearing else None,
        "state": str(hearing.state if hearing else announced.State.WITHHELD),
        "next_hop": str(route.next_hop) if route else None,
        "communities": [f"{high}:{low}" for high, low in sent.communities],
        "large_communities": [
            ":".join(str(number) for number in each) for each in sent.large_communities
        ],
        "extended_communities": [extended.write(each) for each in sent.extended_communities],
        "med": sent.med,
        "local_pref": sent.local_pref,
        "as_path": list(sent.as_path),
        "reasons": [str(cause) for cause in causes],
    }


def summaries(found: Sequence[announced.Standing]) -> list[Row]:
    """Return one row for each prefix: how many of the routers meant were sent it."""
    return [
        {
            "prefix": None if each.prefix is None else str(each.prefix),
            "class": None if each.prefix_class is None else str(each.prefix_class),
            "state": str(each.summary),
            "sent": len(each.sent),
            "meant": each.meant,
            "lacking": _lacking(each),
            "still_at": {
                hearing.peer: str(hearing.state)
                for hearing in each.hearings
                if hearing.state in announced.LEAVING
            },
            "late": [hearing.peer for hearing in each.hearings if hearing.state in announced.LATE],
        }
        for each in found
    ]


def _lacking(standing: announced.Standing) -> Row:
    """Return for each router meant that has not been sent the prefix why not."""
    return {
        each.peer: ", ".join((str(each.state), *(str(cause) for cause in each.causes)))
        for each in standing.hearings
        if each.is_meant and each.state not in announced.SENT
    }


def spared_by(turn: Turn, prefix_class: model.PrefixClass | None) -> Iterable[model.Cause]:
    """Return why a class is announced although something speaks against it."""
    return () if prefix_class is None else turn.judgement.spared.get(prefix_class, ())


def why(turn: Turn, prefix: model.Network | None, now: float) -> list[Row]:
    """Return for each prefix whether it is announced and to whom, and if not, every reason.

    Args:
        turn: the latest turn.
        prefix: only what covers this one, such as an address; None: all of them.
        now: the time of asking.
    """
    return [
        _explain(turn, each, now)
        for each in standings(turn)
        if prefix is None or (each.prefix is not None and model.is_inside(prefix, each.prefix))
    ]


def _explain(turn: Turn, standing: announced.Standing, now: float) -> Row:
    (summary,) = summaries([standing])
    return {
        **summary,
        "announced_to": [each.peer for each in standing.sent],
        "bridged_by": _bridged(turn, standing),
        "waiting": {
            each.peer: str(each.state)
            for each in standing.hearings
            if each.state not in {*announced.SENT, announced.State.WITHHELD}
        },
        "held": {
            each.peer: [str(cause) for cause in each.causes]
            for each in standing.hearings
            if each.state is announced.State.HELD
        },
        "withheld": _withheld(turn, standing, now),
        "spared": [str(cause) for cause in spared_by(turn, standing.prefix_class)],
        "waits": waits.rows(waits.of_class(turn, standing.prefix_class, now), now),
    }


def _withheld(turn: Turn, standing: announced.Standing, now: float) -> list[Row]:
    world = turn.world
    return [
        {
            "reason": str(cause),
            "action": str(each.action),
            "peer": each.peer or None,
            "seconds": age(world.causes.get(cause), now),
            "remaining_seconds": waits.remaining(turn, each, cause, now),
        }
        for each in turn.decision.withheld
        if (each.prefix, each.prefix_class) == (standing.prefix, standing.prefix_class)
        for cause in each.causes
    ]


def _bridged(turn: Turn, standing: announced.Standing) -> list[str]:
    """Return the peers that keep their routes over the replacement of our pod."""
    if turn.world.stop is not lifecycle.Stop.ROLLOUT:
        return []
    held = {each.peer for each in standing.hearings if each.route is not None}
    return [
        neighbor.name
        for neighbor in turn.decision.neighbors or ()
        if neighbor.name in held and rollout.is_bridged(turn.world, neighbor)
    ]


def age(moment: float | None, now: float) -> float | None:
    """Return how long ago a moment was; None of None."""
    return None if moment is None else round(max(0.0, now - moment), 3)
