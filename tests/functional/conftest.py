"""The lab on loopback, for every functional test that wants one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A node, a router and an API server; `run` is not started yet."""
    with Lab(tmp_path) as found:
        yield found
