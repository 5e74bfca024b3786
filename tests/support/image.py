"""The packages that the image has, made from those that are installed here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from tests.architecture import repository


def left_out(what: str) -> list[str]:
    """Return the lines of ``unused-packages`` or ``unused-paths``."""
    return repository.read(f"daemonset/image/{what}.txt").split()


def python(directory: Path) -> str:
    """Make an environment without what the image leaves out; return its interpreter."""
    root = directory / "image"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root], check=True)
    (packages,) = root.glob("lib/python3*/site-packages")
    source = Path(sysconfig.get_path("purelib"))
    unused = {source / path for path in left_out("unused-paths")}
    for name in left_out("unused-packages"):
        unused |= {source / each.parts[0] for each in metadata.files(name) or ()}

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [each for each in names if Path(folder) / each in unused or each == "__pycache__"]

    shutil.copytree(source, packages, ignore=ignored, dirs_exist_ok=True)
    return str(root / "bin" / "python")
