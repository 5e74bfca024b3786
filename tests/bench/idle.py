"""What the program takes while nothing happens: two sessions up, one check a second."""

from __future__ import annotations

import time

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.bench import footprint, program
from tests.bench.report import Row

MEMORY_BUDGET = 60.0
PROCESSOR_BUDGET = 0.25
SETTLE = 3.0
"""Seconds until the start is over: late imports, the first look at everything."""


def measure(measured: program.Program, server: apiserver.ApiServer, seconds: float) -> list[Row]:
    """Wait and return the rows."""
    time.sleep(SETTLE)
    parts = {name: process.pid for name, process in measured.processes().items()}
    asked = len(server.requests)
    began = time.monotonic()
    before = {name: footprint.processor_seconds(pid) for name, pid in parts.items()}
    time.sleep(seconds)
    took = time.monotonic() - began
    shares = {
        name: 100 * (footprint.processor_seconds(pid) - before[name]) / took
        for name, pid in parts.items()
    }
    requests = len(server.requests) - asked
    memory = {name: footprint.pss(pid) for name, pid in parts.items()}
    return [
        *(Row(name=f"idle: PSS, {name}", value=size, unit="MiB") for name, size in memory.items()),
        Row(name="idle: PSS, all three", value=sum(memory.values()), unit="MiB"),
        Row(
            name="idle: memory of a pod that shares no file with others",
            value=footprint.alone(parts.values()),
            unit="MiB",
            budget=MEMORY_BUDGET,
        ),
        *(Row(name=f"idle: CPU, {name}", value=share, unit="%") for name, share in shares.items()),
        Row(
            name="idle: CPU, all three, of one core",
            value=sum(shares.values()),
            unit="%",
            budget=PROCESSOR_BUDGET,
        ),
        Row(name="idle: length of the observation", value=took, unit="s"),
        # A watch is opened again every 36 s; any window may hold one more.
        Row(name="idle: API requests in that time", value=requests, unit="", budget=_most(took)),
    ]


def _most(seconds: float) -> float:
    """Return how many requests may be made in this time, at two a minute."""
    return 1 + seconds // 30
