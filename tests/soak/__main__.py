"""``tox -e soak``: random faults for some time; the seed is printed, and replays the run."""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.soak import bed, soak


def main() -> int:
    """Run until the time is over; return 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long (600)")
    parser.add_argument("--steps", type=int, help="this many steps, however long they take")
    parser.add_argument("--seed", type=int, help="replays the run that printed it")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    with bed.running() as cluster:
        run = soak.Soak(cluster, seed, lambda line: print(line, flush=True))
        try:
            while (
                run.steps < options.steps
                if options.steps
                else (time.monotonic() - began < options.seconds)
            ):
                run.step()
        except AssertionError as error:
            print(cluster.fabric.logs())
            print(f"FAILED in step {run.steps}, seed {seed}: {error}")
            return 1
    print(f"{run.steps} steps in {time.monotonic() - began:.0f} s, seed {seed}: all held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
