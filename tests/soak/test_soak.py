"""A short soak with a seed of its own each time; a failure names it."""

from __future__ import annotations

import random

import pytest

from tests.soak import bed, soak

pytestmark = pytest.mark.fabric

STEPS = 12


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.fault(
    area="two at once",
    what="any of the faults of tests/soak/faults.py, up to three at once, twelve times",
    sees="what the model says after each step; no withdrawal of a node that no fault names",
    within="one step",
)
@pytest.mark.usefixtures("_privileges")
def test_random_faults_leave_the_routers_as_the_model_says() -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}: python -m tests.soak --steps {STEPS} --seed {seed}")
    with bed.running() as cluster:
        run = soak.Soak(cluster, seed, print)
        for _ in range(STEPS):
            run.step()
