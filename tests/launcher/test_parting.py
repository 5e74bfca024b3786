"""What is written down for the routers before the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from exabgp_k8s import parting


def test_the_words_name_the_node_and_why() -> None:
    assert parting.compose("n1", ["cordoned", "stopping"]) == "n1: cordoned, stopping"


@pytest.mark.parametrize(("node", "cause"), [("n" * 253, "stopping"), ("n1", "é\n" * 200)])
def test_they_are_short_and_plain_whatever_the_names(node: str, cause: str) -> None:
    text = parting.compose(node, [cause])

    assert len(text.encode()) <= parting.LIMIT
    assert text.isprintable()
    assert text.isascii()
    assert ": " in text


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert parting.read(tmp_path) is None

    parting.write(tmp_path, "n1: stopping", ["192.0.2.1", "2001:db8::1"])
    assert parting.read(tmp_path) == (
        "n1: stopping",
        frozenset({"192.0.2.1", "2001:db8::1"}),
    )

    parting.forget(tmp_path)
    parting.forget(tmp_path)
    assert parting.read(tmp_path) is None
