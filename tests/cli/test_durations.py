"""Durations on the command line."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from exabgp_k8s.cli import drain, durations


@pytest.mark.parametrize(
    ("written", "seconds"), [("30", 30), ("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("0.5", 0.5)]
)
def test_is_as_in_the_settings_or_plain_seconds(written: str, seconds: float) -> None:
    assert durations.Duration().convert(written, None, None) == seconds


@pytest.mark.parametrize("written", ["soon", "30 s", "-1", "", "25h", "nan", "1e3"])
def test_anything_else_is_answered_with_what_to_write(written: str) -> None:
    with pytest.raises(click.BadParameter):
        durations.Duration().convert(written, None, None)


def test_a_wait_that_is_no_wait_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        drain.drain, ["--wait", "--timeout", "1ms", "--state-dir", str(tmp_path)]
    )

    assert result.exit_code == 2
    assert "1ms is too short; write at least 100ms" in result.stderr


def test_a_timeout_with_its_unit_is_taken(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        drain.drain, ["--wait", "--timeout", "30s", "--state-dir", str(tmp_path)]
    )

    assert result.exit_code == 3
