"""The page about moving shows what ``config convert`` makes of the manifests on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from exabgp_k8s.cli import config
from tests.architecture import repository

PAGE = repository.ROOT / "docs/how-to/move.md"
RANGES = ("--services", "10.96.0.0/16", "--pods", "10.244.0.0/16")


def test_the_page_shows_what_the_command_makes_of_its_manifests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = repository.blocks(PAGE, "yaml")
    (said,) = repository.blocks(PAGE, "text")
    (tmp_path / "theirs.yaml").write_text(theirs)
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(
        config.group, ["convert", "--from", "metallb", *RANGES, "theirs.yaml"]
    )

    assert done.exit_code == 0
    assert done.stdout == ours
    assert done.stderr == said
