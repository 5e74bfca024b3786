"""Run ExaBGP by a clock that nobody sets, with every reload heeded.

    python -m exabgp_k8s.steady server FILE

ExaBGP takes its hold, keepalive and retry timers from ``time.time``. When a node's clock is set,
which is usual at boot, a step forwards lets every hold timer expire, and a step backwards stops
the keepalives until the clock has caught up; either way the routers lose the sessions. Here its
``time.time`` starts at the wall clock and then only counts, as the kernel's monotonic clock does.
It reads it as an attribute of the module everywhere, so one replacement reaches all of it.

It also forgets a reload that comes while a change waits for any peer, and one peer that is down
makes them wait. What was forgotten would then come with the next reload, whatever that is for:
a password would stay the old one until somebody edits another peer. Nothing in a reload minds
the changes that wait, so here it is told that none do.

Only this module and ``redial`` import ExaBGP.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from exabgp_k8s import redial


def steady(started: float) -> Callable[[], float]:
    """Return a clock that shows the Unix time ``started`` now and only counts from then on."""
    offset = started - time.monotonic()
    return lambda: offset + time.monotonic()


def main() -> int | None:
    """Run ExaBGP's own command line in this process."""
    time.time = steady(time.time())
    # Only now: nothing of it may have kept the other clock.
    from exabgp.application import main as exabgp  # noqa: PLC0415
    from exabgp.reactor import loop  # noqa: PLC0415

    loop.Reactor._pending_adjribout = lambda _: False  # noqa: SLF001
    redial.install()
    code: int | None = exabgp.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
