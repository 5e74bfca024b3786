"""One command brings every generated file up to date, so that nobody has to know them all."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture import __main__ as all_of_them
from tests.architecture import repository

BY_THEMSELVES = {"schemas"}
"""What needs tools that not everybody has, and is written anew once in a year."""


def test_every_generator_is_run_by_the_one_command() -> None:
    found = {
        path.stem
        for path in Path(all_of_them.__file__).parent.glob("*.py")
        if not path.name.startswith("test_")
        and '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    }

    assert {f"tests.architecture.{name}" for name in found - {"__main__"} - BY_THEMSELVES} == {
        name for name in all_of_them.GENERATORS if name.startswith("tests.architecture.")
    }


def test_the_contributors_page_names_what_makes_files() -> None:
    text = repository.read("CONTRIBUTING.md")

    assert "`python -m tests.architecture`" in text
    for path in (repository.ROOT / "tests").rglob("*.py"):
        for name in re.findall(r"^\W*``(python -m tests\.fabric\.\w+)", path.read_text("utf-8")):
            assert f"`{name}" in text
