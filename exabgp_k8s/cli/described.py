"""A node that the command line describes, and its network, where there is none to look at."""

from __future__ import annotations

import ipaddress

import click

from exabgp_k8s.core.facts import config, events, links, model, places


def node(
    ips: tuple[str, ...], labels: tuple[str, ...], annotations: tuple[str, ...]
) -> model.NodeFacts:
    """Return the node that the command line describes."""
    return model.NodeFacts(
        name="rendered",
        labels=_pairs(labels, "--label"),
        annotations=_pairs(annotations, "--annotation"),
        internal_ips=tuple(each for each in _addresses(ips, "--node-ip") if not links.of(each)),
    )


def host(
    settings: config.Config,
    ips: tuple[str, ...],
    gateways: tuple[str, ...],
    carried: tuple[str, ...],
) -> events.HostSeen:
    """Return what the node would see of its network, as far as the command line says.

    A gateway on a link is the router there, and an address of the node on it our own.
    """
    found = _addresses(gateways, "--gateway")
    own = [each for each in _addresses(ips, "--node-ip") if links.of(each)]
    on_links = {links.of(each) for each in (*found, *own)} - {""}
    interfaces = _interfaces(carried)
    written = (each for peer in settings.entries for each in (peer.local_address, peer.next_hop))
    where = [each for each in written if isinstance(each, places.Place)]
    return events.HostSeen(
        gateways={
            family: tuple(
                each for each in found if model.family_of(each) is family and not links.of(each)
            )
            for family in model.Family
        },
        links={
            name: links.Link(
                own=tuple(each for each in own if links.of(each) == name),
                routers=tuple(each for each in found if links.of(each) == name),
            )
            for name in on_links
        },
        addresses={each: (each,) for each in own},
        places={each: places.among(each, interfaces) for each in where},
    )


def _interfaces(carried: tuple[str, ...]) -> dict[str, tuple[places.Interface, ...]]:
    interfaces: dict[str, tuple[places.Interface, ...]] = {}
    for each in carried:
        name, _, address = each.partition("=")
        try:
            found = ipaddress.ip_interface(address)
        except ValueError:
            raise click.BadParameter(
                f"{each!r} is not NAME=ADDRESS/LENGTH, as in bond0=10.1.0.5/16",
                param_hint="--interface",
            ) from None
        interfaces[name] = (*interfaces.get(name, ()), found)
    return interfaces


def _addresses(written: tuple[str, ...], option: str) -> tuple[model.Address, ...]:
    found: list[model.Address] = []
    for each in written:
        try:
            found.append(ipaddress.ip_address(each))
        except ValueError:
            raise click.BadParameter(f"{each!r} is not an address", param_hint=option) from None
    return tuple(found)


def _pairs(written: tuple[str, ...], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in written:
        key, equals, value = each.partition("=")
        if not equals:
            raise click.BadParameter(f"write {key}=VALUE", param_hint=option)
        pairs[key] = value
    return pairs
