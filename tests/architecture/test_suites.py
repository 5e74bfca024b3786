"""Each suite is looked for in some folders only: a test elsewhere would never run."""

from __future__ import annotations

import re

import pytest

from tests.architecture import repository


@pytest.mark.parametrize("suite", ["functional", "fabric"])
def test_tox_looks_into_every_folder_that_has_tests_of_a_suite(suite: str) -> None:
    (looks_into,) = re.findall(rf"-m {suite} \{{posargs:(.+)\}}", repository.read("tox.ini"))
    has_some = {
        str(path.parent.relative_to(repository.ROOT))
        for path in (repository.ROOT / "tests").rglob("test_*.py")
        if f"mark.{suite}\n" in path.read_text()
    }
    assert set(looks_into.split()) == has_some
