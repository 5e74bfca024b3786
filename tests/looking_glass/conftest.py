"""A looking glass before five nodes: one is well, each other has one fault; and an evil one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import samples
from tests.looking_glass import bed, evil, inside


@pytest.fixture(scope="session")
def five() -> Iterator[inside.Inside]:
    """Five nodes, in this process."""
    with inside.Inside(*samples.five()) as found:
        yield found


@pytest.fixture(scope="session")
def hostile() -> Iterator[inside.Inside]:
    """A node whose every text is an attack, in this process."""
    with inside.Inside(*evil.objects()) as found:
        yield found


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[bed.Glass]:
    """A process of its own with five nodes, for one test."""
    with bed.glass(tmp_path, *bed.five()) as found:
        yield found
