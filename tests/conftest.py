"""For every test: what hypothesis judges, and in which order the tests begin."""

from __future__ import annotations

import os

import hypothesis
import pytest

# What is true counts, never how fast the machine is.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long tests, in whatever order: one that begins last runs alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
