"""How often a process of this pod was started anew, and why, as a file in the state directory.

The agent serves the metrics, and it is itself what ends: only process 1 sees all of it. So the
supervisor counts, in a file of a few lines, and each agent reads it when somebody asks. The
counts go on when the container starts again, as the directory is the pod's.

Nothing is decided by it: a file that cannot be written or read costs the numbers.
"""

from __future__ import annotations

import os

FILE_NAME = "restarts"
SIZE = 4096
"""Bytes that are read at most; the file is a tenth of it."""
DIGITS = 9
"""Of a count at most."""

AGENT, EXABGP = "agent", "exabgp"

SILENT = "silent"
"""The watchdog killed the agent: it gave no sign of life."""
UNANSWERED = "unanswered"
"""The agent ended itself: ExaBGP did not answer it."""
ENDED = "ended"
"""It ended by itself, and its log says why."""
WATCHDOG = "watchdog"
"""The watchdog killed ExaBGP: ending the agent was not enough, or not noticed."""
KILLED = "killed"
"""By a signal of somebody else: the kernel's, where the memory ended."""
FAILED = "failed"
"""With an exit code that is not 0."""

KINDS = (
    (AGENT, SILENT),
    (AGENT, UNANSWERED),
    (AGENT, ENDED),
    (EXABGP, WATCHDOG),
    (EXABGP, KILLED),
    (EXABGP, FAILED),
    (EXABGP, ENDED),
)
"""Every process with every reason; each is counted from 0, so that the first one shows."""

Counts = dict[tuple[str, str], int]
Directory = str | os.PathLike[str]


def read(directory: Directory) -> Counts:
    """Return the counts; 0 where the file says nothing that can be understood."""
    found = dict.fromkeys(KINDS, 0)
    try:
        with open(os.path.join(directory, FILE_NAME), encoding="ascii") as file:
            lines = file.read(SIZE).splitlines()
    except (OSError, ValueError):
        return found
    for line in lines:
        process, reason, number = [*line.split(" "), "", "", ""][:3]
        if (process, reason) in found and number.isdigit() and len(number) <= DIGITS:
            found[process, reason] = int(number)
    return found


def count(directory: Directory, process: str, reason: str) -> None:
    """Count one more."""
    found = read(directory)
    found[process, reason] += 1
    text = "".join(f"{of} {why} {number}\n" for (of, why), number in found.items())
    path = os.path.join(directory, FILE_NAME)
    try:
        with open(f"{path}.new", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(f"{path}.new", path)
    except OSError:
        pass
