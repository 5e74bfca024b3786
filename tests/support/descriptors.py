"""A process that may not open one descriptor more."""

from __future__ import annotations

import contextlib
import gc
import pathlib
import resource
from collections.abc import Iterator

import psutil


@contextlib.contextmanager
def used_up() -> Iterator[None]:
    """Let this process open nothing more than what takes the place of what it closes."""
    here = psutil.Process()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The connections of earlier tests that nobody holds any more would be closed meanwhile.
    gc.collect()
    use_up(here)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def use_up(process: psutil.Process) -> None:
    """Let another process open nothing more than what takes the place of what it closes.

    What it has open for a moment only, such as the connection of who asks it, leaves its place
    free afterwards: whoever waits for the want calls this with each look.
    """
    soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    # The listing itself is one of our own descriptors, and is closed again.
    taken = {int(path.name) for path in _opened(process) if path.exists()}
    free = next(number for number in range(len(taken) + 1) if number not in taken)
    process.rlimit(psutil.RLIMIT_NOFILE, (min(free, soft), hard))


def give_back(process: psutil.Process) -> None:
    """Let it open files again."""
    _, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (hard, hard))


def _opened(process: psutil.Process) -> list[pathlib.Path]:
    return list(pathlib.Path(f"/proc/{process.pid}/fd").iterdir())
