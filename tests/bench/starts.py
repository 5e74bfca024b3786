"""How long a start takes, and how much of a processor: ours and a bare ExaBGP's in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from tests.bench import floors, footprint, program
from tests.bench.report import Row
from tests.bench.samples import Series

MEDIAN_BUDGET = 1.5
"""Times the bare ExaBGP's median."""
PROCESSOR_BUDGET = 1.0
"""Seconds of a processor, of all processes, until every route is at every peer."""
PAUSE = 1.0
"""Seconds between two starts: what the one before leaves behind is over."""


def _series(name: str) -> Series:
    return Series(name=name)


@dataclass(slots=True, kw_only=True)
class Starts:
    """The starts that were taken."""

    bare: Series = field(default_factory=lambda: _series("bare ExaBGP: start to first route"))
    ours: Series = field(default_factory=lambda: _series("start to first route"))
    ours_all: Series = field(default_factory=lambda: _series("start to all routes at all peers"))
    bare_processor: list[float] = field(default_factory=list)
    """Seconds, like the next."""
    processor: list[float] = field(default_factory=list)

    @property
    def series(self) -> tuple[Series, ...]:
        """All of them, the floor first."""
        return (self.bare, self.ours, self.ours_all)

    def rows(self) -> list[Row]:
        """Return ours as a multiple of the floor, and the time on a processor."""
        return [
            Row(
                name="start to first route: median / bare ExaBGP's median",
                value=self.ours.median / self.bare.median,
                unit="x",
                budget=MEDIAN_BUDGET,
            ),
            Row(
                name="start: CPU time, median",
                value=statistics.median(self.processor),
                unit="s",
                budget=PROCESSOR_BUDGET,
            ),
            Row(
                name="start: CPU time of a bare ExaBGP, median",
                value=statistics.median(self.bare_processor),
                unit="s",
            ),
        ]


def measure(
    count: int,
    announcer: floors.Announcer,
    ours: Callable[[int], program.Program],
) -> Starts:
    """Start each so many times, in turn, the program each time with nothing left of before."""
    taken = Starts()
    for number in range(count):
        time.sleep(PAUSE)
        began = time.monotonic_ns()
        with announcer.running() as process:
            arrivals = [
                at
                for router in announcer.peers
                for at in router.wait(floors.PREFIXES, is_withdrawal=False, since=began)
            ]
            taken.bare_processor.append(_processor_seconds(process.pid))
        taken.bare.add(began, min(arrivals))
        time.sleep(PAUSE)
        started = ours(number)
        began = time.monotonic_ns()
        with started.running() as running:
            taken.processor.append(_processor_seconds(running.pid))
            arrivals = running.first_arrivals
        taken.ours.add(began, min(arrivals))
        taken.ours_all.add(began, max(arrivals))
    return taken


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process and all under it, of those that ended as well."""
    top = psutil.Process(pid)
    total = 0.0
    for each in (top, *top.children(recursive=True)):
        ended = each.cpu_times()
        total += footprint.processor_seconds(each.pid)
        total += ended.children_user + ended.children_system
    return total
