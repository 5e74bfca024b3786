"""A ConfigMap or Secret volume, changed as kubelet changes one.

The files are symbolic links through ``..data``, and an edit swaps that one link: a reader sees
all of the old or all of the new (kubernetes pkg/volume/util/atomic_writer.go).
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path

DATA = "..data"


class Volume:
    """A directory of small files that change together."""

    def __init__(self, path: Path, files: Mapping[str, str]) -> None:
        self.path = path
        self._edits = itertools.count(1)
        path.mkdir()
        self.write(files)

    def write(self, files: Mapping[str, str]) -> None:
        """Replace all files in one step."""
        old = (self.path / DATA).resolve()
        fresh = self.path / f"..{next(self._edits)}"
        fresh.mkdir()
        for name, text in files.items():
            (fresh / name).write_text(text)
        link = self.path / "..data_tmp"
        link.symlink_to(fresh.name)
        link.replace(self.path / DATA)
        for name in files:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"{DATA}/{name}")
        if old.name != DATA:
            self._remove(old, kept=files)

    def _remove(self, old: Path, kept: Mapping[str, str]) -> None:
        for path in old.iterdir():
            if path.name not in kept:
                (self.path / path.name).unlink()
        shutil.rmtree(old)
