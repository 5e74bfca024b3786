"""What can go wrong around an agent and end again, and the line for either.

A pair of lines for each: one says what is wrong, the other that it is over. Which of them is due
is read from the present alone, so that it can be told late, when the log has room for it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exabgp_k8s.adapters import news
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import pod_ranges
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import bfd, elsewhere, rows

About = tuple[str, str]
"""What a line is about: the thing, and its name where there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How one thing is, and the line that says it."""

    about: About
    state: news.State
    event: str
    level: str
    fields: Mapping[str, object]


def _say(
    about: About, event: str, level: str, state: news.State = news.WELL, **fields: object
) -> Condition:
    return Condition(about=about, state=state, event=event, level=level, fields=fields)


def find(turn: Turn, edits: int) -> Iterator[Condition]:
    """Yield how everything is after a turn.

    Args:
        turn: the latest one.
        edits: how many edits of the settings have come into force.
    """
    yield _settings(turn.world, edits)
    yield _exabgp(turn.world)
    yield _kubernetes(turn.world)
    yield from _node(turn.world)
    yield _host(turn.world)
    yield _in_use(turn)
    yield _elsewhere(turn.world)
    yield _leases(turn.world)
    yield _budget(turn)
    yield from _checks(turn.world)
    yield from _held(turn)
    yield from _bfd(turn.world)


def _settings(world: World, edits: int) -> Condition:
    about, problems = ("settings", ""), world.config_problems
    if problems:
        return _say(
            about, "settings.refused", "error", problems,
            problems=list(problems), in_force="the last good",
        )  # fmt: skip
    return _say(about, "settings.changed", "info", (edits,) if edits else news.WELL)


def _exabgp(world: World) -> Condition:
    about, problem = ("exabgp", ""), world.daemon_problem
    if problem:
        return _say(about, "exabgp.refused", "error", (problem,), why=problem)
    return _say(about, "exabgp.accepted", "info")


def _kubernetes(world: World) -> Condition:
    about, problem = ("kubernetes", ""), world.kube_problem
    if problem:
        effect = "the last facts stand"
        return _say(about, "kubernetes.lost", "warning", (True,), why=problem, effect=effect)
    return _say(about, "kubernetes.regained", "info")


def _node(world: World) -> Iterator[Condition]:
    about = ("node", "")
    if not world.is_node_gone:
        yield _say(about, "node.found", "info")
    elif world.node is None:
        yield _say(about, "node.missing", "warning", ("missing",), node=world.node_name)
    else:
        yield _say(about, "node.deleted", "warning", ("deleted",), node=world.node_name)
    about, problems = ("node's words", ""), pod_ranges.misunderstood(world)
    if problems:
        yield _say(about, "node.misunderstood", "warning", problems, problems=list(problems))
    else:
        yield _say(about, "node.understood", "info")


def _host(world: World) -> Condition:
    about, problem = ("host", ""), world.host_problem
    if problem:
        effect = "what was seen before stands"
        return _say(about, "host.unseen", "warning", (True,), why=problem, effect=effect)
    return _say(about, "host.seen", "info")


def _in_use(turn: Turn) -> Condition:
    about = ("in use", "")
    found = sorted(
        f"{each.peer}: {each.cause}".removeprefix(": ")
        for each in turn.decision.missing
        if each.cause.reason is not model.Reason.HOST_UNSEEN
    )
    if found:
        effect = "what is in use goes on"
        return _say(about, "in-use.missing", "warning", (*found,), what=found, effect=effect)
    return _say(about, "in-use.found", "info")


def _elsewhere(world: World) -> Condition:
    about, found = ("pods", ""), sorted(elsewhere.interfaces(world))
    if found:
        why = elsewhere.sentence(world)
        return _say(about, "pods.elsewhere", "warning", (*found,), why=why)
    return _say(about, "pods.covered", "info")


def _leases(world: World) -> Condition:
    about, problem = ("leases", ""), world.budget.problem
    if problem:
        return _say(about, "budget.lost", "warning", (True,), why=problem)
    return _say(about, "budget.regained", "info")


def _budget(turn: Turn) -> Condition:
    about, spared = ("budget", ""), turn.judgement.spared
    reasons = sorted({str(cause) for found in spared.values() for cause in found})
    if spared:
        return _say(
            about, "budget.exhausted", "warning", (True, *reasons),
            why=reasons, budget=rows.budget(turn), effect="stays announced",
        )  # fmt: skip
    return _say(about, "budget.sufficient", "info")


def _checks(world: World) -> Iterator[Condition]:
    for name, found in world.checks.items():
        about, why = ("check", name), found.missed
        if why:
            effect = "it does not count"
            yield _say(
                about, "check.missed", "warning", (True,), check=name, why=why, effect=effect
            )
        else:
            yield _say(about, "check.resumed", "info", check=name)


def _held(turn: Turn) -> Iterator[Condition]:
    held = {
        each.name: each
        for each in turn.decision.peers_held
        if each.cause.reason is not model.Reason.NOT_SELECTED
    }
    for peer in turn.world.entries:
        about, address = ("peer", peer.name), peer.address and str(peer.address)
        if peer.name in held:
            why = str(held[peer.name].cause)
            yield _say(
                about, "peer.held", "error", (why,), peer=peer.name, address=address, why=why
            )
        else:
            yield _say(about, "peer.released", "info", peer=peer.name, address=address)


def _bfd(world: World) -> Iterator[Condition]:
    if world.bfd is None:
        return
    about, problem = ("bfd", ""), bfd.engine_problem(world)
    if problem:
        effect = "BGP and the routes go on without it"
        yield _say(about, "bfd.unknown", "warning", (problem,), why=problem, effect=effect)
    else:
        yield _say(about, "bfd.known", "info")
    down = {each.name for each in bfd.down(world)}
    for each in bfd.asking(world):
        about, why = ("bfd", each.name), bfd.problem(world, each.address)
        if each.name in down:
            yield _say(
                about, "bfd.lost", "warning", (why,),
                peer=each.name, address=str(each.address), why=why,
            )  # fmt: skip
        elif not why:
            yield _say(about, "bfd.up", "info", peer=each.name, address=str(each.address))
