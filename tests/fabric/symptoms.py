"""The bed of the page about symptoms, and what is typed in it to tell causes apart.

Whoever types at a prompt of the page is answered by the real program: ours in the pod, the
router's own terminal, the kernel's counters, a client outside of the cluster. The faults are in
``faults``.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fabric import bird, cluster, frr, routers, topology, waiting

PAGE = "docs/how-to/troubleshoot.md"
PEERS = ("tor-a", "tor-b")
SICK = "n1"
MISTAKES = """\
bgp: {asn: 64512}
peers:
  - {name: tor-a, address: 192.0.2.1, asn: 64513 or so}
announce:
  services: {cidrs: [10.96.0.0/16]}
"""


class Symptoms:
    """Two nodes before two routers, ``tor-a`` with FRR and ``tor-b`` with BIRD."""

    def __init__(self) -> None:
        self._close = contextlib.ExitStack()
        try:
            self.fabric = topology.Fabric([frr.Frr, bird.Bird], nodes_wanted=2)
            self._close.callback(self.fabric.delete)
            self.cluster = cluster.Cluster(self.fabric)
            self._close.callback(self.cluster.stop)
            document = self.cluster.document()
            for peer, name in zip(document["peers"], PEERS, strict=True):
                peer["name"] = name
            self._settings, self._edits = document, 0
            self.cluster.write(document)
            self.cluster.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove everything."""
        self._close.close()

    def run(self, prompt: str, command: str) -> str:
        """Return what is answered at a prompt such as ``root@tor-a#``."""
        host = prompt.rstrip("#$").partition("@")[2]
        argv = shlex.split(command)
        # The plugin is ours, and there is no cluster that kubectl itself could ask.
        program = ["exabgp-k8s", "cluster", *argv[2:]] if argv[0] == "kubectl" else argv
        done = subprocess.run(
            [*self._entered(host), *program, *self._unsaid(host, argv)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "100", "PATH": self._path()},
        )
        # The file of the settings has another place in each bed.
        said = (done.stdout + done.stderr).replace(f"{self.fabric.directory}/", "")
        if done.returncode and argv[0] in {"exabgp-k8s", "curl"}:
            said += f"$ echo $?\n{done.returncode}\n"
        return said

    # -- where a command runs ---------------------------------------------------------------------

    def _entered(self, host: str) -> Sequence[str]:
        """Return what enters the namespace of a host."""
        if host in PEERS:
            name = self.router(host).namespace.name
        elif host == "client":
            name = self.fabric.client.name
        elif host == "desk":
            name = self.fabric.control.name
        else:
            name = self.fabric.node(host).namespace.name
        return ("ip", "netns", "exec", name)

    def _unsaid(self, host: str, argv: Sequence[str]) -> Sequence[str]:
        """Return the options that a program needs here only, for it has no place of its own."""
        match argv[0]:
            case "vtysh":
                return ("--vty_socket", str(self.router(host).directory), "-d", "bgpd")
            case "birdc":
                return ("-s", str(self.router(host).directory / "bird.ctl"))
            case "exabgp-k8s" if argv[1] == "run":
                return ("--node", host, "--settings", str(self._file(MISTAKES)))
            case "exabgp-k8s" if argv[1] == "config":
                return (str(self._file(MISTAKES)),)
            case "exabgp-k8s":
                return ("--state-dir", str(self.cluster.agents[host].state_dir))
            case "kubectl":
                return ("--kubeconfig", str(self.fabric.directory / "kubeconfig"))
            case _:
                return ()

    def _path(self) -> str:
        return f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def _file(self, text: str) -> Path:
        path = self.fabric.directory / "settings.yaml"
        path.write_text(text)
        return path

    # -- what the faults use ----------------------------------------------------------------------

    def router(self, name: str) -> routers.Router:
        """Return a router by its peer's name."""
        return self.fabric.routers[PEERS.index(name)]

    @property
    def tor_a(self) -> frr.Frr:
        """Return the router that gets most faults."""
        found = self.router("tor-a")
        assert isinstance(found, frr.Frr)
        return found

    def problem(self, peer: str) -> str:
        """Return what the sick node says of its session with a peer."""
        row = self.row(peer)
        return f"{row['state']} {row['problem'] or ''}"

    def row(self, peer: str) -> dict[str, Any]:
        """Return the sick node's row of a session."""
        rows = self.cluster.agents[SICK].rows("sessions")
        return next(each for each in rows if each["peer"] == peer)

    def states(self) -> set[str]:
        """Return the states of the sick node's routes."""
        return {each["state"] for each in self.cluster.agents[SICK].rows("routes")}

    def write(self, **changes: object) -> None:
        """Write the settings with other options of the first peer."""
        first, second = self._settings["peers"]
        self.cluster.write({**self._settings, "peers": [{**first, **changes}, second]})

    def mend(self) -> None:
        """Wait until the node is well; an edited peer is tried at once, however often it fell."""
        self._edits += 1
        hold_time = 9 - self._edits % 2
        self._settings["peers"] = [
            {**each, "holdTime": f"{hold_time}s"} for each in self._settings["peers"]
        ]
        self.write()
        waiting.until(
            lambda: (
                all(self.problem(peer).strip() == "Established" for peer in PEERS)
                and {self.row(peer)["hold_time"] for peer in PEERS} == {hold_time}
                and self.states() == {"announced"}
            ),
            "the node is well again",
            limit=cluster.START_LIMIT,
        )
