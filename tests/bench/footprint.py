"""What the processes of the pod take while nothing happens: memory, time, requests."""

from __future__ import annotations

import pathlib
import re
import time
from collections.abc import Iterable, Iterator

MIB = 2**20
MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ (\S+ \S+ \d+)")
"""A mapping's line in smaps; the group is offset, device and inode (proc(5))."""


def pss(pid: int) -> float:
    """Return a process's proportional set size in MiB."""
    return _field(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), "Pss") / MIB


def alone(pids: Iterable[int]) -> float:
    """Return the MiB that these processes would take if nobody else ran the same files.

    The PSS divides a page among everybody who maps it, and on a bench a dozen processes share
    one interpreter, while on a node the image's files are the pod's own. So the anonymous pages
    are counted as they are, and of each file's mapping the largest share any process holds.
    """
    anonymous = 0
    files: dict[str, int] = {}
    for pid in pids:
        for mapping, resident, own in _mappings(pid):
            anonymous += own
            files[mapping] = max(files.get(mapping, 0), resident - own)
    return (anonymous + sum(files.values())) / MIB


def _mappings(pid: int) -> Iterator[tuple[str, int, int]]:
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    for block in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.MULTILINE):
        if found := MAPPING.match(block):
            yield found[1], _field(block, "Rss"), _field(block, "Anonymous")


def _field(text: str, name: str) -> int:
    found = re.search(rf"^{name}: +(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def processor_seconds(pid: int) -> float:
    """Return the time all threads of a process have spent on a processor.

    The same as utime and stime of its stat, in nanoseconds instead of hundredths of a second:
    the kernel's clock of another process (clock_getcpuclockid(3), CPUCLOCK_SCHED).
    """
    return time.clock_gettime((~pid << 3) | 2)
