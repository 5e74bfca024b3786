"""What the pod's three processes use, from ``/proc``: read when somebody asks for the metrics.

Where Prometheus has no metrics of the containers, this is all there is; and where it has, they
say nothing of which of the three grows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
PARENT, USER, SYSTEM, RESIDENT = 1, 11, 12, 21
"""Places in /proc/PID/stat, counted from the state, the field behind the name (proc(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What one process uses."""

    process: str
    resident: int
    """Bytes; pages that it shares with the other two are counted for each of them."""
    seconds: float
    """Of processor time, since the process began."""


def look() -> Iterator[Used]:
    """Yield the agent, ExaBGP and the supervisor, as far as they are there."""
    pid = os.getpid()
    for name in ("agent", "exabgp", "supervisor"):
        try:
            text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        # The name may have spaces and parentheses in it.
        fields = text.rpartition(")")[2].split()
        yield Used(
            process=name,
            resident=int(fields[RESIDENT]) * PAGE,
            seconds=(int(fields[USER]) + int(fields[SYSTEM])) / TICKS,
        )
        pid = int(fields[PARENT])
        if not pid:
            return
