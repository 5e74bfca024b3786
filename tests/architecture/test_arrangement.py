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
    named = re.findall(r"^\| `([a-z_/]+)` \|", section, re.MULTILINE)
    folders = [path.name for path in imports.PACKAGE.iterdir() if (path / "__init__.py").exists()]

    assert {name for name in named if "/" not in name} == set(folders)
    assert [name for name in named if not (imports.PACKAGE / name).exists()] == []


def test_every_file_that_a_page_names_exists() -> None:
    """The decisions are history and name what there was."""
    missing = {
        (page.name, named)
        for page in repository.pages()
        if page.parent.name != "adr"
        for named in re.findall(r"`([a-z_]+(?:/[a-z_]+)+\.py)`", page.read_text(encoding="utf-8"))
        if not (imports.PACKAGE / named).exists() and not (repository.ROOT / named).exists()
    }

    assert not missing, f"{missing}: these files have other names or places now"


def test_every_module_that_a_docstring_names_exists() -> None:
    known = imports.modules()
    folders = "|".join(name.partition(".")[2] for name in known if name.count(".") == 1)
    named = re.compile(rf"``((?:{folders})\.[a-z_]+)[`.]")
    missing = {
        (path.name, found)
        for folder in (imports.PACKAGE, repository.ROOT / "tests")
        for path in folder.rglob("*.py")
        for found in named.findall(path.read_text(encoding="utf-8"))
        if f"{imports.PACKAGE.name}.{found}" not in known
    }

    assert not missing, f"{missing}: these modules have other names or places now"
