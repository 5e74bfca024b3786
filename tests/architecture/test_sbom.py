"""The list of what is in the image has every package of the lock, and Debian's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture import repository

DPKG = """Package: bird2
Status: install ok installed
Architecture: amd64
Version: 2.17.1+b1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""


def install(packages: Path, name: str, version: str, licence: str) -> None:
    folder = packages / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n{licence}\n")


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """An image's root, with the lists that its packages leave and nothing else."""
    packages = tmp_path / "opt/exabgp-k8s/lib/python3.13/site-packages"
    lock = repository.read("daemonset/image/requirements.txt")
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE):
        install(packages, name, version, "Classifier: License :: OSI Approved :: MIT License")
    install(packages, "exabgp-k8s", "1.2.3", "License-Expression: MIT")
    for name, text in {
        "etc/os-release": "VERSION_CODENAME=trixie\n",
        "var/lib/dpkg/status": DPKG,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def listed(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, repository.ROOT / ".ci/sbom", root],
        capture_output=True,
        text=True,
        check=False,
        env={"SOURCE_DATE_EPOCH": "0"},
    )


def document(root: Path) -> dict[str, Any]:
    done = listed(root)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_locked_package_stands_in_it_with_its_hashes_and_licence(root: Path) -> None:
    python = {
        each["name"]: each
        for each in document(root)["components"]
        if each["purl"].startswith("pkg:pypi/")
    }
    lock = repository.read("daemonset/image/requirements.txt")

    for block in re.split(r"^(?=\S)", lock, flags=re.MULTILINE)[1:]:
        name, version = block.split()[0].split("==")
        (files,) = python[name]["externalReferences"]
        assert python[name]["purl"] == f"pkg:pypi/{name}@{version}"
        assert {each["content"] for each in files["hashes"]} == set(
            re.findall(r"sha256:(\w+)", block)
        )
        assert python[name]["licenses"] == [{"license": {"name": "MIT License"}}]


def test_it_has_what_is_installed_of_debian(root: Path) -> None:
    found = [each["purl"] for each in document(root)["components"] if "pkg:deb" in each["purl"]]

    assert found == ["pkg:deb/debian/bird2@2.17.1%2Bb1?arch=amd64&distro=trixie"]


def test_it_is_the_list_of_this_version_and_the_same_each_time(root: Path) -> None:
    first = document(root)

    assert first["metadata"]["component"]["version"] == "1.2.3"
    assert first["metadata"]["component"]["licenses"] == [{"expression": "MIT"}]
    assert document(root) == first


def test_an_image_that_is_not_what_is_locked_has_no_list(root: Path) -> None:
    install(root / "opt/exabgp-k8s/lib/python3.13/site-packages", "stowaway", "6.6", "")
    done = listed(root)

    assert done.returncode == 1
    assert "stowaway 6.6" in done.stderr
