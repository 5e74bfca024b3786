"""What the release workflow reads out of the tree is there to be read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
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


def test_every_action_is_pinned_to_a_commit_and_says_its_version() -> None:
    """A tag of somebody else's can be moved, and what it names then signs our image."""
    for workflow in sorted((repository.ROOT / ".github/workflows").iterdir()):
        used = re.findall(r"uses: (.*)$", workflow.read_text(), re.MULTILINE)

        assert used
        assert [
            each for each in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", each)
        ] == []


def test_what_is_built_is_what_is_released(jobs: dict[str, Any]) -> None:
    """Each artifact that a job leaves for the release is one that it downloads."""
    steps = [step for job in jobs.values() for step in job["steps"]]
    left = {step["with"]["name"] for step in steps if "/upload-artifact@" in step.get("uses", "")}
    (taken,) = (step["with"] for step in steps if "/download-artifact@" in step.get("uses", ""))

    assert taken["pattern"] == "{dist,sbom,chart}"
    assert left == {"dist", "sbom", "chart"}
    assert set(jobs["release"]["needs"]) == {"packages", "image", "chart"}


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> Path:
    shutil.copytree(repository.ROOT / "daemonset", tmp_path / "daemonset")
    return tmp_path


def test_the_chart_of_a_release_names_the_image_by_its_digest(
    jobs: dict[str, Any], copy: Path
) -> None:
    edit = script(jobs, "The chart, with the image by its digest").split("helm")[0]
    subprocess.run(
        ["bash", "-euc", edit],
        cwd=copy,
        env={"IMAGE": "ghcr.io/o/r", "DIGEST": "sha256:abc", "PATH": "/usr/bin:/bin"},
        check=True,
    )
    values = yaml.safe_load((copy / "daemonset/charts/exabgp-k8s/values.yaml").read_text())

    assert values["image"]["repository"] == "ghcr.io/o/r"
    assert values["image"]["digest"] == "sha256:abc"
