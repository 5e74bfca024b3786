"""``looking-glass``: the cluster's routes as web pages."""

from __future__ import annotations

import signal
import sys

import click

from exabgp_k8s.adapters import listening
from exabgp_k8s.agent import variables
from exabgp_k8s.cli import cluster_asking, exits
from exabgp_k8s.logs import lines

DEFAULT_LISTEN = "127.0.0.1:9180"

MISSING = """\
The looking glass needs more libraries than a node does, and {name} is not installed.
Install them, in a clone of the source: pip install '.[looking-glass]'"""


@click.command("looking-glass", short_help="Serve the cluster's sessions and routes as web pages.")
@click.option(
    "--listen",
    default=DEFAULT_LISTEN,
    show_default=True,
    envvar="EXABGP_K8S_LISTEN",
    show_envvar=True,
    metavar="ADDR:PORT",
    help="Where to serve the pages; [::]:9180 is every address there is.",
)
@cluster_asking.KUBECONFIG
@cluster_asking.CONTEXT
@click.option(
    "--log-format",
    type=click.Choice(lines.FORMATS),
    default=lines.JSON,
    show_default=True,
    envvar=variables.LOG_FORMAT,
    show_envvar=True,
    help="Of the log, on standard error; text is for people at a terminal.",
)
def looking_glass(listen: str, kubeconfig: str | None, context: str, log_format: str) -> None:
    """Serve the cluster's sessions and routes as web pages that keep themselves up to date.

    It only reads BGPSpeakers and Nodes, and needs the right to list and watch them. Everybody
    who can reach it can see all: put it behind something that asks who they are.
    """
    try:
        host, port = variables.split_address(listen)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from None
    try:
        from exabgp_k8s.looking_glass import main  # noqa: PLC0415 - an optional extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "exabgp_k8s":
            raise
        exits.fail(MISSING.format(name=error.name))
    # As process 1 we would not end by a signal that we do not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(exits.Code.OK))
    try:
        sockets = listening.on_tcp(host, port)
    except OSError as error:
        exits.fail(f"nothing can be served at {listen}: {error}")
    main.run(sockets, cluster_asking.access(kubeconfig, context), log_format)
