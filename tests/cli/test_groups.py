"""A command with a typo is answered with the one that was meant, and help tells each whole."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from exabgp_k8s.cli import root


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["statsu"], "status"),
        (["session"], "sessions"),
        (["undrian"], "undrain"),
        (["config", "vaildate"], "validate"),
    ],
)
def test_the_command_that_was_meant_is_named(written: list[str], meant: str) -> None:
    result = CliRunner().invoke(root.main, written)

    assert result.exit_code == 2
    assert f"did you mean {meant}?" in result.stderr


def test_a_word_like_no_command_is_answered_with_all_of_them() -> None:
    result = CliRunner().invoke(root.main, ["xyzzy"])

    assert "did you mean" not in result.stderr
    assert "there are: run, status, sessions" in result.stderr


@pytest.mark.parametrize("words", [[], ["config"], ["cluster"]], ids=["root", "config", "cluster"])
def test_every_command_is_told_in_a_sentence_that_ends(words: list[str]) -> None:
    """A person reads them in 80 columns, where click cuts what is longer."""
    shown = CliRunner().invoke(root.main, [*words, "--help"], terminal_width=80).stdout

    told = shown.partition("Commands:\n")[2].splitlines()
    assert told
    assert [line for line in told if not line.endswith(".") or line.endswith("...")] == []
