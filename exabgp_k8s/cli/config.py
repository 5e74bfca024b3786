"""``exabgp-k8s config``: check the settings before a node does, and see what comes of them.

Nothing here talks to an agent, ExaBGP or the API server: the same answers come on a laptop, in
a pipeline and on the node. No command shows a password.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from exabgp_k8s import chain, errors
from exabgp_k8s.cli import described, exits, groups, output
from exabgp_k8s.core.decide import bfd, neighbors
from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import config, model, world
from exabgp_k8s.core.judge import keeping
from exabgp_k8s.settings import (
    configmap,
    convert,
    load,
    manifests,
    mounted,
    notes,
    schema,
    selection,
)
from exabgp_k8s.wire import bird_conf, daemon_conf

STDIN = Path("-")

settings_option = click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    envvar="EXABGP_K8S_SETTINGS",
    default=Path("/etc/exabgp-k8s/settings.yaml"),
    show_default=True,
    show_envvar=True,
    help="The settings document.",
)


def settings_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let the settings be named as FILE, too, which is what everybody tries first.

    As elsewhere, ``-`` is standard input.
    """

    @click.argument("file", required=False, type=click.Path(path_type=Path))
    @settings_option
    @functools.wraps(command)
    def chosen(file: Path | None, path: Path, **values: Any) -> Any:
        source = click.get_current_context().get_parameter_source("path")
        if file is not None and source is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"write either {file} or --settings {path}, not both")
        return command(path=file or path, **values)

    return chosen


@click.group(
    "config",
    cls=groups.LazyGroup,
    lazy={"convert": "exabgp_k8s.cli.translating:convert"},
)
def group() -> None:
    """Check, show and render the settings; nothing is changed."""


@group.command(short_help="Report every mistake in the settings.")
@settings_argument
@click.option(
    "--password-dir",
    type=click.Path(path_type=Path),
    envvar="EXABGP_K8S_PASSWORD_DIR",
    default=Path("/etc/exabgp-k8s/passwords"),
    show_default=True,
    show_envvar=True,
    help="The mounted Secret: one file for each password.",
)
@click.option(
    "--nodes",
    "nodes_from",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|KUBECONFIG",
    help="Whom the selectors find: output of `kubectl get nodes -o json`, or a kubeconfig.",
)
def validate(path: Path, password_dir: Path, nodes_from: Path | None) -> None:
    """Report every mistake in the settings; exit code 0 without one, else 2.

    FILE may be the manifest of the ConfigMap, too, among others or in a List; - is standard input.
    A password that is missing is a warning: only its own peer stays down. With --nodes, so are a
    node that no peer is meant for and a peer that is meant for no node.
    """
    if path == nodes_from == STDIN:
        raise click.UsageError("settings and --nodes cannot both be standard input; name a file")
    settings = convert.to_core(_document(path))
    _, missing = mounted.read_passwords(password_dir, settings.entries)
    for problem in missing:
        click.echo(f"{path}: warning: {problem}", err=True)
    for note in notes.find(settings):
        click.echo(f"{path}: note: {note}", err=True)
    found = _warn_of_nodes(path, settings, nodes_from) if nodes_from else ""
    click.echo(f"{path}: valid; {_summary(settings)}{found}")


def _warn_of_nodes(path: Path, settings: config.Config, source: Path) -> str:
    from exabgp_k8s.cli import nodes  # noqa: PLC0415 - brings the client of the API server

    found = nodes.read(source)
    for problem in selection.find(settings, found):
        click.echo(f"{path}: warning: {problem}", err=True)
    return f", nodes: {len(found)}"


@group.command()
@settings_argument
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
)
def show(path: Path, form: str) -> None:
    """Show the settings in force, with every default filled in."""
    output.show(schema.effective(_document(path)), form, "")


@group.command("schema")
def show_schema() -> None:
    """Show the JSON Schema of the settings, for editors and pipelines."""
    click.echo(schema.json_schema_text(), nl=False)


@group.command(short_help="Show the exabgp.conf that a node would have.")
@settings_argument
@click.option(
    "--node-ip",
    "ips",
    multiple=True,
    help="An InternalIP of the node, or a link-local address as fe80::1%eth1; repeat it.",
)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label; repeat it.")
@click.option(
    "--annotation", "notes", multiple=True, metavar="KEY=VALUE", help="An annotation; repeat it."
)
@click.option("--gateway", "gateways", multiple=True, help="A default gateway; repeat it.")
@click.option(
    "--interface",
    "carried",
    multiple=True,
    metavar="NAME=ADDRESS/LENGTH",
    help="An interface of the node and an address of it, bond0=10.1.0.5/16; repeat it.",
)
@click.option("--bfd", "is_bfd", is_flag=True, help="Show the BFD engine's bird.conf instead.")
def render(
    path: Path,
    ips: tuple[str, ...],
    labels: tuple[str, ...],
    notes: tuple[str, ...],
    *,
    is_bfd: bool,
    **network: tuple[str, ...],
) -> None:
    """Show the exabgp.conf that a node with these addresses, labels and annotations gets.

    Passwords count as present. Peers without a session there are named on stderr.
    """
    settings = convert.to_core(_document(path))
    known = world.World(
        config=settings,
        neighbors=(),
        node=described.node(ips, labels, notes),
        host=described.host(settings, ips, network["gateways"], network["carried"]),
        passwords={peer.password_from or "": model.Secret("") for peer in settings.entries},
    )
    found, held = neighbors.select(keeping.settle(known, world.World(), now=0))
    for peer in held:
        address = peer.address or "no address"
        click.echo(f"{peer.name} ({address}): no session: {peer.cause}", err=True)
    if is_bfd:
        decided = Decision(neighbors=found, peers_held=held)
        beside = bfd.wanted(known, decided, bfd.asked(known), ())
        click.echo(bird_conf.render(beside or ()), nl=False)
        return
    click.echo(daemon_conf.render(found, chain.AGENT), nl=False)


def _document(path: Path) -> schema.Settings:
    """Read the settings, or end with every mistake on a line of its own."""
    try:
        text = read(path)
        found = configmap.find(text, str(path))
        mounted.text_of(io.BytesIO(found.text.encode()), str(path))
    except errors.SettingsError as error:
        exits.fail(f"{error}; nothing was checked")
    try:
        return load.document(found.text, str(path))
    except errors.SettingsError as error:
        placed = tuple(found.placed(each) for each in error.problems)
        exits.show_problems(path, placed, "a node would refuse all of it")
        sys.exit(exits.Code.USAGE)


def read(path: Path) -> str:
    """Return the text of a file, or of standard input."""
    if path == STDIN:
        return mounted.text_of(sys.stdin.buffer, "-", manifests.LARGEST)
    return mounted.read_text(path, manifests.LARGEST)


def _summary(settings: config.Config) -> str:
    has_services = settings.service_cidrs is None or bool(settings.service_cidrs)
    classes = [
        prefix_class
        for prefix_class, is_announced in (
            (model.PrefixClass.SERVICES, has_services),
            (model.PrefixClass.PODS, bool(settings.pods_within)),
        )
        if is_announced
    ]
    return (
        f"peers: {len(settings.entries)}, announced: {' and '.join(classes)}, "
        f"checks: {len(settings.checks)}"
    )
