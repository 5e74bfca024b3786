"""``try``: the whole thing on one machine, without a cluster, a router or root."""

from __future__ import annotations

import sys

import click

from exabgp_k8s.cli import exits, output
from exabgp_k8s.tryout import stage, view, walk

INTERRUPTED = 130
"""What a shell returns for a command that ended by Ctrl-C."""

READ_NEXT = """\
Read next, in docs/ of the source:
  how-to/deploy.md  the DaemonSet on a cluster of your own, step by step
  how-to/           the router's side, health checks, reboots nobody notices
  reference/        every setting, command, metric and reason"""


@click.command("try")
@click.option("--keep", is_flag=True, help="Leave it running at the end, until Ctrl-C.")
@click.option("--verbose", is_flag=True, help="Show the logs of all parts, on stderr.")
def tryout(keep: bool, verbose: bool) -> None:
    """Watch a node announce, be cordoned, fail, recover and drain, as its router sees it.

    Needs no cluster, no router and no root: on loopback, in a temporary directory, it runs the
    real `exabgp-k8s run`, a second ExaBGP as the router, and a small API server with one Node.
    It takes a quarter of a minute and leaves nothing behind.
    """
    try:
        outcomes = _walk(view.View(is_verbose=verbose), keep=keep)
    except stage.Interrupted:
        click.echo("\nInterrupted: everything is stopped and removed.", err=True)
        sys.exit(INTERRUPTED)
    except stage.TryFailed as error:
        exits.fail(f"\n{error}", exits.Code.NO)
    rows = [
        (number, each.cause, each.effect, f"{view.duration(each.seconds):>8}")
        for number, each in enumerate(outcomes, 1)
    ]
    click.echo("\n" + output.table(["#", "Cause", "At the router", "After"], rows))
    click.echo(f"\nEverything is stopped and removed.\n{READ_NEXT}")


def _walk(show: view.View, *, keep: bool) -> list[view.Outcome]:
    with stage.Stage(show.hear) as set_up:
        show.scene(set_up)
        try:
            return walk.walk(set_up, show, keep=keep)
        except stage.TryFailed:
            click.echo("\nThe last lines of the logs:\n" + "\n".join(set_up.log()), err=True)
            raise
