"""Our program on a node of the bed: started as its container would, drained as an admin would."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.fabric import namespaces, nodes, volume, waiting
from tests.support import asking, pods, processes

CLI = (sys.executable, "-m", "exabgp_k8s")


class NodeAgent:
    """``exabgp-k8s run`` in a node's namespace, and the command line against it."""

    def __init__(
        self,
        node: nodes.Node,
        *,
        settings: Path,
        kubeconfig: Path,
        passwords: Mapping[str, str],
    ) -> None:
        self.node = node
        self.settings = settings
        self.kubeconfig = kubeconfig
        self.state_dir = node.directory / "state"
        self.passwords = volume.Volume(node.directory / "passwords", passwords)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, as kubelet starts the container."""
        self.process = self.node.namespace.start(
            [
                *CLI, "run",
                "--settings", str(self.settings),
                "--node", self.node.name,
                "--namespace", pods.NAMESPACE,
                "--pod", pods.name_of(self.node.name),
                "--kubeconfig", str(self.kubeconfig),
                "--password-dir", str(self.passwords.path),
                "--state-dir", str(self.state_dir),
                "--bfd-dir", str(self.node.directory / "bfd"),
                "--http", "127.0.0.1:9179",
            ],
            log=self.node.directory / "agent.log",
        )  # fmt: skip

    def forget(self) -> None:
        """Lose the state directory: it is in memory, and lives as long as the pod."""
        shutil.rmtree(self.state_dir)

    def terminate(self) -> int:
        """End it with SIGTERM, as kubelet does, and return its exit code."""
        assert self.process is not None
        return namespaces.stop(self.process, number=signal.SIGTERM)

    def exabgp(self) -> psutil.Process:
        """Return ExaBGP's process: the supervisor's only child."""
        return self._of_the_lineage(2, "ExaBGP runs")

    def agent(self) -> psutil.Process:
        """Return the agent's process: ExaBGP's only child."""
        return self._of_the_lineage(3, "the agent runs")

    def _of_the_lineage(self, number: int, what: str) -> psutil.Process:
        """Return the last of so many processes once so many live: one may be starting."""
        assert self.process is not None
        pid, found = self.process.pid, list[psutil.Process]()

        def are_there() -> bool:
            found[:] = processes.lineage(pid)[:number]
            return len(found) == number

        waiting.until(are_there, what)
        return found[-1]

    def run_cli(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours against this node's agent."""
        return subprocess.run(
            [*CLI, command, *arguments, "--state-dir", str(self.state_dir)],
            capture_output=True,
            text=True,
            check=False,
        )

    def drain(self) -> None:
        """``exabgp-k8s drain --wait``: when it returns, the node may go down."""
        done = self.run_cli("drain", "--wait")
        assert done.returncode == 0, done.stderr

    def pre_stop(self) -> None:
        """Run the manifest's preStop hook, as kubelet does before it sends SIGTERM."""
        command, *arguments = pods.pre_stop()
        done = self.run_cli(command, *arguments)
        assert done.returncode == 0, done.stderr

    def undrain(self) -> None:
        """``exabgp-k8s undrain``."""
        done = self.run_cli("undrain")
        assert done.returncode == 0, done.stderr

    def answers(self) -> bool:
        """Whether the agent answers: for a moment after its end there is none."""
        return asking.ask(self.state_dir, "status") is not None

    def status(self) -> dict[str, Any]:
        """``exabgp-k8s status -o json``."""
        answer: dict[str, Any] = self._read("status")
        return answer

    def rows(self, command: str) -> list[dict[str, Any]]:
        """``exabgp-k8s sessions`` and its like, ``-o json``."""
        answer: list[dict[str, Any]] = self._read(command)
        return answer

    def session(self, peer: str) -> dict[str, Any]:
        """``exabgp-k8s sessions PEER``, ``-o json``."""
        answer: dict[str, Any] = self._read(f"session?name={peer}")
        return answer

    def causes(self) -> list[str]:
        """Return the causes that ``status`` names."""
        return [each["cause"] for each in self.status()["causes"]]

    def _read(self, command: str) -> Any:
        """Return what a command shows once an agent answers: one may be starting."""
        shown: list[Any] = [None]

        def is_answered() -> bool:
            shown[0] = asking.ask(self.state_dir, command)
            return shown[0] is not None

        waiting.until(is_answered, f"the agent of {self.node.name} answers")
        return shown[0]
