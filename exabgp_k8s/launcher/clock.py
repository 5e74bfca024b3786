"""The clock that ExaBGP runs by: one that nobody sets.

ExaBGP takes its hold, keepalive and retry timers from ``time.time``. When a node's clock is set,
which is usual at boot, a step forwards lets every hold timer expire, and a step backwards stops
the keepalives until the clock has caught up; either way the routers lose the sessions. Here its
``time.time`` starts at the wall clock and then only counts, as the kernel's monotonic clock does.

Replaced in ExaBGP 5.0.15: ``time.time``, which it reads as an attribute of the module everywhere,
so that one replacement reaches all of it.
Noticed by: ``test_a_clock_that_is_set_costs_no_session``.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def steady(started: float) -> Callable[[], float]:
    """Return a clock that shows the Unix time ``started`` now and only counts from then on."""
    offset = started - time.monotonic()
    return lambda: offset + time.monotonic()


def install() -> None:
    """Have this process run by a clock that only counts; before ExaBGP is imported."""
    time.time = steady(time.time())
