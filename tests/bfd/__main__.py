"""``python -m tests.bfd``: measure what BFD is worth and what it costs, and print the tables.

It needs root, makes network namespaces and takes about twenty minutes. Nothing passes or fails by
a figure but one: a session that was down without a cause. What must hold is in
``tests/fabric/test_bfd.py``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys

from tests.bfd import deaths, quiet
from tests.fabric import namespaces


def main() -> int:
    """Measure everything and print it; return 1 if a session was down without a cause."""
    parser = argparse.ArgumentParser(prog="python -m tests.bfd", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="of the busy node (600)")
    parser.add_argument("--only", choices=("deaths", "quiet"), help="one half of it")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("this makes network namespaces and needs root: use sudo", file=sys.stderr)
        return 1
    namespaces.remove_leftovers()
    if options.only != "quiet":
        _deaths()
    return _quiet(options.seconds) if options.only != "deaths" else 0


def _deaths() -> None:
    print("| noticed by | router | deaths | median | max |\n|---|---|--:|--:|--:|")
    for title, peer in deaths.CASES.items():
        for kind, seconds in sorted(deaths.measure(**peer).seconds.items()):
            print(
                f"| {title} | {kind} | {len(seconds)} | {statistics.median(seconds):.2f} s "
                f"| {max(seconds):.2f} s |",
                flush=True,
            )


def _quiet(seconds: float) -> int:
    found = quiet.measure(seconds, lambda line: print(line, file=sys.stderr, flush=True))
    print(
        f"\n{found.seconds:.0f} s with every core busy: our pod replaced {found.rolled} times, "
        f"settings edited {found.edited} times, {found.links} links made and removed on each of "
        f"two nodes: {found.downs} of {found.sessions} sessions were down.\n"
        f"One engine with two peers: {found.memory:.1f} MiB, {found.share:.2f} % of a core."
    )
    return 1 if found.downs else 0


if __name__ == "__main__":
    sys.exit(main())
