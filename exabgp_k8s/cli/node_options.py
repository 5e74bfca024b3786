"""The options that name one node's agent, for ``run`` and for the agent that it starts.

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

OPTIONS = (
    click.option(
        "--http",
        envvar=variables.HTTP,
        show_envvar=True,
        default=variables.DEFAULT_HTTP,
        show_default=True,
        metavar="ADDR:PORT",
        help="Where to serve metrics, probes and status.",
    ),
    click.option(
        "--state-dir",
        envvar=variables.STATE_DIR,
        show_envvar=True,
        default=variables.DEFAULT_STATE_DIR,
        show_default=True,
        type=PATH,
        help="For exabgp.conf and the sockets; the only place that is written to.",
    ),
    click.option(
        "--kubeconfig",
        envvar=variables.KUBECONFIG,
        show_envvar=True,
        type=PATH,
        help="How to reach the API server; absent: the in-cluster service account.",
    ),
    click.option(
        "--log-format",
        envvar=variables.LOG_FORMAT,
        show_envvar=True,
        default=lines.JSON,
        show_default=True,
        type=click.Choice(lines.FORMATS),
        help="Of the log, on standard error; text is for people at a terminal.",
    ),
    click.option(
        "--namespace",
        envvar=variables.NAMESPACE,
        show_envvar=True,
        default=variables.DEFAULT_NAMESPACE,
        show_default=True,
        metavar="NAME",
        help="Where this pod and its DaemonSet are (downward API: metadata.namespace).",
    ),
    click.option(
        "--password-dir",
        envvar=variables.PASSWORD_DIR,
        show_envvar=True,
        default=variables.DEFAULT_PASSWORD_DIR,
        show_default=True,
        type=PATH,
        help="The mounted Secret: one file for each key that passwordFrom names.",
    ),
    click.option(
        "--node",
        envvar=variables.NODE,
        show_envvar=True,
        required=True,
        metavar="NAME",
        help="The name of the Node object (downward API: spec.nodeName).",
    ),
    click.option(
        "--pod",
        envvar=variables.POD,
        show_envvar=True,
        default="",
        metavar="NAME",
        help="The name of this pod (downward API: metadata.name); absent: not run as one.",
    ),
    click.option(
        "--settings",
        envvar=variables.SETTINGS,
        show_envvar=True,
        default=variables.DEFAULT_SETTINGS,
        show_default=True,
        type=PATH,
        help="The settings document, mounted from the ConfigMap.",
    ),
)


def of_a_node(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all of them to a command."""
    for option in OPTIONS:
        command = option(command)
    return command
