"""``cluster``, also installed as ``kubectl-bgp``: the whole cluster, from its BGPSpeakers."""

from __future__ import annotations

import ipaddress

import click

from exabgp_k8s.cli import cluster_asking, cluster_tables, exits, groups
from exabgp_k8s.cli.cluster_asking import Asked, Shown
from exabgp_k8s.cluster import glance, measures, routers, rows
from exabgp_k8s.cluster import why as explaining
from exabgp_k8s.core.facts import model


@click.group(
    "cluster",
    cls=groups.LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    short_help="Show who announces what to whom in the whole cluster.",
)
def group() -> None:
    """Show who announces what to whom in the whole cluster, since when, and why not.

    From the BGPSpeaker objects that the agents publish, and the Nodes.

    Exit codes: 0 all is as it should be, and so is what somebody did on purpose (cordon, drain);
    1 something is to be mended; 2 wrong usage; 3 the API server does not show the objects.
    """


def plugin() -> None:
    """Be ``kubectl bgp``."""
    group(prog_name="kubectl bgp")


@group.command(short_help="Show each node in one word, why, and since when.")
@cluster_asking.options
def nodes(asked: Asked) -> None:
    """Show each node in one word, with its foremost reason and since when there is it."""

    def show(found: glance.Glance) -> Shown:
        shown = rows.nodes(found)
        table = cluster_tables.nodes(shown, found.at, is_wide=asked.is_wide)
        return Shown(shown, table, is_well=bool(shown) and all(each["is_well"] for each in shown))

    cluster_asking.answer(asked, show)


@group.command(short_help="Show each session of each node.")
@cluster_asking.options
def sessions(asked: Asked) -> None:
    """Show each session of each node; exit code 1 if one is not Established."""

    def show(found: glance.Glance) -> Shown:
        shown = rows.sessions(found)
        table = cluster_tables.sessions(shown, found.at, is_wide=asked.is_wide)
        return Shown(shown, table, is_well=bool(shown) and all(each["is_up"] for each in shown))

    cluster_asking.answer(asked, show)


@group.command(short_help="Show each prefix, and which node announces it to whom.")
@click.argument("prefix", required=False)
@cluster_asking.options
def routes(prefix: str | None, asked: Asked) -> None:
    """Show each prefix, and which node announces it to whom; exit code 1 if one is not.

    PREFIX may also be an address in it, such as a ClusterIP. What is withheld on purpose is as it
    should be.
    """
    inside = _network(prefix)

    def show(found: glance.Glance) -> Shown:
        shown = [each for each in rows.routes(found) if explaining.covers(each["prefix"], inside)]
        shown.sort(key=lambda row: (row["class"] != "services", glance.place(row["prefix"] or "")))
        table = cluster_tables.routes(shown, found.at, is_wide=asked.is_wide)
        return Shown(shown, table, is_well=bool(shown) and all(each["is_well"] for each in shown))

    cluster_asking.answer(asked, show)


@group.command(short_help="Show each router: its ECMP sets, who is missing, and why.")
@click.argument("name", required=False)
@cluster_asking.options
def peers(name: str | None, asked: Asked) -> None:
    """Show each router, or the peer NAME: its sessions, its ECMP sets, who is missing, and why."""

    def show(found: glance.Glance) -> Shown:
        known = routers.peers(found)
        shown = [each for each in known if name in {None, each["peer"], *each["addresses"]}]
        if name is not None and not shown:
            names = ", ".join(each["peer"] for each in known) or "none"
            exits.fail(f"no peer is called {name}; there are: {names}", exits.Code.NO)
        table = cluster_tables.peers(shown, found.at)
        return Shown(shown, table, is_well=bool(shown) and all(each["is_well"] for each in shown))

    cluster_asking.answer(asked, show)


@group.command(short_help="Say what is wrong with one node, and what to do.")
@click.argument("node")
@click.argument("prefix", required=False)
@cluster_asking.options_of_one
def why(node: str, prefix: str | None, asked: Asked) -> None:
    """Say why NODE announces its prefixes or not, since when, and what to do.

    PREFIX may also be an address in it, such as a ClusterIP. Exit code 1 if something is to be
    mended, 0 if it is out on purpose.
    """
    inside = _network(prefix)

    def show(found: glance.Glance) -> Shown:
        shown = explaining.row(found.nodes[node], inside)
        if inside is not None and not shown["prefixes"] and shown["is_current"]:
            known = ", ".join(each["prefix"] or "-" for each in rows.prefixes(found.nodes[node]))
            exits.fail(
                f"{node} has no prefix that covers {prefix}; it has: {known}", exits.Code.NO
            )
        is_well = all(each["on_purpose"] for each in shown["faults"])
        return Shown(shown, cluster_tables.why(shown, found.at), is_well=is_well)

    cluster_asking.answer(asked, show, node)


@group.command(short_help="Print the cluster's metrics.")
@cluster_asking.options_of_text
def metrics(asked: Asked) -> None:
    """Print what no single node can know as Prometheus metrics, for a textfile collector."""
    cluster_asking.answer(
        asked, lambda found: Shown(None, measures.text(found).rstrip("\n"), is_well=True)
    )


def _network(written: str | None) -> model.Network | None:
    if written is None:
        return None
    try:
        return ipaddress.ip_network(written, strict=False)
    except ValueError:
        exits.fail(f"{written!r} is no prefix and no address; write one, as in 10.96.0.10")
