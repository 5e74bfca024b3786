"""Where everything of one node's agent is: what the command line and the environment say.

The agent is started by ExaBGP, which passes its environment on; so the same values travel from
``run`` to the agent as environment variables, and no name ever enters a configuration file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exabgp_k8s.logs import lines

SETTINGS = "EXABGP_K8S_SETTINGS"
PASSWORD_DIR = "EXABGP_K8S_PASSWORD_DIR"  # noqa: S105 - the name of a variable
STATE_DIR = "EXABGP_K8S_STATE_DIR"
HTTP = "EXABGP_K8S_HTTP"
KUBECONFIG = "EXABGP_K8S_KUBECONFIG"
NODE = "NODE_NAME"
POD = "POD_NAME"
NAMESPACE = "POD_NAMESPACE"
LOG_FORMAT = lines.VARIABLE

DEFAULT_SETTINGS = Path("/etc/exabgp-k8s/settings.yaml")
DEFAULT_PASSWORD_DIR = Path("/etc/exabgp-k8s/passwords")
DEFAULT_STATE_DIR = Path("/run/exabgp-k8s")
DEFAULT_HTTP = "127.0.0.1:9179"
DEFAULT_NAMESPACE = "exabgp-k8s"

AGENT_SOCKET = "agent.sock"
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
    namespace: str = DEFAULT_NAMESPACE
    """Where this pod, its DaemonSet and the agents' Leases are."""
    pod: str = ""
    """The name of this pod; empty: not run as one."""
    log_format: str = lines.JSON
    """Of all processes of the node: ``json``, or ``text`` for people at a terminal."""

    @classmethod
    def from_environment(cls, given: Mapping[str, str]) -> Options:
        """Return the options that ``environment`` brought here; each of them was checked there."""
        host, port = split_address(given[HTTP])
        kubeconfig = given.get(KUBECONFIG)
        return cls(
            settings=Path(given[SETTINGS]),
            password_dir=Path(given[PASSWORD_DIR]),
            node=given[NODE],
            kubeconfig=Path(kubeconfig) if kubeconfig else None,
            state_dir=Path(given[STATE_DIR]),
            http_host=host,
            http_port=port,
            namespace=given[NAMESPACE],
            pod=given[POD],
            log_format=given[LOG_FORMAT],
        )

    @property
    def socket(self) -> Path:
        """The unix socket for status, drain and undrain."""
        return self.state_dir / AGENT_SOCKET

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that bring these options to the agent."""
        host = f"[{self.http_host}]" if ":" in self.http_host else self.http_host
        found = {
            SETTINGS: str(self.settings),
            PASSWORD_DIR: str(self.password_dir),
            STATE_DIR: str(self.state_dir),
            NODE: self.node,
            HTTP: f"{host}:{self.http_port}",
            NAMESPACE: self.namespace,
            POD: self.pod,
            LOG_FORMAT: self.log_format,
        }
        if self.kubeconfig is not None:
            found[KUBECONFIG] = str(self.kubeconfig)
        return found


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of ``ADDR:PORT``, ``[ADDR]:PORT`` or ``:PORT`` (all addresses).

    Raises:
        ValueError: the text is none of these.
    """
    host, colon, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or (":" in host and not is_bracketed):
        raise ValueError(f"{text!r}: write ADDR:PORT, for example 127.0.0.1:9179 or [::1]:9179")
    if not 0 < int(port) <= 65535:  # noqa: PLR2004 - the ports there are
        raise ValueError(f"{text!r}: the port must lie between 1 and 65535")
    return host.strip("[]"), int(port)
