"""Prometheus metrics: a projection of the latest turn, and a tally of what turns leave behind.

Gauges are made from the same rows that ``status`` shows, when somebody asks; nothing is updated
in place, so nothing can disagree with what was decided.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence

import exabgp_k8s
from exabgp_k8s import restarts
from exabgp_k8s.adapters import own_processes, tally
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.checks import Health
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, rows
from exabgp_k8s.wire import exposition

CONTENT_TYPE = exposition.CONTENT_TYPE


class Metrics:
    """A collector over the latest turn.

    Args:
        latest: the latest turn.
        clock: the present time, of the turns.
        restarted: how often which process was started anew, and why.
    """

    def __init__(
        self,
        latest: Callable[[], Turn],
        clock: Callable[[], float],
        restarted: Callable[[], restarts.Counts] = dict,
    ) -> None:
        self._latest, self._clock, self._restarted = latest, clock, restarted
        self._tally = tally.Tally()

    def note(self, before: Turn, after: Turn, arrived: float, now: float) -> None:
        """Count and time what a turn changed; ``arrived`` is when its event came in."""
        self._tally.note(before, after, arrived, now)

    def render(self) -> bytes:
        """Return the text exposition of everything."""
        return exposition.text(self.families())

    def families(self) -> Iterator[exposition.Family]:
        """Yield everything as of the latest turn."""
        turn, now = self._latest(), self._clock()
        sessions = rows.sessions(turn, now)
        yield from _program(self._tally, self._restarted())
        yield from _sessions(sessions)
        yield from _tallied(self._tally)
        yield from _routes(turn)
        yield from _bfd(turn, sessions)
        yield from _checks(turn, now)
        yield from _node(turn, now)
        yield from _settings(turn, self._tally)
        yield from _budget(turn)


def _gauge(name: str, text: str, labels: Sequence[str]) -> exposition.Family:
    return exposition.Family(name=f"exabgp_k8s_{name}", type="gauge", help=text, labels=labels)


def _counter(name: str, text: str, labels: Sequence[str]) -> exposition.Family:
    return exposition.Family(name=f"exabgp_k8s_{name}", type="counter", help=text, labels=labels)


def _program(counted: tally.Tally, restarted: restarts.Counts) -> Iterator[exposition.Family]:
    build = _gauge("build_info", "1, with the version that runs.", ["version"])
    build.add([exabgp_k8s.__version__], 1)
    started = _gauge(
        "agent_start_time_seconds", "When the agent started, in seconds since 1970.", []
    )
    started.add([], counted.started)
    again = _counter(
        "restarts", "Processes of this pod that were started anew.", ["process", "reason"]
    )
    for labels, count in restarted.items():
        again.add(list(labels), count)
    resident = _gauge(
        "process_resident_bytes", "Memory of a process of this pod, shared pages too.", ["process"]
    )
    seconds = _counter(
        "process_cpu_seconds", "Processor time of a process of this pod.", ["process"]
    )
    for each in own_processes.look():
        resident.add([each.process], each.resident)
        seconds.add([each.process], each.seconds)
    yield from (build, started, again, resident, seconds)


def _tallied(counted: tally.Tally) -> Iterator[exposition.Family]:
    """Yield what is counted and timed."""
    lost = _counter(
        "session_lost",
        "Sessions that ended since the agent started, by NOTIFICATION.",
        ["peer", "reason"],
    )
    for labels, count in sorted(counted.lost.items()):
        lost.add(list(labels), count)
    leaves = _counter(
        "leaves", "Times the class was withdrawn or deprioritised for a cause.", ["class"]
    )
    for prefix_class, count in counted.leaves.items():
        leaves.add([str(prefix_class)], count)
    yield from (lost, leaves)
    yield _timings(
        "withdraw_seconds",
        "From the decision to withdraw to its acknowledgement by every peer that is up.",
        "class",
        counted.withdrawals.items(),
    )
    yield _timings(
        "reaction_seconds",
        "From the moment a cause could be known to the acknowledgement of all that followed.",
        "cause",
        counted.reactions.items(),
    )


def _timings(
    name: str, text: str, label: str, found: Iterable[tuple[str, tally.Timing]]
) -> exposition.Family:
    family = exposition.Family(
        name=f"exabgp_k8s_{name}", type="histogram", help=text, labels=[label]
    )
    for key, timing in found:
        family.add_timing([str(key)], list(timing.buckets()), timing.total)
    return family


def _sessions(found: Sequence[rows.Row]) -> Iterator[exposition.Family]:
    up = _gauge("session_up", "1 while the session is Established, else 0.", ["peer"])
    seconds = _gauge("session_seconds", "Seconds since session_up last changed.", ["peer"])
    sent = _gauge("session_prefixes_sent", "Prefixes in the peer's adj-rib-out.", ["peer"])
    times = _counter("session_established", "Times the session came up.", ["peer"])
    flaps = _counter("session_flaps", "Times the session was up and then was lost.", ["peer"])
    for row in found:
        up.add([row["peer"]], float(row["up"]))
        seconds.add([row["peer"]], row["seconds"] or 0)
        sent.add([row["peer"]], row["prefixes_sent"])
        times.add([row["peer"]], row["times_up"])
        flaps.add([row["peer"]], row["times_lost"])
    yield from (up, seconds, sent, times, flaps)


def _bfd(turn: Turn, sessions: Sequence[rows.Row]) -> Iterator[exposition.Family]:
    """Yield BFD beside the sessions; what is not known has no value."""
    asking = [row for row in sessions if row["bfd"] is not None]
    engine = _gauge("bfd_engine_up", "1 while the BFD engine says how its sessions are.", [])
    if asking:
        engine.add([], float(turn.world.bfd is not None and not turn.world.bfd.problem))
    up = _gauge(
        "bfd_up", "1 while BFD with the router is Up, else 0; absent: not known.", ["peer"]
    )
    seconds = _gauge("bfd_seconds", "Seconds since the state of BFD last changed.", ["peer"])
    downs = _counter("bfd_downs", "Times BFD was lost since the agent started.", ["peer"])
    for row in asking:
        found = row["bfd"]
        if found["seconds"] is not None:
            up.add([row["peer"]], float(found["up"]))
            seconds.add([row["peer"]], found["seconds"])
            downs.add([row["peer"]], found["downs"])
    yield from (engine, up, seconds, downs)


def _routes(turn: Turn) -> Iterator[exposition.Family]:
    sent = _gauge(
        "route_announced",
        "Routers that were sent the prefix, of those meant for this node; 0: it is not announced.",
        ["prefix", "class"],
    )
    meant = _gauge(
        "route_meant", "Peers of the settings meant to have the prefix.", ["prefix", "class"]
    )
    for each in announced.standings(turn.world, turn.decision):
        if each.prefix is not None and each.prefix_class is not None:
            labels = [str(each.prefix), str(each.prefix_class)]
            sent.add(labels, len(each.sent))
            meant.add(labels, each.meant)
    withheld = _gauge(
        "withheld",
        "Prefixes that are not announced as usual, by reason.",
        ["class", "reason"],
    )
    counts: dict[tuple[str, str], int] = {}
    for held in turn.decision.withheld:
        for cause in held.causes:
            key = (str(held.prefix_class), _label(cause))
            counts[key] = counts.get(key, 0) + 1
    for reason, count in sorted(counts.items()):
        withheld.add(list(reason), count)
    yield from (sent, meant, withheld)


def _label(cause: model.Cause) -> str:
    """Return a label of bounded cardinality: only a check's name is kept as the detail."""
    return str(cause) if cause.reason is model.Reason.UNHEALTHY else str(cause.reason)


