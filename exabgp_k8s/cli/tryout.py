"""``try``: the whole thing on one machine, without a cluster, a router or root."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

import click

import exabgp_k8s
from exabgp_k8s.cli import exits, output
from exabgp_k8s.tryout import stage, view, walk

INTERRUPTED = 130
"""What a shell returns for a command that ended by Ctrl-C."""

NEXT = """\
Everything is stopped and removed. Next:
  {program} try --keep    the same, and it stays until Ctrl-C
  {program} --help        all commands; each has its own --help
In the source:
  docs/how-to/deploy.md   the DaemonSet on a cluster of your own, step by step
  docs/how-to/            the router's side, health checks, draining a node
  docs/reference/         every setting, command, metric and reason"""


@click.command("try", short_help="Watch a node's life as its router sees it, on this machine.")
@click.option("--keep", is_flag=True, help="Leave it running at the end, until Ctrl-C.")
@click.option("--verbose", is_flag=True, help="Show the logs of all parts, on stderr.")
def tryout(keep: bool, verbose: bool) -> None:
    """Watch a node announce, be cordoned, fail, recover and drain, as its router sees it.

    Needs no cluster, no router and no root: on loopback, in a temporary directory, it runs the
    real `exabgp-k8s run`, a second ExaBGP as the router, and a small API server with one Node.
    It takes a quarter of a minute and leaves nothing behind.
    """
    try:
        outcomes = _walk(view.View(_program(), is_verbose=verbose), keep=keep)
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
    click.echo("\n" + NEXT.format(program=_program()))


def _program() -> str:
    """Return how the reader called us: a command to be typed again must be found again."""
    called = sys.argv[0]
    if not os.access(called, os.X_OK):
        return shlex.join((sys.executable, "-m", exabgp_k8s.__name__))
    name = os.path.basename(called)  # noqa: PTH119 - Path would take the "./" away
    found = shutil.which(name)
    return name if found and os.path.samefile(found, called) else shlex.quote(called)  # noqa: PTH121


def _walk(show: view.View, *, keep: bool) -> list[view.Outcome]:
    with stage.Stage(show.hear) as set_up:
        show.scene(set_up)
        try:
            return walk.walk(set_up, show, keep=keep)
        except stage.TryFailed:
            click.echo("\nThe last lines of the logs:\n" + "\n".join(set_up.log()), err=True)
            raise
