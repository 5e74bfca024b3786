"""BFD beside the sessions, with a real BIRD."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from exabgp_k8s.wire import bird_conf
from tests.wire.test_bird_conf import ALL_KINDS

pytestmark = pytest.mark.functional


def bird_says(text: str, directory: Path) -> str:
    """Return what ``bird -p`` has against a configuration; nothing: it takes it."""
    path = directory / "bird.conf"
    path.write_text(text)
    found = subprocess.run(
        ["bird", "-p", "-c", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    return found.stderr or found.stdout if found.returncode else ""


def test_bird_takes_every_kind_of_session(tmp_path: Path) -> None:
    assert bird_says(bird_conf.render(ALL_KINDS), tmp_path) == ""


def test_bird_takes_a_configuration_without_a_session(tmp_path: Path) -> None:
    assert bird_says(bird_conf.render(()), tmp_path) == ""
