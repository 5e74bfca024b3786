"""A pod of the DaemonSet as a node's runtime has it, between a real router and an API server."""

from __future__ import annotations

import itertools
import os
import subprocess
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.architecture import repository
from tests.container import engine
from tests.support.lab import Lab

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_numbers = itertools.count()


class Running:
    """One container; the bundle says what it may."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        self.name = f"exabgp-k8s-test-{os.getpid()}-{next(_numbers)}"

    @property
    def command(self) -> list[str]:
        """The command that runs it in the foreground."""
        return ["runc", "run", "--bundle", str(self.bundle), self.name]

    def finish(self) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(self.command, capture_output=True, text=True, check=False)

    def inside(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as probes and hooks are."""
        return subprocess.run(
            ["runc", "exec", self.name, *arguments], capture_output=True, text=True, check=False
        )

    def remove(self) -> None:
        """End it, whatever it does."""
        subprocess.run(["runc", "delete", "--force", self.name], capture_output=True, check=False)


def pod(manifest: str) -> dict[str, Any]:
    """Return the pod that a manifest makes."""
    found: dict[str, Any] = repository.manifest(manifest)["spec"]["template"]["spec"]
    return found


class Contained(Lab):
    """The lab, with ``run`` in a container of the image."""

    container: Running
    emptydir: Path
    asking: dict[str, str]

    def contain(self, files: Path, config: Mapping[str, Any], volume: Path) -> None:
        """Make the container; the settings lie where the manifest has them."""
        spec = pod("daemonset.yaml")
        (container,) = spec["containers"]
        for each in (self.directory, self.settings, self.directory / "kubeconfig", self.passwords):
            each.chmod(0o755)
        named = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        state_dir = named["EXABGP_K8S_STATE_DIR"]
        (mounted,) = (each for each in container["volumeMounts"] if each["name"] == "state")
        self.asking = self.account(volume.with_name("account"))
        # As kubelet makes an emptyDir in memory: on the node, open to all, and bound into the pod.
        kept = volume.with_name("emptydir")
        kept.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "mode=777,size=4m,nosuid,nodev", "tmpfs", kept],
            check=True,
        )
        self.emptydir, self.state_dir = kept, kept / Path(state_dir).name
        engine.bundle(
            volume, files, config, spec, container,
            arguments=[*config["Entrypoint"], *container["args"]],
            env={
                **self.asking,
                "NODE_NAME": self.name,
                "EXABGP_K8S_HTTP": f"127.0.0.1:{self.http_port}",
                "EXABGP_K8S_SETTINGS": str(self.settings),
                "EXABGP_K8S_PASSWORD_DIR": str(self.passwords),
                "EXABGP_K8S_STATE_DIR": state_dir,
            },
            mounts=[
                engine.bound(kept, mounted["mountPath"], is_read_only=False),
                engine.bound(self.directory, str(self.directory)),
                engine.bound(volume.with_name("account"), ACCOUNT),
            ],
        )  # fmt: skip
        self.container = Running(volume)

    def account(self, folder: Path) -> dict[str, str]:
        """Write what a pod has to ask the API servers with; return the variables beside it."""
        folder.mkdir()
        (folder / "token").write_text(self.api.token)
        (folder / "ca.crt").write_bytes(self.api.ca)
        (folder / "namespace").write_text("exabgp-k8s")
        where = urllib.parse.urlsplit(self.api.url)
        return {
            "KUBERNETES_SERVICE_HOST": str(where.hostname),
            "KUBERNETES_SERVICE_PORT": str(where.port),
        }

    def __exit__(self, *problem: object) -> None:
        """End the container with all that it has."""
        self.container.remove()
        super().__exit__(*problem)
        subprocess.run(["umount", "--lazy", self.emptydir], check=True)

    def arguments(self) -> Sequence[str]:  # type: ignore[override]
        """Return the runtime's command line."""
        return self.container.command
