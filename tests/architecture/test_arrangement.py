"""The files say what they are for, and the pages show how they are arranged."""

from __future__ import annotations

import re

from tests.architecture import drawing, imports, repository

MODULES = tuple(imports.modules().values())


def test_every_file_says_what_it_is_for() -> None:
    silent = [
        module.name
        for module in MODULES
        if module.charter.rstrip(".") == module.name.rpartition(".")[2]
        or len(module.charter.split()) < 2
    ]

    assert not silent, f"{silent}: the first line of a docstring says what problem the file solves"


def test_the_drawings_are_made_from_the_imports() -> None:
    assert repository.read(drawing.NAME) == drawing.render(), (
        "the imports are others than those drawn: run python -m tests.architecture.drawing"
    )


def test_every_package_has_its_row_among_the_layers_and_nothing_else_has() -> None:
    section = (
        repository.read("CONTRIBUTING.md").split("## Where things are\n")[1].split("\n## ")[0]
    )
    named = re.findall(r"^\| `([a-z/]+)` \|", section, re.MULTILINE)
    folders = [path.name for path in imports.PACKAGE.iterdir() if (path / "__init__.py").exists()]

    assert {name for name in named if "/" not in name} == set(folders)
    assert [name for name in named if not (imports.PACKAGE / name).exists()] == []
