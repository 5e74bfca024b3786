"""A node with as many ranges as the settings allow: all of them leave, and all come back."""

from __future__ import annotations

import pytest

from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

MOST = 64
"""Service ranges that the settings take."""


@pytest.mark.parametrize("count", [1, 49, 50, MOST])
def test_a_node_with_many_ranges_leaves_and_comes_back_with_all_of_them(
    lab: Lab, count: int
) -> None:
    document = lab.document()
    ranges = [f"10.100.{number}.0/24" for number in range(count)]
    document["announce"]["services"]["cidrs"] = ranges
    lab.write(document)
    lab.start()
    lab.expect(*ranges, lab.pods)

    lab.api.cordon(lab.name, True)
    lab.expect()
    lab.api.cordon(lab.name, False)
    lab.expect(*ranges, lab.pods)

    until(lambda: lab.cli("status").returncode == 0, lab.state)
    until(lambda: lab.json("sessions")[0]["unacknowledged"] == 0, lab.state)
