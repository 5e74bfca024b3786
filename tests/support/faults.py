"""Faults of one node's processes: what ``tests/support/faulty`` does inside of ExaBGP."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import psutil

DIRECTORY = Path(__file__).parent / "faulty"


class Faults:
    """The file that says what is wrong with this ExaBGP."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "faults.json"

    @property
    def environment(self) -> dict[str, str]:
        """What ``run`` has to be started with."""
        path = os.pathsep.join(filter(None, (str(DIRECTORY), os.environ.get("PYTHONPATH"))))
        return {"PYTHONPATH": path, "EXABGP_FAULTS": str(self._path)}

    def set(self, *, answers: Sequence[str] = (), clock: float = 0) -> None:
        """Say what is wrong from now on."""
        fresh = self._path.with_suffix(".set")
        fresh.write_text(json.dumps({"answers": list(answers), "clock": clock}))
        fresh.replace(self._path)

    def are_over(self) -> bool:
        """Return whether every faulty answer was given."""
        return not json.loads(self._path.read_text())["answers"]


def restarted(process: psutil.Process) -> bool:
    """Return whether a process is gone, so that another one takes its place."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
