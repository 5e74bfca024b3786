"""What is worth a Kubernetes Event on the Node: each change once, and never a state.

Whoever runs the cluster looks at the Node first: ``kubectl describe node`` shall say why it takes
no traffic. So what was said last is kept and compared with each turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import bfd, elsewhere
from exabgp_k8s.core.report.notice import Kind, Notice, Word
from exabgp_k8s.core.report.told import State, Told, look, reasons

SHOWN = 3
"""Problems of the settings that one notice quotes."""

INTENDED = model.PLANNED | {model.Reason.EXCLUDED}
"""Reasons that somebody set on purpose: no warning."""


SAID: Mapping[Word, str] = {
    Word.ROUTES_WITHDRAWN: "No longer announced",
    Word.ROUTES_WITHHELD: "Not announced",
    Word.ROUTES_DEPRIORITISED: "Announced as a last resort",
    Word.ROUTES_ANNOUNCED: "Announced",
}
"""How a notice about prefixes begins."""


def tell(told: Told, turn: Turn) -> tuple[Told, tuple[Notice, ...]]:
    """Return what has been said after a turn, and what of it is new."""
    now = look(told, turn)
    found = (
        *_settings(told, now),
        *_exabgp(told, now),
        *_held(told, now),
        *_missing(told, now),
        *_sessions(told, now, turn),
        *_bfd(told, now, turn),
        *_elsewhere(told, now, turn),
        *_budget(told, now),
        *_routes(told, now, turn),
    )
    return now, found


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


def _bfd(told: Told, now: Told, turn: Turn) -> Iterator[Notice]:
    if told.bfd_lost == now.bfd_lost:
        return
    steady = {each.name for each in bfd.steady(turn.world)}
    for each in turn.decision.neighbors or ():
        peer = f"{each.name} ({each.address})"
        if each.name in now.bfd_lost - told.bfd_lost:
            why = bfd.problem(turn.world, each.address) or "up again for a moment"
            yield _warning(
                Word.BFD_LOST,
                f"BFD with {peer} is not up: {why}. A router that watches it drops the BGP"
                " session; this node changes nothing",
            )
        elif each.name in (told.bfd_lost - now.bfd_lost) & steady:
            yield _normal(Word.BFD_UP, f"BFD with {peer} is up again")


def _elsewhere(told: Told, now: Told, turn: Turn) -> Iterator[Notice]:
    if now.elsewhere - told.elsewhere:
        yield _warning(Word.PODS_ELSEWHERE, elsewhere.sentence(turn.world))
    elif told.elsewhere and not now.elsewhere:
        yield _normal(Word.PODS_COVERED, "No pod is seen outside of the announced ranges any more")


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
        causes = () if state is State.ANNOUNCED else reasons(turn, key)
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


def _normal(word: Word, message: str) -> Notice:
    return Notice(kind=Kind.NORMAL, word=word, message=message)


def _warning(word: Word, message: str) -> Notice:
    return Notice(kind=Kind.WARNING, word=word, message=message)
