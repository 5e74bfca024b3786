"""The image as buildah builds it, and its containers as a node runs them.

kubelet turns a manifest into a runtime's document; here it is made the same way, so that what the
manifest forbids is forbidden in the test: the user, the root file system, capabilities, new
privileges, system calls, memory. There is no daemon, and nothing is left on the machine.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.architecture import repository
from tests.container import seccomp

BASE = "docker.io/library/python:3.13-slim"
"""What the Dockerfile begins with; a test holds the two together."""
TAG = "localhost/exabgp-k8s:test"
MIB = 2**20
Container = dict[str, Any]


class Builder:
    """One buildah with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._command = (
            "buildah",
            "--root",
            str(folder / "store"),
            "--runroot",
            str(folder / "run"),
        )

    def ask(self, *arguments: str) -> str:
        """Return what buildah prints; what it complains about is shown."""
        done = subprocess.run(
            [*self._command, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
        )
        assert done.returncode == 0, f"buildah {' '.join(arguments)}:\n{done.stderr[-8000:]}"
        return done.stdout.strip()

    def take_base(self) -> None:
        """Import the base image that IMAGE_BASE names; without it, the registry is asked."""
        if archive := os.environ.get("IMAGE_BASE"):
            working = self.ask("from", "scratch")
            self.ask("add", working, str(Path(archive).resolve()), "/")
            self.ask(
                "config", "--env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", working
            )
            self.ask("commit", "--quiet", "--rm", working, BASE)
        else:
            self.ask("pull", "--quiet", BASE)

    def build(self) -> None:
        """Follow the Dockerfile."""
        options = shlex.split(os.environ.get("IMAGE_BUILD_OPTIONS", ""))
        # tox runs the tests in a copy of the tree without the package.
        source = os.environ.get("IMAGE_SOURCE", str(repository.ROOT))
        self.ask("bud", "--layers", "--network", "host", *options, "--tag", TAG, source)

    def mount(self, image: str) -> tuple[str, Path]:
        """Return a container of an image, and where its files are."""
        working = self.ask("from", image)
        return working, Path(self.ask("mount", working))

    def described(self, image: str) -> dict[str, Any]:
        """Return the image's own document (OCI image-spec)."""
        found: dict[str, Any] = json.loads(self.ask("inspect", "--type", "image", image))["OCIv1"]
        return found

    def remove_all(self) -> None:
        """Unmount and forget everything."""
        self.ask("umount", "--all")
        self.ask("rm", "--all")
        self.ask("rmi", "--all", "--force")


def size(folder: Path) -> float:
    """Return the MB of a tree's files, each counted once; MB, as image sizes are told."""
    found = {
        (each.lstat().st_dev, each.lstat().st_ino): each.lstat().st_size
        for each in folder.rglob("*")
        if not each.is_dir() or each.is_symlink()
    }
    return sum(found.values()) / 1e6


def bundle(
    folder: Path,
    files: Path,
    config: Mapping[str, Any],
    pod: Container,
    container: Container,
    *,
    arguments: Sequence[str],
    env: Mapping[str, str] | None = None,
    mounts: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write a runtime's document for a container of a manifest."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["runc", "spec", "--bundle", folder], check=True)
    document = json.loads((folder / "config.json").read_text())
    limits = container["securityContext"]
    kept = [f"CAP_{each}" for each in limits["capabilities"].get("add", ())]
    security = {**pod.get("securityContext", {}), **limits}
    document["process"] |= {
        "terminal": False,
        "user": {"uid": security["runAsUser"], "gid": security["runAsGroup"]},
        "args": list(arguments),
        "env": [*config["Env"], *(f"{name}={value}" for name, value in (env or {}).items())],
        "capabilities": {
            each: kept if each != "ambient" else [] for each in document["process"]["capabilities"]
        },
        "noNewPrivileges": not limits["allowPrivilegeEscalation"],
    }
    document["root"] = {"path": str(files), "readonly": limits["readOnlyRootFilesystem"]}
    document["mounts"] += mounts
    linux = document["linux"]
    # hostNetwork: the test's router and API server are on the machine's loopback.
    linux["namespaces"] = [each for each in linux["namespaces"] if each["type"] != "network"]
    memory = container["resources"]["limits"]["memory"].removesuffix("Mi")
    linux["resources"]["memory"] = {"limit": int(memory) * MIB}
    linux["seccomp"] = seccomp.profile(kept)
    (folder / "config.json").write_text(json.dumps(document))


def memory_volume(path: str, megabytes: int = 4) -> dict[str, Any]:
    """Return a place for what is short-lived, open to every user of the container."""
    options = ["nosuid", "nodev", "noexec", "mode=1777", f"size={megabytes}m"]
    return {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": options}


def bound(source: Path, path: str, *, is_read_only: bool = True) -> dict[str, Any]:
    """Return a directory of the node in a container."""
    options = ["rbind", "ro" if is_read_only else "rw"]
    return {"destination": path, "type": "bind", "source": str(source), "options": options}
