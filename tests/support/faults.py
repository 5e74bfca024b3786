"""Faults of one node's processes: what ``tests/support/faulty`` does inside of ExaBGP."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from exabgp_k8s.supervisor import alive

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

    def set(self, *, answers: Sequence[str] = (), clock: float = 0, is_bare: bool = False) -> None:
        """Say what is wrong from now on."""
        fresh = self._path.with_suffix(".set")
        fresh.write_text(json.dumps({"answers": list(answers), "clock": clock, "bare": is_bare}))
        fresh.replace(self._path)

    def are_over(self) -> bool:
        """Return whether every faulty answer was given."""
        return not json.loads(self._path.read_text())["answers"]


def is_alive(state_dir: Path) -> bool:
    """Return what kubelet's liveness probe would find."""
    environment = {**os.environ, alive.STATE_DIR: str(state_dir)}
    probe = [sys.executable, "-m", alive.__name__]
    found = subprocess.run(probe, env=environment, check=False, capture_output=True)
    return found.returncode == 0


def fill(sink: int) -> None:
    """Fill a pipe to the last byte."""
    os.set_blocking(sink, False)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(sink, b"\n" * size)
    os.set_blocking(sink, True)
