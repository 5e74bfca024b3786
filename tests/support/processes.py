"""Looks at processes that others may end and replace at any moment.

ExaBGP starts another agent, the supervisor another ExaBGP, and either may do so between two looks
of a test. So each question here is answered by one look, a process that is gone is an answer and
never an error, and one that ended and was not collected yet is gone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import psutil

GENERATIONS = 3
"""The supervisor, ExaBGP and the agent; what the agent starts is short-lived."""


def status(process: psutil.Process) -> str:
    """Return what a process does, as psutil names it; one that is gone is a zombie at most."""
    try:
        return process.status() if process.is_running() else psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def is_gone(process: psutil.Process) -> bool:
    """Return whether a process ended, be it that nobody noticed yet."""
    return status(process) == psutil.STATUS_ZOMBIE


def children(parent: psutil.Process) -> Sequence[psutil.Process]:
    """Return the children of a process that live; one that is gone has none."""
    try:
        found = parent.children()
    except psutil.NoSuchProcess:
        return ()
    return [each for each in found if not is_gone(each)]


def lineage(pid: int) -> tuple[psutil.Process, ...]:
    """Return the supervisor, ExaBGP and the agent, as far as they live at this moment."""
    try:
        parent = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return ()
    found = [] if is_gone(parent) else [parent]
    while found and len(found) < GENERATIONS:
        below = children(found[-1])
        # Two are the one that is about to end and its successor: the next look shows which.
        if len(below) != 1:
            break
        found += below
    return tuple(found)


def kill(process: psutil.Process) -> None:
    """Kill a process unless it is gone already."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def kill_with_all_below(pid: int) -> None:
    """End a container as the kernel does when its process 1 is killed."""
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        # The parents first: nobody is left to start a successor.
        for each in (top, *top.children(recursive=True)):
            kill(each)


def is_of(process: psutil.Process, variable: str, value: os.PathLike[str]) -> bool:
    """Return whether a process was started with a path in an environment variable."""
    try:
        return process.environ().get(variable) == str(value)
    except psutil.Error:
        return False
