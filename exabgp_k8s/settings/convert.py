"""From the settings document to the values the core decides with."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator, Mapping
from typing import TypeVar

from exabgp_k8s.core.facts import asns, bfd, config, model, offer, pod_ranges, routers
from exabgp_k8s.settings import checks, linklocal, located, outage, peers, policy, schema

Value = TypeVar("Value")
Ranges = Mapping[model.PrefixClass, tuple[model.Network, ...]]

PRESETS = {
    checks.Preset.KUBE_PROXY: config.HttpProbe(
        url="http://127.0.0.1:10256/livez", fallback="http://127.0.0.1:10256/healthz"
    ),
    checks.Preset.KUBELET: config.HttpProbe(url="http://127.0.0.1:10248/healthz"),
}
"""Kubernetes, kube-proxy --healthz-bind-address and kubelet --healthz-port: their defaults.

Since 1.28 kube-proxy's /healthz fails on a node that is about to be deleted, for load balancers
to leave it (KEP-3836); that its rules are written says /livez, which came with that.
"""


def to_core(settings: schema.Settings) -> config.Config:
    """Return the core's configuration; the settings must be free of contradictions."""
    bgp, announce, drain = settings.bgp, settings.announce, settings.drain
    cidrs = announce.services.cidrs if announce.services else ()
    within = announce.services.within if announce.services else ()
    found = tuple(_routers(settings, _ranges(announce)))
    return config.Config(
        asn=bgp.asn,
        router_id=bgp.router_id if isinstance(bgp.router_id, ipaddress.IPv4Address) else None,
        is_named=bgp.hostname,
        peers=tuple(each for each in found if isinstance(each, config.Peer)),
        sought=tuple(each for each in found if isinstance(each, config.Sought)),
        service_cidrs=None if cidrs == "auto" else cidrs,
        services_within=within or (),
        pods_within=announce.pods.within if announce.pods else (),
        overlap_allowed=_overlap_allowed(announce),
        pods_from=announce.pods.from_ if announce.pods else pod_ranges.PodSource.NODE,
        policy=_policy(settings.withdraw),
        drain_taints=drain.taints,
        deprioritise_med=drain.deprioritise.med,
        deprioritise_prepend=drain.deprioritise.prepend,
        checks=tuple(_check(check) for check in settings.health.checks),
        hold_down=config.HoldDown(
            initial=announce.hold_down.initial,
            maximum=announce.hold_down.max,
            window=announce.hold_down.window,
        ),
        graceful_shutdown=drain.graceful_shutdown,
        is_rollout_drained=drain.rollout is schema.Rollout.WITHDRAW,
        settle=drain.settle,
        budget=outage.to_core(settings.outage_budget),
    )


def _ranges(announce: schema.Announce) -> Ranges:
    """Return the ranges of each class that stand in the document, which a peer may name."""
    services: tuple[model.Network, ...] = ()
    if announce.services is not None:
        cidrs = announce.services.cidrs
        services = cidrs if cidrs != "auto" else announce.services.within or ()
    pods = announce.pods.within if announce.pods else ()
    return {model.PrefixClass.SERVICES: services, model.PrefixClass.PODS: pods}


def _routers(settings: schema.Settings, ranges: Ranges) -> Iterator[config.Peer | config.Sought]:
    """Yield the peers, each router of an entry for several one of its own."""
    for number, written in enumerate(settings.peers):
        peer = written.over(settings.peer_defaults)
        said = _entry(peer, number, settings.bgp.asn, ranges)
        for place in located.places(peer.address, peer.families) if peer.address else ():
            if peer.address is located.Gateway.EACH and isinstance(place, routers.Gateway):
                name, families = f"{peer.name}/{place.family}", (place.family,)
                yield dataclasses.replace(said, name=name, families=families).at(place)
            else:
                yield _at(peer, said, place)
        for address in peer.addresses or ():
            yield _at(peer, dataclasses.replace(said, name=f"{peer.name}/{address}"), address)


def _at(
    peer: peers.Peer, said: config.Entry, place: model.Address | routers.Where
) -> config.Peer | config.Sought:
    """Return a router at its place, over a link with what goes with that."""
    is_extended = linklocal.is_extended(place, peer.extended_next_hop, peer.families)
    return dataclasses.replace(said, is_extended=is_extended).at(place)


