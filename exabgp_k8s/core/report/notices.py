"""What is worth a Kubernetes Event on the Node: each change once, and never a state.

Whoever runs the cluster looks at the Node first: ``kubectl describe node`` shall say why it takes
no traffic. So what was said last is kept (``Told``) and compared with each turn. That a prefix is
withheld is said when it is decided; that it is announced, when the first router was sent it. A
state that passes by itself, such as a hold-down, is not said at all.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, report

SHOWN = 3
"""Problems of the settings that one notice quotes."""

INTENDED = model.PLANNED | {model.Reason.EXCLUDED}
"""Reasons that somebody set on purpose: no warning."""


class Kind(enum.StrEnum):
    """The types that a Kubernetes Event can have."""

    NORMAL = "Normal"
    WARNING = "Warning"


class Word(enum.StrEnum):
    """What happened: the ``reason`` of the Event, for people and for filters."""

    SETTINGS_REFUSED = "SettingsRefused"
    SETTINGS_ACCEPTED = "SettingsAccepted"
    EXABGP_REFUSED = "ExabgpRefused"
    EXABGP_ACCEPTED = "ExabgpAccepted"
    PEER_HELD = "PeerHeld"
    PEER_RELEASED = "PeerReleased"
    IN_USE_MISSING = "InUseMissing"
    IN_USE_FOUND = "InUseFound"
    SESSION_LOST = "SessionLost"
    SESSION_ESTABLISHED = "SessionEstablished"
    ROUTES_WITHDRAWN = "RoutesWithdrawn"
    ROUTES_WITHHELD = "RoutesWithheld"
    ROUTES_DEPRIORITISED = "RoutesDeprioritised"
    ROUTES_ANNOUNCED = "RoutesAnnounced"
    WITHDRAWAL_REFUSED = "WithdrawalRefused"
    WITHDRAWAL_SETTLED = "WithdrawalSettled"


SAID: Mapping[Word, str] = {
    Word.ROUTES_WITHDRAWN: "No longer announced",
    Word.ROUTES_WITHHELD: "Not announced",
    Word.ROUTES_DEPRIORITISED: "Announced as a last resort",
    Word.ROUTES_ANNOUNCED: "Announced",
}
"""How a notice about prefixes begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened, in a sentence for ``kubectl describe node``."""

    kind: Kind
    word: Word
    message: str


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
    missing: frozenset[model.Missing] = frozenset()
    """What is in use and cannot be found."""
    up: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    """The names of the peers whose session was up, and of those that then lost it."""
    spared: frozenset[model.Cause] = frozenset()
    """Causes that the outage budget keeps from withdrawing."""
    routes: Mapping[Key, State] | None = None
    """None: ExaBGP's table was not known yet."""


def tell(told: Told, turn: Turn) -> tuple[Told, tuple[Notice, ...]]:
    """Return what has been said after a turn, and what of it is new."""
    now = _look(told, turn)
    found = (
        *_settings(told, now),
        *_exabgp(told, now),
        *_held(told, now),
        *_missing(told, now),
        *_sessions(told, now, turn),
        *_budget(told, now),
        *_routes(told, now, turn),
    )
    return now, found


def _look(told: Told, turn: Turn) -> Told:
    """Return what is so now; of what is not known, what was so before."""
    world, neighbors = turn.world, turn.decision.neighbors
    now = dataclasses.replace(
        told,
        problems=world.config_problems,
        is_exabgp_refusing=bool(world.daemon_problem),
        spared=frozenset(cause for found in turn.judgement.spared.values() for cause in found),
    )
    if neighbors is None:
        return now
    known = {each.name: world.sessions.get(each.address) for each in neighbors}
    up = frozenset(name for name, session in known.items() if session and session.is_up)
    down = frozenset(name for name, session in known.items() if session and not session.is_up)
    # A pod that ends closes its sessions on purpose.
    lost = frozenset() if world.is_stopping else told.up & down
    return dataclasses.replace(
        now,
        held={each.name: each.cause for each in report.peers_held(turn)},
        missing=frozenset(turn.decision.missing),
        up=up,
        lost=lost | (told.lost & down),
        routes=_states(told, turn),
    )


def _settings(told: Told, now: Told) -> Iterator[Notice]:
    problems = now.problems
    if problems and problems != told.problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        yield _warning(
            Word.SETTINGS_REFUSED,
            "The edited settings are refused and the last good ones stay in force: "
            f"{'; '.join(problems[:SHOWN])}{more}",
        )
    elif told.problems and not problems:
        yield _normal(Word.SETTINGS_ACCEPTED, "The settings are good again and in force")


