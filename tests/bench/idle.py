"""What the program takes while nothing happens: two sessions up, one check a second."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.bench import footprint, program
from tests.bench.report import Row

MEMORY_BUDGET = 60.0
PROCESSOR_BUDGET = 0.25
SETTLE = 3.0
"""Seconds until the start is over: late imports, the first look at everything."""


def measure(
    measured: program.Program, server: apiserver.ApiServer, seconds: float, bare: int
) -> list[Row]:
    """Wait and return the rows.

    Args:
        measured: the program.
        server: its API server.
        seconds: to wait.
        bare: the process id of an ExaBGP with a bare helper, which is the floor.
    """
    time.sleep(SETTLE)
    parts = {name: process.pid for name, process in measured.processes().items()}
    floor = [bare, *(each.pid for each in psutil.Process(bare).children())]
    asked = len(server.requests)
    began = time.monotonic()
    before = {pid: footprint.processor_seconds(pid) for pid in (*parts.values(), *floor)}
    time.sleep(seconds)
    took = time.monotonic() - began
    shares = {
        pid: 100 * (footprint.processor_seconds(pid) - spent) / took
        for pid, spent in before.items()
    }
    requests = len(server.requests) - asked
    return [
        *_memory(parts, floor),
        *(
            Row(name=f"idle: CPU, {name}", value=shares[pid], unit="%")
            for name, pid in parts.items()
        ),
        Row(
            name="idle: CPU, all three, of one core",
            value=sum(shares[pid] for pid in parts.values()),
            unit="%",
            budget=PROCESSOR_BUDGET,
        ),
        Row(
            name="idle: CPU of a bare ExaBGP, of one core",
            value=sum(shares[pid] for pid in floor),
            unit="%",
        ),
        Row(name="idle: length of the observation", value=took, unit="s"),
        # A watch is opened again every 36 s; any window may hold one more.
        Row(name="idle: API requests in that time", value=requests, unit="", budget=_most(took)),
    ]


def _memory(parts: dict[str, int], floor: list[int]) -> Iterator[Row]:
    memory = {name: footprint.pss(pid) for name, pid in parts.items()}
    for name, size in memory.items():
        yield Row(name=f"idle: PSS, {name}", value=size, unit="MiB")
    yield Row(name="idle: PSS, all three", value=sum(memory.values()), unit="MiB")
    yield Row(
        name="idle: memory of a pod that shares no file with others",
        value=footprint.alone(parts.values()),
        unit="MiB",
        budget=MEMORY_BUDGET,
    )
    yield Row(
        name="idle: the same of a bare ExaBGP with its helper",
        value=footprint.alone(floor),
        unit="MiB",
    )


def _most(seconds: float) -> float:
    """Return how many requests may be made in this time, at two a minute."""
    return 1 + seconds // 30
