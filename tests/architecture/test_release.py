"""What the release workflow reads out of the tree is there to be read."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

import exabgp_k8s
from tests.architecture import repository

WORKFLOW = ".github/workflows/release.yaml"


@pytest.fixture(name="jobs")
def _jobs() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(repository.read(WORKFLOW))["jobs"]
    return found


def script(jobs: dict[str, Any], name: str) -> str:
    """Return the commands of a named step."""
    (found,) = (
        step["run"] for job in jobs.values() for step in job["steps"] if step.get("name") == name
    )
    return str(found)


def run(commands: str, tag: str) -> subprocess.CompletedProcess[str]:
    """Run them where the sources are, as the forge does."""
    return subprocess.run(
        ["bash", "-euc", commands],
        cwd=repository.ROOT,
        env={"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tag_that_is_not_the_version_releases_nothing(jobs: dict[str, Any]) -> None:
    check = script(jobs, "The tag is the version of the source").replace(
        "exabgp_k8s/__init__.py", exabgp_k8s.__file__
    )

    assert run(check, f"v{exabgp_k8s.__version__}").returncode == 0
    assert run(check, "v9.9.9").returncode == 1


def test_the_changes_of_a_version_are_its_section_of_the_changelog(jobs: dict[str, Any]) -> None:
    extract = script(jobs, "What changed").replace("changes.md", "/dev/stdout").splitlines()
    found = run("\n".join(extract[:2]), "vUnreleased").stdout

    assert found.startswith("## [Unreleased]\n")
    assert "### Added" in found


def test_every_job_waits_for_the_tests(jobs: dict[str, Any]) -> None:
    assert {name for name, job in jobs.items() if "needs" not in job} == {"test"}


def test_a_job_has_the_rights_that_it_names_and_no_others() -> None:
    assert yaml.safe_load(repository.read(WORKFLOW))["permissions"] == {"contents": "read"}
