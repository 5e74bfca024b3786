"""The agent's own life: the whole table, every absent entry included."""

from __future__ import annotations

import pytest

from exabgp_k8s.core.facts.lifecycle import Phase
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.observe.drains import Trigger, advance

SERVING, DRAINING = Phase.SERVING, Phase.DRAINING
SETTLING, DRAINED = Phase.SETTLING, Phase.DRAINED

# One row for each phase; the columns are the triggers in the order of their definition:
# drain asked, undrain asked, acknowledged, reopened, settle time over.
TABLE = {
    SERVING: (DRAINING, SERVING, SERVING, SERVING, SERVING),
    DRAINING: (DRAINING, SERVING, SETTLING, DRAINING, DRAINING),
    SETTLING: (SETTLING, SERVING, SETTLING, DRAINING, DRAINED),
    DRAINED: (DRAINED, SERVING, DRAINED, DRAINING, DRAINED),
}


@pytest.mark.parametrize(
    ("phase", "trigger", "after"),
    [
        (phase, trigger, after)
        for phase, row in TABLE.items()
        for trigger, after in zip(Trigger, row, strict=True)
    ],
)
def test_transition(phase: Phase, trigger: Trigger, after: Phase) -> None:
    assert advance(World(phase=phase), trigger, 1).phase is after


def test_the_table_has_a_row_for_each_phase() -> None:
    assert set(TABLE) == set(Phase)