def _checks(turn: Turn, now: float) -> Iterator[exposition.Family]:
    up = _gauge("check_up", "1 while the check is up, 0 while down or unknown.", ["check"])
    failures = _counter("check_failures", "Failed runs of the check.", ["check"])
    for row in rows.checks(turn, now):
        up.add([row["check"]], float(row["health"] == Health.UP))
        failures.add([row["check"]], row["failures"])
    yield from (up, failures)


def _node(turn: Turn, now: float) -> Iterator[exposition.Family]:
    world = turn.world
    missing = _gauge("missing", "Things in use that cannot be found now, by reason.", ["reason"])
    counts = collections.Counter(str(each.cause.reason) for each in turn.decision.missing)
    for reason, count in sorted(counts.items()):
        missing.add([reason], count)
    contact = _gauge("kube_last_contact_seconds", "Seconds since the API server answered.", [])
    if world.kube_contact is not None:
        contact.add([], now - world.kube_contact)
    phase = _gauge("phase", "1 for the phase the agent is in.", ["phase"])
    phase.add([str(world.phase)], 1)
    selected = _gauge(
        "peers_selected", "Peers of the settings meant for this node; those held count.", []
    )
    if turn.decision.neighbors is not None:
        selected.add([], len(turn.decision.neighbors) + len(rows.peers_held(turn)))
    unacknowledged = _gauge(
        "changes_unacknowledged", "Changes ExaBGP stored and has not sent yet.", []
    )
    unacknowledged.add([], sum(len(held.pending) for held in (world.rib or {}).values()))
    outside = _gauge(
        "pods_elsewhere", "Local pods whose addresses lie outside of the announced ranges.", []
    )
    outside.add([], sum(map(len, world.pods_elsewhere.values())))
    yield from (missing, outside, contact, phase, selected, unacknowledged)


def _settings(turn: Turn, counted: tally.Tally) -> Iterator[exposition.Family]:
    stale = _gauge(
        "settings_stale", "1 while an edited settings file is refused or could not be checked.", []
    )
    stale.add([], float(bool(turn.world.config_problems)))
    since = _gauge(
        "settings_stale_since_seconds",
        "Since when, in seconds since 1970; absent while it is not so.",
        [],
    )
    if counted.stale_since is not None:
        since.add([], counted.stale_since)
    yield from (stale, since)


def _budget(turn: Turn) -> Iterator[exposition.Family]:
    """Yield the outage budget; what only a list of the Leases says is absent without one."""
    exhausted = _gauge(
        "budget_exhausted",
        "1 while the node stays announced because the outage budget gives it no slot.",
        [],
    )
    exhausted.add([], float(bool(turn.judgement.spared)))
    taken = _gauge("budget_taken", "Slots that others had when the node last asked for one.", [])
    allowed = _gauge("budget_allowed", "Slots that there were then.", [])
    count = turn.world.budget.count
    if count is not None:
        taken.add([], count.taken)
        allowed.add([], count.allowed)
    failing = _gauge("budget_unreachable", "1 while the Leases of the budget cannot be asked.", [])
    failing.add([], float(bool(turn.world.budget.problem)))
    yield from (exhausted, taken, allowed, failing)
