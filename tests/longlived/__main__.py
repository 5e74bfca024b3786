"""``python -m tests.longlived``: measure what a leave and a join break, and print the tables.

It needs root, makes network namespaces and takes about ten minutes. Nothing passes or fails by a
figure; what must hold is in ``tests/fabric/test_long_lived.py``.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.fabric import bird, frr, namespaces, routers
from tests.longlived import cases, changes, page, resilient

KINDS: tuple[type[routers.Router], ...] = (bird.Bird, frr.Frr)
PROGRAMS = {"BIRD": "bird", "FRR": str(frr.DAEMONS / "zebra")}


def main() -> int:
    """Measure everything, print it, and write it on a page if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.longlived", description=__doc__)
    parser.add_argument("--page", type=Path, metavar="FILE", help="also put the figures here")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("this makes network namespaces and needs root: use sudo", file=sys.stderr)
        return 1
    namespaces.remove_leftovers()
    leaving = list(_leaving())
    flapping = list(_flapping())
    figures = "\n".join(
        ["", _conditions(), page.table(page.LEAVING, leaving), page.table(page.FLAPPING, flapping)]
    )
    print(figures)
    if options.page:
        options.page.write_text(page.filled(options.page.read_text(), f"{figures}\n"))
    return 0


def _leaving() -> Iterator[page.Row]:
    for kind in KINDS:
        for case in cases.LEAVING:
            print(f"{kind.kind}: {case.title}", file=sys.stderr)
            for change in cases.leave_and_join(kind, case):
                yield page.leaving(kind.kind.upper(), case.title, change)


def _flapping() -> Iterator[page.Row]:
    for kind in KINDS:
        for case in cases.FLAPPING:
            print(f"{kind.kind}, flap: {case.title}", file=sys.stderr)
            for flap in cases.flap(kind, case):
                yield page.flapping(kind.kind.upper(), case.title, flap)


def _conditions() -> str:
    """Say what the figures depend on."""
    kernel = ".".join(platform.release().split(".")[:2])
    programs = ", ".join(f"{name} {_version(path)}" for name, path in PROGRAMS.items())
    return (
        f"{changes.CONNECTIONS} connections over three nodes and one router; Linux {kernel}, "
        f"{programs}. Resilient: {resilient.BUCKETS} buckets, `idle_timer` "
        f"{resilient.IDLE_TIMER} s.\n"
    )


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\S+)", done.stdout + done.stderr)
    assert found is not None
    return found.group(1)


if __name__ == "__main__":
    sys.exit(main())
