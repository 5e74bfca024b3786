"""The image installs what the project asks for, locked, and nothing that it left out."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging import requirements, utils

from tests.architecture import repository
from tests.support import image

LOCKS = ("requirements", "build-requirements")


@pytest.fixture(name="project")
def _project() -> dict[str, Any]:
    return tomllib.loads(repository.read("pyproject.toml"))


def locked(name: str) -> dict[str, str]:
    """Return package → version of a list that pip installs from."""
    text = repository.read(f"daemonset/image/{name}.txt")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_locked_to_its_hashes(name: str) -> None:
    entries = repository.read(f"daemonset/image/{name}.txt").replace("\\\n", " ").splitlines()

    assert entries
    assert [each for each in entries if "--hash=sha256:" not in each] == []


def test_the_lock_is_within_the_ranges_of_the_project(project: dict[str, Any]) -> None:
    asked = [
        requirements.Requirement(each)
        for each in (
            *project["project"]["dependencies"],
            *project["project"]["optional-dependencies"].get("looking-glass", ()),
        )
    ]
    found = locked("requirements")

    assert [
        str(each)
        for each in asked
        if utils.canonicalize_name(each.name) not in found
        or found[utils.canonicalize_name(each.name)] not in each.specifier
    ] == []


def test_what_is_left_out_is_not_locked() -> None:
    assert set(locked("requirements")) & set(image.left_out("unused-packages")) == set()


def test_the_wheel_is_built_by_what_the_project_names(project: dict[str, Any]) -> None:
    assert set(project["build-system"]["requires"]) <= set(locked("build-requirements"))
