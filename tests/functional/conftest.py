"""The lab on loopback, for every functional test that wants one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import controlplane
from tests.support.lab import Lab

# What only a real API server does.
_REAL = ["test_api_servers.py", "test_owners.py", "test_stolen_token.py"]
collect_ignore = [] if controlplane.is_available() else _REAL
if controlplane.kubectl() is None:
    collect_ignore = [*collect_ignore, "test_kubectl.py", "test_applied.py"]
if shutil.which("helm") is None:
    collect_ignore = [*collect_ignore, "test_chart.py"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A node, a router and an API server; `run` is not started yet."""
    with Lab(tmp_path) as found:
        yield found
