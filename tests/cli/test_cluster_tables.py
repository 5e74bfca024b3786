"""What the tables of the cluster say beyond the rows."""

from __future__ import annotations

from exabgp_k8s.cli import cluster_tables
from exabgp_k8s.cluster import rows
from tests.cluster import samples


def test_bfd_that_is_down_beside_a_session_that_is_up_is_its_problem() -> None:
    found, *_ = rows.sessions(samples.take(*samples.five()))
    table = [
        cluster_tables.sessions([{**found, "bfd": state}], samples.NOW, is_wide=False)
        for state in (None, "Up", "Down", "unknown")
    ]

    assert ["bfd-down" in each for each in table] == [False, False, True, False]
    assert ["bfd-unknown" in each for each in table] == [False, False, False, True]