def _exabgp(told: Told, now: Told) -> Iterator[Notice]:
    if now.is_exabgp_refusing and not told.is_exabgp_refusing:
        # Not in ExaBGP's own words: they may quote a line that holds a password.
        yield _warning(
            Word.EXABGP_REFUSED,
            "ExaBGP refused the configuration made from the settings and goes on with the one"
            " it has; the log of this node's pod says why",
        )
    elif told.is_exabgp_refusing and not now.is_exabgp_refusing:
        yield _normal(Word.EXABGP_ACCEPTED, "ExaBGP took its configuration again")


def _held(told: Told, now: Told) -> Iterator[Notice]:
    held = [f"{name} ({why})" for name, why in now.held.items() if told.held.get(name) != why]
    if held:
        yield _warning(Word.PEER_HELD, f"Held back, no BGP session is tried: {', '.join(held)}")
    released = [name for name in told.held if name not in now.held]
    if released:
        yield _normal(Word.PEER_RELEASED, f"No longer held back: {', '.join(released)}")


def _missing(told: Told, now: Told) -> Iterator[Notice]:
    if new := now.missing - told.missing:
        names = sorted(f"{each.peer or 'this node'} ({each.cause})" for each in new)
        yield _warning(
            Word.IN_USE_MISSING,
            f"Not to be found, and what is in use goes on without it: {', '.join(names)}",
        )
    elif told.missing and not now.missing:
        yield _normal(Word.IN_USE_FOUND, "Everything that is in use can be found again")


def _sessions(told: Told, now: Told, turn: Turn) -> Iterator[Notice]:
    for each in turn.decision.neighbors or ():
        peer = f"{each.name} ({each.address})"
        if each.name in now.lost - told.lost:
            why = turn.world.sessions[each.address].problem or "no reason was given"
            yield _warning(Word.SESSION_LOST, f"The BGP session with {peer} is lost: {why}")
        elif each.name in told.lost & now.up:
            yield _normal(
                Word.SESSION_ESTABLISHED, f"The BGP session with {peer} is established again"
            )


def _budget(told: Told, now: Told) -> Iterator[Notice]:
    if new := sorted(now.spared - told.spared):
        yield _warning(
            Word.WITHDRAWAL_REFUSED,
            "Announced although a withdrawal is due, because too many nodes are out already or"
            f" it is not known how many: {', '.join(str(cause) for cause in new)}",
        )
    elif told.spared and not now.spared:
        yield _normal(
            Word.WITHDRAWAL_SETTLED, "The outage budget keeps nothing announced any more"
        )


def _routes(told: Told, now: Told, turn: Turn) -> Iterator[Notice]:
    """Yield one notice for all prefixes that share what happened to them and why."""
    groups: dict[tuple[Word, tuple[str, ...]], list[str]] = {}
    for key, state in (now.routes or {}).items():
        was = (told.routes or {}).get(key)
        # What an earlier agent announced, and nobody took back, is no news of this one.
        is_inherited = told.routes is None and state is not State.WITHHELD
        if state is was or is_inherited:
            continue
        what = " ".join(str(part) for part in key if part is not None)
        causes = () if state is State.ANNOUNCED else _causes(turn, key)
        groups.setdefault((_word(was, state), causes), []).append(what)
    for (word, causes), prefixes in groups.items():
        yield _of_routes(word, ", ".join(prefixes), causes)


def _word(was: State | None, state: State) -> Word:
    match state:
        case State.ANNOUNCED:
            return Word.ROUTES_ANNOUNCED
        case State.DEPRIORITISED:
            return Word.ROUTES_DEPRIORITISED
        case State.WITHHELD:
            return Word.ROUTES_WITHHELD if was is None else Word.ROUTES_WITHDRAWN


def _of_routes(word: Word, prefixes: str, causes: tuple[str, ...]) -> Notice:
    because = f"; because of {', '.join(causes)}" if causes else ""
    is_intended = all(cause.partition(":")[0] in INTENDED for cause in causes)
    return Notice(
        kind=Kind.NORMAL if is_intended else Kind.WARNING,
        word=word,
        message=f"{SAID[word]} to the routers: {prefixes}{because}",
    )


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
    if not is_wanted and _causes(turn, key):
        return State.WITHHELD
    match heard.get(key):
        case announced.Summary.ANNOUNCED:
            return State.ANNOUNCED
        case announced.Summary.DEPRIORITISED:
            return State.DEPRIORITISED
        case _:
            return None


def _causes(turn: Turn, key: Key) -> tuple[str, ...]:
    """Return why a prefix is not announced as usual, without what passes by itself."""
    found = {
        cause: None
        for each in turn.decision.withheld
        if (each.prefix_class, each.prefix) == key
        for cause in each.causes
        if cause.reason not in model.PASSING
    }
    return tuple(str(cause) for cause in found)


def _normal(word: Word, message: str) -> Notice:
    return Notice(kind=Kind.NORMAL, word=word, message=message)


def _warning(word: Word, message: str) -> Notice:
    return Notice(kind=Kind.WARNING, word=word, message=message)
