"""The walk of ``try``: each step a real cause, and what the router must then have.

A step is over when the router's own table says so, not when some time has passed. A step that
does not come true in time ends the walk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from exabgp_k8s.tryout import part, router, view
from exabgp_k8s.tryout.stage import CHECK, NODE, PODS, SERVICES, Interrupted, Stage, TryFailed

LIMIT = 30.0
"""Seconds for a step to come true at the router; a few milliseconds, or a second, are usual."""
START_LIMIT = 120.0
"""Seconds for four interpreters to start, on a machine that is busy."""

QUIET = 0.4
"""Seconds that the table must then stay as it is: right in passing is not right. A withdrawal
straight after an announcement would also meet TCP's delayed acknowledgement, of 40 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A cause that was just set: when, and the process that must end well for it, if one must."""

    at: float
    process: part.Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One cause and its effect at the router."""

    title: str
    happening: str
    """What a person would type, after a prompt, or what happens by itself."""
    cause: str
    """The same in a few words, for the summary."""
    act: Callable[[], Begun]
    expected: router.Table
    """What the router has in the end; of the next hops only that there are some."""
    remark: Callable[[view.Outcome], str]
    """What to learn from it."""
    limit: float = LIMIT


def walk(stage: Stage, show: view.View, *, keep: bool) -> list[view.Outcome]:
    """Take every step and return the outcomes.

    Args:
        stage: a fresh one.
        show: is told everything as it happens.
        keep: announce again after the drain, and stay until told to end.

    Raises:
        Interrupted: somebody wants us to end.
        TryFailed: a step did not come true, or a part ended that should run.
    """
    makes = [_start, _cordon, _uncordon, _fail, _recover, _drain]
    if keep:
        makes.append(_undrain)
    outcomes = [_take(stage, show, number, make(stage)) for number, make in enumerate(makes, 1)]
    if keep:
        show.keep(stage)
        _linger(stage, show)
    outcomes.append(_take(stage, show, len(makes) + 1, _stop(stage)))
    return outcomes


def _take(stage: Stage, show: view.View, number: int, step: Step) -> view.Outcome:
    show.step(number, step.title, step.happening)
    before = stage.table
    begun = step.act()
    changed_at, ended_at = _follow(stage, show, step, begun)
    if begun.process is not None and begun.process.code:
        raise TryFailed(f"{begun.process.name} ended with exit code {begun.process.code}")
    outcome = view.Outcome(
        cause=step.cause,
        changes=view.changes(before, stage.table),
        begun_at=begun.at,
        changed_at=changed_at,
        ended_at=ended_at,
    )
    show.remark(step.remark(outcome))
    return outcome


def _follow(stage: Stage, show: view.View, step: Step, begun: Begun) -> tuple[float, float]:
    """Show what changes until all is as expected; return when it last did, and when it was."""
    changed_at, right_since = begun.at, None
    while True:
        now = time.monotonic()
        if not _is_true(stage.table, step.expected, begun.process):
            right_since = None
            if now > begun.at + step.limit:
                raise TryFailed(_not_true(stage.table, step))
        elif right_since is None:
            right_since = now
        elif now >= right_since + QUIET:
            return changed_at, right_since
        was = stage.table
        report = stage.next()
        if report is not None:
            show.change(was, report.table, report.at - begun.at)
            # What counts is the routes; the session does where it is all that changes.
            if report.table.routes != was.routes or changed_at == begun.at:
                changed_at = report.at


def _is_true(table: router.Table, expected: router.Table, process: part.Part | None) -> bool:
    return (
        table.is_up == expected.is_up
        and table.routes.keys() == expected.routes.keys()
        and (process is None or process.code is not None)
    )


def _not_true(table: router.Table, step: Step) -> str:
    return (
        f"not within {step.limit:g} s: the router should have {view.sentence(step.expected)}, "
        f"and it has {view.sentence(table)}"
    )


def _linger(stage: Stage, show: view.View) -> None:
    """Show what changes at the router until somebody wants us to end."""
    try:
        while True:
            was = stage.table
            report = stage.next()
            if report is not None:
                show.change(was, report.table, None)
    except Interrupted:
        return


def _having(stage: Stage, *prefixes: str) -> router.Table:
    return router.Table(is_up=True, routes=dict.fromkeys(prefixes, stage.address))


def _start(stage: Stage) -> Step:
    def act() -> Begun:
        begun = Begun(at=time.monotonic())
        stage.start_node()
        return begun

    return Step(
        title="The node starts",
        happening=stage.shorten(f"$ exabgp-k8s {' '.join(stage.run_command)}"),
        cause="exabgp-k8s run",
        act=act,
        expected=_having(stage, SERVICES, PODS),
        remark=lambda _: (
            "Most of that time Python starts. The service range is the same from every node, so "
            "the router spreads over all of them (ECMP); the pod range is this node's alone."
        ),
        limit=START_LIMIT,
    )


def _cordon(stage: Stage) -> Step:
    return Step(
        title="Somebody cordons the node",
        happening=f"$ kubectl cordon {NODE}",
        cause=f"kubectl cordon {NODE}",
        act=lambda: _set_cordon(stage, is_cordoned=True),
        expected=_having(stage),
        remark=lambda outcome: (
            f"Withdrawn at the router {view.duration(outcome.seconds)} after the change at the "
            "API server. `withdraw: {cordoned: keep}` in the settings turns that off."
        ),
    )


def _uncordon(stage: Stage) -> Step:
    return Step(
        title="It is uncordoned",
        happening=f"$ kubectl uncordon {NODE}",
        cause=f"kubectl uncordon {NODE}",
        act=lambda: _set_cordon(stage, is_cordoned=False),
        expected=_having(stage, SERVICES, PODS),
        remark=lambda _: (
            "Leaving is immediate, coming back waits: a hold-down of 1 s, longer for a node that "
            "keeps flapping, because every change moves connections."
        ),
    )


def _set_cordon(stage: Stage, *, is_cordoned: bool) -> Begun:
    begun = Begun(at=time.monotonic())
    stage.api.cordon(NODE, is_cordoned)
    return begun


def _fail(stage: Stage) -> Step:
    return Step(
        title="kube-proxy fails",
        happening=f"{stage.health.url} answers 503 from now on",
        cause=f"check {CHECK} fails",
        act=lambda: _set_health(stage, is_ok=False),
        expected=_having(stage, PODS),
        remark=lambda outcome: (
            "The time is that of two failed probes, 200 ms apart; from the second answer to the "
            f"withdrawal it took {view.duration(_since_last_failure(stage, outcome))}. "
            "The pod range stays: the check says `affects: [services]`, as kube-proxy's preset "
            "does, because pods have no other way in."
        ),
    )


def _since_last_failure(stage: Stage, outcome: view.Outcome) -> float:
    answered = [at for at in stage.health.failures if at <= outcome.changed_at]
    return outcome.changed_at - max(answered, default=outcome.begun_at)


def _recover(stage: Stage) -> Step:
    return Step(
        title="kube-proxy is back",
        happening=f"{stage.health.url} answers 200 again",
        cause=f"check {CHECK} recovers",
        act=lambda: _set_health(stage, is_ok=True),
        expected=_having(stage, SERVICES, PODS),
        remark=lambda _: "Two good probes, then the hold-down.",
    )


def _set_health(stage: Stage, *, is_ok: bool) -> Begun:
    begun = Begun(at=time.monotonic())
    stage.health.is_ok = is_ok
    return begun


def _drain(stage: Stage) -> Step:
    return Step(
        title="The node is to be rebooted",
        happening=stage.shorten(f"$ exabgp-k8s drain --wait --state-dir {stage.state_dir}"),
        cause="exabgp-k8s drain --wait",
        act=lambda: _command(stage, "drain", "--wait"),
        expected=_having(stage),
        remark=lambda outcome: (
            f"It returned after {view.duration(outcome.ended_at - outcome.begun_at)}, its own "
            "start included: withdrawn, acknowledged, and one second more for the routers to "
            "forward differently. From here on no router uses the node. In the pod this is the "
            "preStop hook."
        ),
    )


def _undrain(stage: Stage) -> Step:
    return Step(
        title="The drain is taken back",
        happening=stage.shorten(f"$ exabgp-k8s undrain --state-dir {stage.state_dir}"),
        cause="exabgp-k8s undrain",
        act=lambda: _command(stage, "undrain"),
        expected=_having(stage, SERVICES, PODS),
        remark=lambda _: "As after every leave, the hold-down comes first.",
    )


def _command(stage: Stage, name: str, *arguments: str) -> Begun:
    begun = time.monotonic()
    process = stage.command(name, (name, *arguments, "--state-dir", str(stage.state_dir)))
    return Begun(at=begun, process=process)


def _stop(stage: Stage) -> Step:
    def act() -> Begun:
        begun = Begun(at=time.monotonic(), process=stage.node)
        stage.node.terminate()
        return begun

    return Step(
        title="The pod is stopped",
        happening="exabgp-k8s run gets SIGTERM, as kubelet sends it",
        cause="SIGTERM",
        act=act,
        expected=router.Table(),
        remark=lambda _: (
            "Whatever is still announced is withdrawn before the session closes, so no router "
            "keeps a dead next hop. All processes of the node have ended."
        ),
    )
