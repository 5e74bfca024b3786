"""Each replacement says what it replaces, and by which tests a change of ExaBGP is noticed."""

from __future__ import annotations

import importlib
import pathlib
import pkgutil
import re

import pytest

from exabgp_k8s import launcher
from exabgp_k8s.launcher import replacements
from tests.architecture import repository

MODULES = sorted(
    each.name
    for each in pkgutil.iter_modules(launcher.__path__)
    if each.name not in {"__main__", "replacements"}
)


@pytest.mark.parametrize("name", MODULES)
def test_a_replacement_names_its_version_and_tests_that_exist(name: str) -> None:
    said = importlib.import_module(f"{launcher.__name__}.{name}").__doc__ or ""

    assert "Replaced in ExaBGP 5.0.15:" in said
    noticed = re.findall(r"``(test_\w+)``", said[said.index("Noticed by:") :])
    assert noticed
    every = "".join(
        path.read_text() for path in pathlib.Path(repository.ROOT, "tests").rglob("test_*.py")
    )
    assert [each for each in noticed if f"def {each}(" not in every] == []


def test_every_replacement_is_installed() -> None:
    installed = {each.__name__.rpartition(".")[2] for each in replacements.ALL}

    assert installed == set(MODULES)