def _entry(
    peer: peers.Peer, number: int, ours: int | asns.OfTheNode, ranges: Ranges
) -> config.Entry:
    if peer.asn is None:
        raise TypeError("a peer without an AS number is a contradiction")
    return config.Entry(
        entry=number,
        name=peer.name,
        asn=peer.asn,
        local_asn=peer.local_asn or ours,
        description=peer.description,
        port=peer.port,
        local_address=peer.local_address,
        next_hop=peer.next_hop,
        selector=selector(peer.node_selector),
        hold_time=peer.hold_time,
        keepalive=peer.keepalive,
        connect_retry=peer.connect_retry,
        password_from=peer.password_from,
        multihop=peer.multihop,
        ttl_security=peer.ttl_security,
        graceful_restart=peer.graceful_restart,
        bfd=_bfd(peer),
        families=peer.families,
        services=_offer(peer, model.PrefixClass.SERVICES, ranges),
        pods=_offer(peer, model.PrefixClass.PODS, ranges),
    )


def _bfd(peer: peers.Peer) -> bfd.Timing | None:
    if peer.bfd is None:
        return None
    is_beyond = peer.bfd.multihop
    return bfd.Timing(
        interval=peer.bfd.interval,
        multiplier=peer.bfd.multiplier,
        is_multihop=peer.multihop is not None if is_beyond is None else is_beyond,
    )


def _offer(
    peer: peers.Peer, prefix_class: model.PrefixClass, ranges: Ranges
) -> offer.Offer | None:
    """Return what a peer is announced of a class; None: nothing."""
    within: tuple[model.Network, ...] | None = None
    if peer.announce is not None and prefix_class not in peer.announce:
        within = tuple(each for each in ranges[prefix_class] if each in peer.announce)
        if not within:
            return None
    of_class: peers.ClassAttributes = getattr(peer.attributes, prefix_class)
    return offer.Offer(
        within=within,
        attributes=model.Attributes(
            communities=_either(of_class.communities, peer.attributes.communities),
            large_communities=_either(
                of_class.large_communities, peer.attributes.large_communities
            ),
            extended_communities=_either(
                of_class.extended_communities, peer.attributes.extended_communities
            ),
            med=_either(of_class.med, peer.attributes.med),
            local_pref=_either(of_class.local_pref, peer.attributes.local_pref),
        ),
        prepend=_either(of_class.prepend, peer.attributes.prepend),
    )


def _either(own: Value | None, common: Value) -> Value:
    """Return what a class says, or what is said of all where it is silent."""
    return common if own is None else own


def selector(written: peers.NodeSelector | None) -> config.Selector:
    """Return which nodes a selector means; none that is written means every node."""
    if written is None:
        return config.Selector()
    labels = (
        config.Requirement(key=key, operator=config.Operator.IN, values=frozenset({value}))
        for key, value in written.match_labels.items()
    )
    expressions = (
        config.Requirement(key=item.key, operator=item.operator, values=frozenset(item.values))
        for item in written.match_expressions
    )
    return config.Selector(requirements=(*labels, *expressions))


def _overlap_allowed(announce: schema.Announce) -> frozenset[model.PrefixClass]:
    parts = {
        model.PrefixClass.SERVICES: announce.services,
        model.PrefixClass.PODS: announce.pods,
    }
    return frozenset(
        name for name, part in parts.items() if part is not None and part.allow_overlap_with_uplink
    )


def _policy(withdraw: policy.Withdraw) -> config.Policy:
    rows = {reason: getattr(withdraw, reason.replace("-", "_")) for reason in model.CAUSES}
    cells = {
        (reason, prefix_class): getattr(row, prefix_class)
        for reason, row in rows.items()
        for prefix_class in model.PrefixClass
    }
    return {
        place: config.Cell(action=cell.action, after=cell.after) for place, cell in cells.items()
    }


def _check(check: checks.Check) -> config.Check:
    return config.Check(
        name=check.name,
        probe=_probe(check),
        interval=check.interval,
        fast_interval=check.fast_interval,
        timeout=check.timeout,
        fall=check.fall,
        rise=check.rise,
        affects=frozenset(check.affects),
    )


def _probe(check: checks.Check) -> config.Probe:
    """Return what the one kind that is written means."""
    if check.preset is not None:
        return PRESETS[check.preset]
    if check.http is not None:
        return config.HttpProbe(url=check.http, verify=not check.insecure_skip_verify)
    if check.tcp is not None:
        host, port = check.tcp
        return config.TcpProbe(host=host, port=port)
    if check.exec is not None:
        return config.ExecProbe(command=check.exec)
    if check.dns is not None:
        return _dns_probe(check.dns)
    if check.process is not None:
        return config.ProcessProbe(name=check.process)
    return config.InterfaceProbe(name=str(check.interface), min_speed=check.min_speed or 0)


def _dns_probe(dns: checks.Dns) -> config.DnsProbe:
    return config.DnsProbe(server=dns.server, name=dns.name, port=dns.port, record=dns.type.value)
