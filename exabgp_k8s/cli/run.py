"""``run``, where its command line is more than a list of options and values.

``cli.start`` is what runs then, in a lean interpreter with the same process id.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping
from typing import Any

import click

from exabgp_k8s.agent import options, variables
from exabgp_k8s.cli import durations, exits, node_options

NODE_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""A DNS subdomain name (Kubernetes, Object Names and IDs)."""


@click.command()
@node_options.of_a_node
@click.option(
    "--stop-timeout",
    default="20s",
    show_default=True,
    type=durations.Duration(),
    metavar="DURATION",
    help="How long a SIGTERM waits for the withdrawal; keep it below the pod's grace period.",
)
def run(stop_timeout: float, **values: Any) -> None:
    """Run the speaker of one node: the container's entry."""
    # As process 1 we would not end by a signal that we do not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(exits.Code.OK))
    environment = {**os.environ, **_options(values).environment()}
    command = [sys.executable, "-m", "exabgp_k8s.cli.start", str(stop_timeout)]
    # The supervisor takes them once it can withdraw.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    os.execve(command[0], command, environment)  # noqa: S606 - no shell


def _options(values: Mapping[str, Any]) -> options.Options:
    if not NODE_NAME.fullmatch(values["node"]):
        raise click.BadParameter(
            f"{values['node']!r} is no Node's name; write the one that `kubectl get nodes` shows",
            param_hint="--node",
        )
    try:
        host, port = variables.split_address(values["http"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--http") from None
    return options.Options(
        settings=values["settings"].absolute(),
        password_dir=values["password_dir"].absolute(),
        node=values["node"],
        kubeconfig=values["kubeconfig"] and values["kubeconfig"].absolute(),
        state_dir=values["state_dir"].absolute(),
        http_host=host,
        http_port=port,
        namespace=values["namespace"],
        pod=values["pod"],
        bfd_dir=values["bfd_dir"] and values["bfd_dir"].absolute(),
        log_format=values["log_format"],
    )
