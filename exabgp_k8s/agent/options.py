"""Where everything of one node's agent is: what the command line and the environment say.

The agent is started by ExaBGP, which passes its environment on; so the same values travel from
``run`` to the agent as environment variables, and no name ever enters a configuration file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exabgp_k8s import chain
from exabgp_k8s.agent import variables
from exabgp_k8s.logs import lines

DRAIN_FILE = "drain"
"""Its presence outlives agent and container: a drained node must not announce after a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One node's agent."""

    settings: Path
    password_dir: Path
    node: str
    kubeconfig: Path | None
    """None: the in-cluster service account."""
    state_dir: Path
    http_host: str
    http_port: int
    namespace: str = variables.DEFAULT_NAMESPACE
    """Where this pod, its DaemonSet and the agents' Leases are."""
    pod: str = ""
    """The name of this pod; empty: not run as one."""
    bfd_dir: Path | None = None
    """Shared with the engine of BFD; None: below the state directory."""
    log_format: str = lines.JSON
    """Of all processes of the node: ``json``, or ``text`` for people at a terminal."""

    @classmethod
    def from_environment(cls, given: Mapping[str, str]) -> Options:
        """Return the options that ``environment`` brought here; each of them was checked there."""
        host, port = variables.split_address(given[variables.HTTP])
        kubeconfig, bfd_dir = given.get(variables.KUBECONFIG), given.get(variables.BFD_DIR)
        return cls(
            settings=Path(given[variables.SETTINGS]),
            password_dir=Path(given[variables.PASSWORD_DIR]),
            node=given[variables.NODE],
            kubeconfig=Path(kubeconfig) if kubeconfig else None,
            state_dir=Path(given[variables.STATE_DIR]),
            http_host=host,
            http_port=port,
            namespace=given[variables.NAMESPACE],
            pod=given[variables.POD],
            bfd_dir=Path(bfd_dir) if bfd_dir else None,
            log_format=given[variables.LOG_FORMAT],
        )

    @property
    def socket(self) -> Path:
        """The unix socket for status, drain and undrain."""
        return self.state_dir / chain.AGENT_SOCKET

    @property
    def bfd(self) -> Path:
        """The directory of the engine of BFD."""
        return self.bfd_dir or self.state_dir / chain.BFD

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that bring these options to the agent."""
        host = f"[{self.http_host}]" if ":" in self.http_host else self.http_host
        found = {
            variables.SETTINGS: str(self.settings),
            variables.PASSWORD_DIR: str(self.password_dir),
            variables.STATE_DIR: str(self.state_dir),
            variables.NODE: self.node,
            variables.HTTP: f"{host}:{self.http_port}",
            variables.NAMESPACE: self.namespace,
            variables.POD: self.pod,
            variables.LOG_FORMAT: self.log_format,
        }
        if self.kubeconfig is not None:
            found[variables.KUBECONFIG] = str(self.kubeconfig)
        if self.bfd_dir is not None:
            found[variables.BFD_DIR] = str(self.bfd_dir)
        return found
