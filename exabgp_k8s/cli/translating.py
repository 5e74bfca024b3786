"""``exabgp-k8s config convert``: another program's BGP settings, written as ours."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from exabgp_k8s import errors
from exabgp_k8s.cli import config, exits, output
from exabgp_k8s.core.facts import printable
from exabgp_k8s.settings import load
from exabgp_k8s.translate import origin

HEAD = "# yaml-language-server: $schema=settings.schema.json\n"


@click.command("convert", short_help="Write our settings from another program's manifests.")
@click.option(
    "--from", "from_whom", required=True, type=click.Choice(list(origin.ORIGINS)), help="Whose."
)
@click.option("--services", multiple=True, metavar="CIDR", help="A service range; repeat it.")
@click.option("--pods", multiple=True, metavar="CIDR", help="A pod range of the cluster.")
@click.argument("file", type=click.Path(path_type=Path), default="-")
def convert(from_whom: str, file: Path, services: tuple[str, ...], pods: tuple[str, ...]) -> None:
    """Write our settings from the manifests of another program, to standard output.

    FILE is what you apply, or what `kubectl get -o yaml` says; absent: standard input. What could
    not be carried over is listed on standard error: read it before you use the result.
    """
    try:
        found = origin.translate(
            from_whom, config.read(file), str(file), services=services, pods=pods
        )
    except errors.SettingsError as error:
        exits.show_problems(file, error.problems, "nothing was written")
        sys.exit(exits.Code.USAGE)
    text = HEAD + output.as_yaml(found.document())
    losses = list(found.losses())
    for loss in losses:
        click.echo(printable.lines(f"{file}: {loss}"), err=True)
    noun = "thing" if len(losses) == 1 else "things"
    click.echo(f"peers: {len(found.peers)}; {len(losses)} {noun} to look at", err=True)
    click.echo(text, nl=False)
    try:
        load.parse(text, "the result")
    except errors.SettingsError as error:
        exits.show_problems(Path("result"), error.problems, "mend them before you use it")
        sys.exit(exits.Code.NO)
