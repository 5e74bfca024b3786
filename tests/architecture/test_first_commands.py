"""The README's two commands, where something is missing: a sentence that says what to do.

A machine is made of a few programs on PATH. What Debian brings is played by scripts, and so are
the programs that the commands install; the commands themselves are those of the tree.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture import repository

NOBODY = 65534
TOOLS = ("sh", "cat", "dirname", "env", "grep", "id", "tail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A clone of the tree's commands, and all the programs there are."""

    clone: Path
    programs: Path

    def install(self, name: str, script: str) -> None:
        """Add a program: the rest of a shell script."""
        write(self.programs / name, script)

    def install_venv(self, name: str, script: str) -> None:
        """Add a program to .venv."""
        write(self.clone / ".venv/bin" / name, script)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the tree as somebody who is not root."""
        is_root = os.geteuid() == 0
        return subprocess.run(
            [self.clone / ".ci" / command],
            user=NOBODY if is_root else None,
            group=NOBODY if is_root else None,
            extra_groups=() if is_root else None,
            env={"PATH": str(self.programs)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(name="machine")
def _machine() -> Iterator[Machine]:
    """One with Python 3.13, where no package of Debian is installed and nobody becomes root."""
    with tempfile.TemporaryDirectory(prefix="first-", dir="/tmp") as name:
        root = Path(name)
        shutil.copytree(repository.ROOT / ".ci", root / "clone/.ci")
        (root / "programs").mkdir()
        (root / "clone/.venv/bin").mkdir(parents=True)
        for folder in (root, root / "clone/.venv"):
            folder.chmod(0o777)
        made = Machine(clone=root / "clone", programs=root / "programs")
        for tool in TOOLS:
            (made.programs / tool).symlink_to(shutil.which(tool) or "missing")
        made.install("dpkg-query", "exit 1")
        made.install("apt-get", "echo asked for packages >&2; exit 1")
        made.install("python3", "exit 0")
        yield made


def test_who_is_not_root_and_has_no_venv_package_gets_one_sentence(machine: Machine) -> None:
    machine.install("python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    tried = machine.run("try")

    assert tried.returncode == 1
    assert tried.stdout == ""
    assert tried.stderr == (
        "Missing here: python3-venv. Only root can install that, and you cannot become root with "
        "sudo: ask an administrator to run `apt-get install python3-venv`.\n"
    )


def test_whom_sudo_refuses_reads_what_for_and_what_to_do(machine: Machine) -> None:
    machine.install("python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    machine.install("sudo", "echo nobody may not run sudo here. >&2; exit 1")
    tried = machine.run("try")

    assert tried.returncode == 1
    assert tried.stdout == "To install python3-venv, sudo may ask for your password.\n"
    assert tried.stderr.startswith("nobody may not run sudo here.\nMissing here: python3-venv. ")


def test_what_is_installed_needs_no_root(machine: Machine) -> None:
    machine.install("dpkg-query", "echo install ok installed")

    assert machine.run("packages").returncode == 0


def test_packages_of_another_distribution_are_named(machine: Machine) -> None:
    (machine.programs / "apt-get").unlink()
    tried = machine.run("packages")

    assert tried.returncode == 1
    assert "only Debian's and Ubuntu's packages are known here" in tried.stderr
    assert "bird2" in tried.stderr


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    machine.install("python3", '[ "$1" != -V ] || echo Python 3.10.12; [ "$1" = -V ]')
    tried = machine.run("try")

    assert tried.returncode == 1
    assert tried.stderr == (
        "Python 3.11 or newer is needed, and python3 is Python 3.10.12. "
        "Debian 12 and Ubuntu 24.04 have it.\n"
    )


def test_each_package_is_shown_as_pip_comes_to_it(machine: Machine) -> None:
    machine.install_venv(
        "python",
        'case "$3" in install) echo "Collecting click>=8.1 (from exabgp-k8s==0.1.0)";'
        ' echo "  Downloading click-8.4.0-py3-none-any.whl (98 kB)";'
        ' echo "Collecting pyyaml!=7,>=6.0.1 (from exabgp-k8s==0.1.0)";'
        ' echo "Installing collected packages: click, pyyaml" ;; esac',
    )
    machine.install_venv("exabgp-k8s", 'echo "our command: $*"')
    tried = machine.run("try")

    assert tried.returncode == 0, tried.stderr
    assert tried.stdout == (
        "Installing into .venv, which takes a minute at most:\n"
        "  click pyyaml ... unpacking ... done.\n\nour command: try\n"
    )


def test_what_pip_said_last_is_shown_where_it_fails(machine: Machine) -> None:
    machine.install_venv(
        "python",
        'case "$3" in install) echo "Collecting click>=8.1";'
        ' echo "ERROR: No matching distribution found for click>=8.1" >&2; exit 1 ;; esac',
    )
    tried = machine.run("try")

    assert tried.returncode == 1
    assert "\nERROR: No matching distribution found for click>=8.1\n" in tried.stderr
    assert "PIP_INDEX_URL" in tried.stderr


def test_without_root_all_tests_run_that_need_none(machine: Machine) -> None:
    machine.install_venv("python", "exit 0")
    machine.install_venv("tox", 'echo "tox $*"')
    tried = machine.run("test")

    tox = configparser.ConfigParser()
    tox.read_string(repository.read("tox.ini"))
    without = tox["tox"]["env_list"].replace(" ", "").replace(",real", ",functional")
    assert tried.returncode == 1
    assert f"tox -e {without}\n" in tried.stdout
    assert tried.stdout.index("need root and are left out") < tried.stdout.index("tox -e")
    assert tried.stderr.endswith(
        "All of these passed. Not run, because they need root: tox -e fabric\n"
    )


def test_who_may_become_root_runs_every_test(machine: Machine) -> None:
    machine.install("dpkg-query", "echo install ok installed")
    machine.install("sudo", "exit 0")
    machine.install_venv("python", "exit 0")
    machine.install_venv("tox", 'echo "tox $*."')
    tried = machine.run("test")

    assert (tried.returncode, tried.stdout) == (0, "tox .\n")
