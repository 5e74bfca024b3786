"""What was said last, and what there is to be said now: the difference becomes notices.

That a prefix is withheld is said when it is decided; that it is announced, when the first router
was sent it. A state that passes by itself, such as a hold-down, is not said at all.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import absences, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, bfd, elsewhere, rows


class State(enum.Enum):
    """What was said last of a prefix."""

    WITHHELD = enum.auto()
    DEPRIORITISED = enum.auto()
    ANNOUNCED = enum.auto()


Key = tuple[model.PrefixClass, model.Network | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was said so far; an agent begins with nothing."""

    problems: tuple[str, ...] = ()
    is_exabgp_refusing: bool = False
    held: Mapping[str, model.Cause] = field(default_factory=dict)
    missing: frozenset[absences.Missing] = frozenset()
    """What is in use and cannot be found."""
    up: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    """The names of the peers whose session was up, and of those that then lost it."""
    bfd_lost: frozenset[str] = frozenset()
    """The names of the peers whose BFD is not up, until it has been up for a while."""
    elsewhere: frozenset[str] = frozenset()
    """The interfaces behind which pods have addresses that are not announced."""
    spared: frozenset[model.Cause] = frozenset()
    """Causes that the outage budget keeps from withdrawing."""
    routes: Mapping[Key, State] | None = None
    """None: ExaBGP's table was not known yet."""


def look(told: Told, turn: Turn) -> Told:
    """Return what is so now; of what is not known, what was so before."""
    world, neighbors = turn.world, turn.decision.neighbors
    now = dataclasses.replace(
        told,
        problems=world.config_problems,
        is_exabgp_refusing=bool(world.daemon_problem),
        elsewhere=elsewhere.interfaces(world),
        bfd_lost=_bfd_lost(told, world),
        spared=frozenset(cause for found in turn.judgement.spared.values() for cause in found),
    )
    if neighbors is None:
        return now
    known = {each.name: world.session_of(each.name, each.address) for each in neighbors}
    up = frozenset(name for name, session in known.items() if session and session.is_up)
    down = frozenset(name for name, session in known.items() if session and not session.is_up)
    # A pod that ends closes its sessions on purpose.
    lost = frozenset() if world.is_stopping else told.up & down
    return dataclasses.replace(
        now,
        held={each.name: each.cause for each in rows.peers_held(turn)},
        missing=frozenset(turn.decision.missing),
        up=up,
        lost=lost | (told.lost & down),
        routes=_states(told, turn),
    )


def _bfd_lost(told: Told, world: World) -> frozenset[str]:
    if world.bfd is None or world.is_stopping:
        # A pod that ends has its sessions end on purpose.
        return told.bfd_lost
    # What comes and goes is lost until it stays: one notice, and no flood of them.
    steady = {each.name for each in bfd.steady(world)}
    asking = {each.name for each in bfd.asking(world)}
    return (told.bfd_lost & asking - steady) | {each.name for each in bfd.down(world)}


def _states(told: Told, turn: Turn) -> Mapping[Key, State] | None:
    """Return the state of each prefix; where it is passing, the one before stays."""
    if turn.world.rib is None:
        return told.routes
    before = told.routes or {}
    is_waiting = told.routes is not None and _is_sending(turn)
    heard = {} if is_waiting else _heard(turn)
    found = {}
    for each in turn.decision.prefixes:
        key = (each.prefix_class, each.prefix)
        state = _state(turn, key, heard) or before.get(key)
        if state is not None:
            found[key] = state
    return found


def _is_sending(turn: Turn) -> bool:
    """Return whether more goes out right now: it all becomes one notice at the end."""
    return bool(turn.commands) or any(held.pending for held in (turn.world.rib or {}).values())


def _heard(turn: Turn) -> Mapping[Key, announced.Summary]:
    return {
        (each.prefix_class, each.prefix): each.summary
        for each in announced.standings(turn.world, turn.decision)
        if each.prefix_class is not None
    }


def _state(turn: Turn, key: Key, heard: Mapping[Key, announced.Summary]) -> State | None:
    is_wanted = any(key[1] == wanted for _, wanted in turn.decision.routes or ())
    if not is_wanted and reasons(turn, key):
        return State.WITHHELD
    match heard.get(key):
        case announced.Summary.ANNOUNCED:
            return State.ANNOUNCED
        case announced.Summary.DEPRIORITISED:
            return State.DEPRIORITISED
        case _:
            return None


def reasons(turn: Turn, key: Key) -> tuple[str, ...]:
    """Return why a prefix is not announced as usual, without what passes by itself."""
    found = {
        cause: None
        for each in turn.decision.withheld
        if (each.prefix_class, each.prefix) == key
        for cause in each.causes
        if cause.reason not in model.PASSING
    }
    return tuple(str(cause) for cause in found)
