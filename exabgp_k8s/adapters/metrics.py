"""Prometheus metrics: a projection of the latest turn, and one histogram that needs memory.

Gauges are made from the same rows that ``status`` shows, when somebody asks; nothing is updated
in place, so nothing can disagree with what was decided.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterator, Sequence

import prometheus_client
from prometheus_client import core as prometheus

import exabgp_k8s
from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.checks import Health
from exabgp_k8s.core.plan import changes
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, losses, rows

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds; a few milliseconds are usual, more only where a peer does not read."""

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST


class Metrics:
    """A collector over the latest turn."""

    def __init__(self, latest: Callable[[], Turn], clock: Callable[[], float]) -> None:
        self._latest, self._clock = latest, clock
        self._registry = prometheus_client.CollectorRegistry()
        self._registry.register(_Gauges(self))
        self._withdraw_seconds = prometheus_client.Histogram(
            "exabgp_k8s_withdraw_seconds",
            "From the decision to withdraw to its acknowledgement by every peer that is up.",
            ["class"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._lost = prometheus_client.Counter(
            "exabgp_k8s_session_lost",
            "Sessions that ended since the agent started, by NOTIFICATION.",
            ["peer", "reason"],
            registry=self._registry,
        )
        self._started = time.time()
        self._leaving: dict[model.PrefixClass, float] = {}

    def note(self, before: Turn | None, after: Turn, now: float) -> None:
        """Count lost sessions; time a withdrawal from its decision to its completion."""
        for peer, reason in losses.lost(before.world, after.world) if before else ():
            self._lost.labels(peer, reason).inc()
        for prefix_class, action in after.judgement.actions.items():
            was = before.judgement.actions.get(prefix_class) if before else None
            if action is not model.Action.WITHDRAW:
                self._leaving.pop(prefix_class, None)
            elif was is not None and was is not model.Action.WITHDRAW:
                self._leaving[prefix_class] = now
        if self._leaving and changes.is_withdrawn(after.decision, after.world, now):
            for prefix_class, since in self._leaving.items():
                self._withdraw_seconds.labels(str(prefix_class)).observe(now - since)
            self._leaving.clear()

    def render(self) -> bytes:
        """Return the text exposition of everything."""
        return prometheus_client.generate_latest(self._registry)

    def gauges(self) -> Iterator[prometheus.Metric]:
        """Yield every gauge of the latest turn."""
        turn, now = self._latest(), self._clock()
        yield from self._program()
        sessions = rows.sessions(turn, now)
        yield from _sessions(sessions)
        yield from _routes(turn)
        yield from _bfd(turn, sessions)
        yield from _checks(turn, now)
        yield from _node(turn, now)
        yield from _budget(turn)

    def _program(self) -> Iterator[prometheus.Metric]:
        build = _gauge("build_info", "1, with the version that runs.", ["version"])
        build.add_metric([exabgp_k8s.__version__], 1)
        started = _gauge(
            "agent_start_time_seconds", "When the agent started, in seconds since 1970.", []
        )
        started.add_metric([], self._started)
        yield from (build, started)


class _Gauges:
    """What prometheus_client wants of a collector."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> list[prometheus.Metric]:
        """Register without collecting: there is no turn yet."""
        return []

    def collect(self) -> Iterator[prometheus.Metric]:
        """Yield the present values."""
        return self._metrics.gauges()


def _gauge(name: str, text: str, labels: list[str]) -> prometheus.GaugeMetricFamily:
    return prometheus.GaugeMetricFamily(f"exabgp_k8s_{name}", text, labels=labels)


def _sessions(found: Sequence[rows.Row]) -> Iterator[prometheus.Metric]:
    up = _gauge("session_up", "1 while the session is Established, else 0.", ["peer"])
    seconds = _gauge("session_seconds", "Seconds since session_up last changed.", ["peer"])
    sent = _gauge("session_prefixes_sent", "Prefixes in the peer's adj-rib-out.", ["peer"])
    times = prometheus.CounterMetricFamily(
        "exabgp_k8s_session_established", "Times the session came up.", labels=["peer"]
    )
    for row in found:
        up.add_metric([row["peer"]], float(row["up"]))
        seconds.add_metric([row["peer"]], row["seconds"] or 0)
        sent.add_metric([row["peer"]], row["prefixes_sent"])
        times.add_metric([row["peer"]], row["times_up"])
    yield from (up, seconds, sent, times)


def _bfd(turn: Turn, sessions: Sequence[rows.Row]) -> Iterator[prometheus.Metric]:
    """Yield BFD beside the sessions; what is not known has no value."""
    asking = [row for row in sessions if row["bfd"] is not None]
    engine = _gauge("bfd_engine_up", "1 while the BFD engine says how its sessions are.", [])
    if asking:
        engine.add_metric([], float(turn.world.bfd is not None and not turn.world.bfd.problem))
    up = _gauge(
        "bfd_up", "1 while BFD with the router is Up, else 0; absent: not known.", ["peer"]
    )
    seconds = _gauge("bfd_seconds", "Seconds since the state of BFD last changed.", ["peer"])
    downs = prometheus.CounterMetricFamily(
        "exabgp_k8s_bfd_downs", "Times BFD was lost since the agent started.", labels=["peer"]
    )
    for row in asking:
        found = row["bfd"]
        if found["seconds"] is not None:
            up.add_metric([row["peer"]], float(found["up"]))
            seconds.add_metric([row["peer"]], found["seconds"])
            downs.add_metric([row["peer"]], found["downs"])
    yield from (engine, up, seconds, downs)


def _routes(turn: Turn) -> Iterator[prometheus.Metric]:
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
            sent.add_metric(labels, len(each.sent))
            meant.add_metric(labels, each.meant)
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
        withheld.add_metric(list(reason), count)
    yield from (sent, meant, withheld)


def _label(cause: model.Cause) -> str:
    """Return a label of bounded cardinality: only a check's name is kept as the detail."""
    return str(cause) if cause.reason is model.Reason.UNHEALTHY else str(cause.reason)


def _checks(turn: Turn, now: float) -> Iterator[prometheus.Metric]:
    up = _gauge("check_up", "1 while the check is up, 0 while down or unknown.", ["check"])
    failures = prometheus.CounterMetricFamily(
        "exabgp_k8s_check_failures", "Failed runs of the check.", labels=["check"]
    )
    for row in rows.checks(turn, now):
        up.add_metric([row["check"]], float(row["health"] == Health.UP))
        failures.add_metric([row["check"]], row["failures"])
    yield from (up, failures)


def _node(turn: Turn, now: float) -> Iterator[prometheus.Metric]:
    world = turn.world
    stale = _gauge(
        "settings_stale", "1 while an edited settings file is refused or could not be checked.", []
    )
    stale.add_metric([], float(bool(world.config_problems)))
    missing = _gauge("missing", "Things in use that cannot be found now, by reason.", ["reason"])
    counts = collections.Counter(str(each.cause.reason) for each in turn.decision.missing)
    for reason, count in sorted(counts.items()):
        missing.add_metric([reason], count)
    contact = _gauge("kube_last_contact_seconds", "Seconds since the API server answered.", [])
    if world.kube_contact is not None:
        contact.add_metric([], now - world.kube_contact)
    phase = _gauge("phase", "1 for the phase the agent is in.", ["phase"])
    phase.add_metric([str(world.phase)], 1)
    selected = _gauge(
        "peers_selected", "Peers of the settings meant for this node; those held count.", []
    )
    if turn.decision.neighbors is not None:
        selected.add_metric([], len(turn.decision.neighbors) + len(rows.peers_held(turn)))
    unacknowledged = _gauge(
        "changes_unacknowledged", "Changes ExaBGP stored and has not sent yet.", []
    )
    unacknowledged.add_metric([], sum(len(held.pending) for held in (world.rib or {}).values()))
    outside = _gauge(
        "pods_elsewhere", "Local pods whose addresses lie outside of the announced ranges.", []
    )
    outside.add_metric([], sum(map(len, world.pods_elsewhere.values())))
    yield from (stale, missing, outside, contact, phase, selected, unacknowledged)


def _budget(turn: Turn) -> Iterator[prometheus.Metric]:
    """Yield the outage budget; what only a list of the Leases says is absent without one."""
    exhausted = _gauge(
        "budget_exhausted",
        "1 while the node stays announced because the outage budget gives it no slot.",
        [],
    )
    exhausted.add_metric([], float(bool(turn.judgement.spared)))
    taken = _gauge("budget_taken", "Slots that others had when the node last asked for one.", [])
    allowed = _gauge("budget_allowed", "Slots that there were then.", [])
    count = turn.world.budget.count
    if count is not None:
        taken.add_metric([], count.taken)
        allowed.add_metric([], count.allowed)
    failing = _gauge("budget_unreachable", "1 while the Leases of the budget cannot be asked.", [])
    failing.add_metric([], float(bool(turn.world.budget.problem)))
    yield from (exhausted, taken, allowed, failing)
