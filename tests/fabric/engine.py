"""The BFD engine of a node of the bed: the manifest's commands, with the manifest's rights."""

from __future__ import annotations

import re
import subprocess
from typing import Any

from tests.architecture import repository
from tests.fabric import agents, namespaces, nodes, waiting
from tests.support import terminals

MANIFEST = "components/bfd/daemonset.yaml"
SHARED = "/run/exabgp-k8s-bfd"


class Engine:
    """BIRD beside the agent of one node; it lives as long as the node."""

    def __init__(self, node: nodes.Node) -> None:
        self._node, self._directory = node, node.directory / "bfd"
        self._pod: dict[str, Any] = repository.manifest(MANIFEST)["spec"]["template"]["spec"]
        self._control = self._directory / "bird.ctl"
        self._log = node.directory / "bfd-log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, as kubelet does, and return when it answers."""
        self._directory.mkdir(mode=0o755, exist_ok=True)
        (first,), (main,) = self._pod["initContainers"], self._pod["containers"]
        assert self._run(first, first["command"]).wait(120) == 0
        self.process = self._run(main, main["command"])
        waiting.until(lambda: bool(self.ask("show status")), f"BIRD of {self._node.name} answers")

    def pre_stop(self) -> subprocess.Popen[bytes]:
        """Begin the manifest's preStop hook."""
        (main,) = self._pod["containers"]
        command = main["lifecycle"]["preStop"]["exec"]["command"]
        return self._run(main, [*agents.CLI, *command[1:]])

    def kill(self) -> None:
        """Kill BIRD."""
        assert self.process is not None
        namespaces.stop(self.process)

    def configuration(self) -> str:
        """Return what it was told."""
        return (self._directory / "bird.conf").read_text()

    def ask(self, command: str) -> str:
        """Return what BIRD answers; nothing while there is none."""
        return terminals.ask_bird(self._control, command)

    def sessions(self) -> dict[str, tuple[str, float]]:
        """Return the state of each session and since when, by the router's address."""
        row = r"^(\S+)\s+\S+\s+(Up|Down|Init|AdminDown)\s+(\d+\.\d+)"
        found = re.findall(row, self.ask("show bfd sessions"), re.MULTILINE)
        return {address: (state, float(since)) for address, state, since in found}

    def await_up(self, *routers: str) -> None:
        """Return when BFD is up with these routers."""

        def are_up() -> bool:
            found = self.sessions()
            return all(found.get(each, ("", 0.0))[0] == "Up" for each in routers)

        waiting.until(are_up, f"BFD of {self._node.name} is up with {routers}")

    def _run(self, container: dict[str, Any], command: list[str]) -> subprocess.Popen[bytes]:
        """Start a command as the runtime does: root, without what the manifest takes from it."""
        security, pod = container["securityContext"], self._pod["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"]["drop"] == ["ALL"]
        kept = [f"+{name.lower()}" for name in security["capabilities"].get("add", ())]
        return self._node.namespace.start(
            [
                "setpriv",
                f"--reuid={pod['runAsUser']}", f"--regid={pod['runAsGroup']}", "--clear-groups",
                "--no-new-privs", f"--bounding-set={','.join(['-all', *kept])}",
                "--inh-caps=-all", "--ambient-caps=-all",
                *(word.replace(SHARED, str(self._directory)) for word in command),
            ],
            log=self._log,
        )  # fmt: skip
