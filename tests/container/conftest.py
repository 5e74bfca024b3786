"""The image, built once for all that look at it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.container import engine, seccomp

MISSING = (
    "tests/container builds the image and runs it as a node does. It needs root, the programs"
    " buildah and runc, and {file} (Debian: apt-get install buildah runc"
    " golang-github-containers-common); missing here: {what}."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Built:
    """The image, the base that it stands on, and the files of both."""

    description: dict[str, Any]
    base_description: dict[str, Any]
    files: Path
    base_files: Path

    @property
    def config(self) -> dict[str, Any]:
        """How a container of it starts."""
        config: dict[str, Any] = self.description["config"]
        return config


@pytest.fixture(scope="session", name="built")
def _built() -> Iterator[Built]:
    missing = [name for name in ("buildah", "runc") if shutil.which(name) is None]
    missing += [] if seccomp.SOURCE.exists() else [str(seccomp.SOURCE)]
    missing += [] if os.geteuid() == 0 else ["root"]
    if missing:
        pytest.fail(MISSING.format(file=seccomp.SOURCE, what=", ".join(missing)))
    with tempfile.TemporaryDirectory(prefix="image-test-") as name:
        builder = engine.Builder(Path(name))
        try:
            builder.take_base()
            builder.build()
            _, base_files = builder.mount(engine.BASE)
            _, files = builder.mount(engine.TAG)
            yield Built(
                description=builder.described(engine.TAG),
                base_description=builder.described(engine.BASE),
                files=files,
                base_files=base_files,
            )
        finally:
            builder.remove_all()
            subprocess.run(
                ["umount", "--recursive", "--quiet", f"{name}/store/overlay"], check=False
            )
