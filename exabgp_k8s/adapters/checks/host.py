"""Look at the node itself: does a process run, is an interface up and fast enough.

psutil's calls block, so they are kept short: a process once found is only looked at again, and a
search through all processes lets the loop go on in between.
"""

from __future__ import annotations

import asyncio
import functools
import os

import psutil

from exabgp_k8s.adapters.checks import probing
from exabgp_k8s.core.facts import config

BATCH = 20
"""Processes looked at in one go: about 2 ms."""


def prepare(settings: config.ProcessProbe | config.InterfaceProbe) -> probing.Probe:
    """Return the probe for these settings."""
    if isinstance(settings, config.ProcessProbe):
        return _Process(settings.name).find
    return functools.partial(_interface, settings)


class _Process:
    def __init__(self, name: str) -> None:
        self._name = name
        self._found: psutil.Process | None = None

    async def find(self) -> str:
        if self._found is None or not self._is_it(self._found):
            self._found = await self._search()
        if self._found is None:
            raise probing.ProbeFailed(f"no process named {self._name}")
        return f"pid {self._found.pid}"

    async def _search(self) -> psutil.Process | None:
        # Not process_iter(): it keeps an object for every process of the node.
        for index, pid in enumerate(psutil.pids()):
            if index % BATCH == 0:
                await asyncio.sleep(0)
            try:
                process = psutil.Process(pid)
            except psutil.Error:
                continue
            if self._is_it(process):
                return process
        return None

    def _is_it(self, process: psutil.Process) -> bool:
        """Return whether it runs under this name: the kernel's, or its own in argv[0]."""
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return process.name() == self._name or self._name == _program(process)
        except psutil.Error:
            return False


def _program(process: psutil.Process) -> str:
    command = process.cmdline()
    return os.path.basename(command[0]) if command else ""  # noqa: PTH119 - a name, not a path


async def _interface(settings: config.InterfaceProbe) -> str:
    stats = psutil.net_if_stats().get(settings.name)
    if stats is None:
        raise probing.ProbeFailed(f"no interface {settings.name} here")
    # psutil reports 0 where the driver does not know, as for bridges and virtual interfaces.
    speed = f"{stats.speed} Mbit/s" if stats.speed else "speed unknown"
    if not stats.isup:
        raise probing.ProbeFailed(f"{settings.name} is down")
    if stats.speed < settings.min_speed:
        raise probing.ProbeFailed(
            f"{settings.name} is up, {speed}, at least {settings.min_speed} Mbit/s asked for"
        )
    return f"{settings.name} is up, {speed}"
