"""The options that name one node's agent.

Each can be a variable, too: the container gets them so, and hands them on to its processes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.agent import variables
from exabgp_k8s.logs import lines

PATH = click.Path(path_type=Path)


def _option(name: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return an option with the variable that says the same, and its default if it has one."""
    variable = variables.OPTIONS[name]
    default = variables.DEFAULTS.get(variable)
    if default is not None:
        more = {"default": default, "show_default": bool(default), **more}
    return click.option(name, envvar=variable, show_envvar=True, **more)


OPTIONS = (
    _option("--http", metavar="ADDR:PORT", help="Where to serve metrics, probes and status."),
    _option(
        "--state-dir",
        type=PATH,
        help="For exabgp.conf and the sockets; what is written, but for --bfd-dir, is here.",
    ),
    _option(
        "--kubeconfig",
        type=PATH,
        help="How to reach the API server; absent: the in-cluster service account.",
    ),
    _option(
        "--bfd-dir",
        type=PATH,
        help="Shared with the BFD engine; absent: bfd, below the state directory.",
    ),
    _option(
        "--log-format",
        type=click.Choice(lines.FORMATS),
        help="Of the log, on standard error; text is for people at a terminal.",
    ),
    _option(
        "--namespace",
        metavar="NAME",
        help="Where this pod and its DaemonSet are (downward API: metadata.namespace).",
    ),
    _option(
        "--password-dir",
        type=PATH,
        help="The mounted Secret: one file for each key that passwordFrom names.",
    ),
    _option(
        "--node",
        required=True,
        metavar="NAME",
        help="The name of the Node object (downward API: spec.nodeName).",
    ),
    _option(
        "--pod",
        metavar="NAME",
        help="The name of this pod (downward API: metadata.name); absent: not run as one.",
    ),
    _option("--settings", type=PATH, help="The settings document, mounted from the ConfigMap."),
)


def of_a_node(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all of them to a command."""
    for option in OPTIONS:
        command = option(command)
    return command
