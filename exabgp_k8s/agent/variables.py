"""The variables by which a node's processes are told where everything is: options and defaults.

A file of its own because process 1 reads it, too, and lives longer than anything that it loads.
"""

from __future__ import annotations

from collections.abc import Mapping

from exabgp_k8s.logs import lines

SETTINGS = "EXABGP_K8S_SETTINGS"
PASSWORD_DIR = "EXABGP_K8S_PASSWORD_DIR"  # noqa: S105 - the name of a variable
STATE_DIR = "EXABGP_K8S_STATE_DIR"
HTTP = "EXABGP_K8S_HTTP"
BFD_DIR = "EXABGP_K8S_BFD_DIR"
KUBECONFIG = "EXABGP_K8S_KUBECONFIG"
NODE = "NODE_NAME"
POD = "POD_NAME"
NAMESPACE = "POD_NAMESPACE"
LOG_FORMAT = lines.VARIABLE

DEFAULT_SETTINGS = "/etc/exabgp-k8s/settings.yaml"
DEFAULT_PASSWORD_DIR = "/etc/exabgp-k8s/passwords"  # noqa: S105 - a directory
DEFAULT_STATE_DIR = "/run/exabgp-k8s"
DEFAULT_HTTP = "127.0.0.1:9179"
DEFAULT_NAMESPACE = "exabgp-k8s"

OPTIONS: Mapping[str, str] = {
    "--http": HTTP,
    "--state-dir": STATE_DIR,
    "--kubeconfig": KUBECONFIG,
    "--bfd-dir": BFD_DIR,
    "--log-format": LOG_FORMAT,
    "--namespace": NAMESPACE,
    "--password-dir": PASSWORD_DIR,
    "--node": NODE,
    "--pod": POD,
    "--settings": SETTINGS,
}
"""The variable that says the same as an option."""
DEFAULTS: Mapping[str, str] = {
    HTTP: DEFAULT_HTTP,
    STATE_DIR: DEFAULT_STATE_DIR,
    LOG_FORMAT: lines.JSON,
    NAMESPACE: DEFAULT_NAMESPACE,
    PASSWORD_DIR: DEFAULT_PASSWORD_DIR,
    POD: "",
    SETTINGS: DEFAULT_SETTINGS,
}


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
