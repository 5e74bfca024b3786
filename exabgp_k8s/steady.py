"""Run ExaBGP by a clock that nobody sets: ``python -m exabgp_k8s.steady server FILE``.

ExaBGP takes its hold, keepalive and retry timers from ``time.time``. When a node's clock is set,
which is usual at boot, a step forwards lets every hold timer expire, and a step backwards stops
the keepalives until the clock has caught up; either way the routers lose the sessions. Here its
``time.time`` starts at the wall clock and then only counts, as the kernel's monotonic clock does.
It reads it as an attribute of the module everywhere, so one replacement reaches all of it.

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

    redial.install()
    code: int | None = exabgp.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
