"""Cilium: CiliumBGPClusterConfig with its kin, or the older CiliumBGPPeeringPolicy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from exabgp_k8s.translate import draft, selectors
from exabgp_k8s.translate.draft import Draft
from exabgp_k8s.translate.source import Source, a_list, a_mapping

KINDS = (
    "CiliumBGPClusterConfig",
    "CiliumBGPPeerConfig",
    "CiliumBGPAdvertisement",
    "CiliumBGPNodeConfigOverride",
    "CiliumBGPPeeringPolicy",
    "CiliumLoadBalancerIPPool",
)
NO_ASN = "an instance without localASN; write bgp.asn, or {fromLabel: …} where nodes differ"
RANGE = (
    "the cluster's pod range is not in this file; give it as --pods, or give the ConfigMap "
    "cilium-config along"
)
RESTART = 120
"""Cilium's default, in seconds."""
SELECTED = {"PodCIDR": "pods", "CiliumLoadBalancerIPPool": "services"}
RANGES = ("cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one advertisement says."""

    labels: dict[str, Any]
    prefixes: str
    attributes: dict[str, Any]


def write(found: Draft, sources: dict[str, list[Source]]) -> None:
    """Write our document from Cilium's objects."""
    _ranges(found, sources)
    offers = [
        _offer(found, found.read(part), labels)
        for source in sources.get("CiliumBGPAdvertisement", ())
        for labels in [source.mapping("metadata.labels")]
        for part in source.parts("spec.advertisements")
    ]
    sessions = {
        _name(each): _session(found, each) for each in sources.get("CiliumBGPPeerConfig", ())
    }
    for source in sources.get("CiliumBGPClusterConfig", ()):
        picked = selectors.standard(source.mapping("spec.nodeSelector"))
        for instance in source.parts("spec.bgpInstances"):
            _instance(found, found.read(instance), picked, sessions, offers)
    are_pods_wanted = any(each.prefixes == "pods" for each in offers)
    found.are_services_wanted = any(each.prefixes == "services" for each in offers)
    for source in sources.get("CiliumBGPPeeringPolicy", ()):
        picked = selectors.standard(source.mapping("spec.nodeSelector"))
        for router in source.parts("spec.virtualRouters"):
            are_pods_wanted |= bool(router.take("exportPodCIDR"))
            _router(found, found.read(router), picked)
    for source in sources.get("CiliumBGPNodeConfigOverride", ()):
        source.take("spec")
        found.lose(
            source,
            "spec.bgpInstances",
            "one node's own: write a peer with a nodeSelector for it, or bgp.asn: {fromLabel: …}",
        )
    for source in sources.get("CiliumLoadBalancerIPPool", ()):
        source.take("spec")
        found.lose(source, "spec", draft.CLUSTER_IPS)
    if are_pods_wanted and not found.pods:
        found.lose(Source("the pods", {}), "", RANGE)


def _name(source: Source) -> str:
    return source.title.partition("/")[2]


def _ranges(found: Draft, sources: dict[str, list[Source]]) -> None:
    found.pods_from = "cilium"
    for source in sources.get("ConfigMap", ()):
        if source.text("data.ipam") == "kubernetes":
            found.pods_from = ""
        for key in RANGES:
            listed = source.text(f"data.{key}").replace(",", " ").split()
            found.range_of("pods", listed, source, f"data.{key}")
        source.take("data")


def _instance(
    found: Draft,
    instance: Source,
    picked: dict[str, Any],
    sessions: dict[str, dict[str, Any]],
    offers: list[Offer],
) -> None:
    ours = draft.as_number(instance.take("localASN"))
    if ours is None:
        found.lose(instance, "localASN", NO_ASN)
    instance.take("name")
    for peer in instance.parts("peers"):
        found.read(peer)
        keys = dict(sessions.get(str(peer.mapping("peerConfigRef").get("name")), {}))
        wanted = keys.pop("labels", ())
        address = peer.text("peerAddress").partition("/")[0]
        if (found_by := peer.mapping("autoDiscovery")).get("mode") == "DefaultGateway":
            family = a_mapping(found_by.get("defaultGateway")).get("addressFamily")
            address = f"default-gateway-{family}" if family else "default-gateway"
        added = found.add(
            peer,
            peer.text("name") or address,
            address,
            ours=ours,
            asn=draft.as_number(peer.take("peerASN")) or "external",
            nodeSelector=picked,
            **keys,
        )
        for offer in offers:
            if any(each.items() <= offer.labels.items() for each in wanted):
                _attach(added, offer.prefixes, offer.attributes)


def _session(found: Draft, config: Source) -> dict[str, Any]:
    """Return the keys of a peer that its peer configuration says."""
    families = [found.read(each) for each in config.parts("spec.families")]
    for each in families:
        each.take("safi")
    return {
        "port": _port(config.take("spec.transport.peerPort")),
        "holdTime": draft.hold_time(config.take("spec.timers.holdTimeSeconds")),
        "keepalive": draft.seconds(config.take("spec.timers.keepAliveTimeSeconds"), 1, 0xFFFF),
        "connectRetry": draft.seconds(
            config.take("spec.timers.connectRetryTimeSeconds"), 1, draft.LONGEST_RETRY
        ),
        "passwordFrom": _password(found, config, "spec.authSecretRef"),
        "multihop": _multihop(config.take("spec.ebgpMultihop")),
        "gracefulRestart": _restart(config.mapping("spec.gracefulRestart")),
        "localAddress": _interface(config.text("spec.transport.sourceInterface")),
        "families": [_family(each) for each in families],
        "labels": [
            a_mapping(each.mapping("advertisements").get("matchLabels")) for each in families
        ],
    }


def _password(found: Draft, source: Source, path: str) -> str:
    secret = source.text(path)
    if secret:
        found.lose(
            source,
            path,
            f"put the `password` of the Secret {secret} into the Secret exabgp-k8s as {secret}",
        )
    return secret


def _interface(name: str) -> Any:
    return {"interface": name} if name else ""


def _family(source: Source) -> str:
    return source.text("afi") or "ipv4"


def _port(value: object) -> int | None:
    return value if isinstance(value, int) and value != 179 else None  # noqa: PLR2004 - BGP's own


def _multihop(value: object) -> int | None:
    """Return a TTL; one of 1 is what a directly connected router has anyway."""
    return value if isinstance(value, int) and value > 1 else None


def _restart(found: dict[str, Any]) -> str:
    return (
        draft.seconds(found.get("restartTimeSeconds", RESTART), 1, 4095)
        if (found.get("enabled"))
        else ""
    )


def _offer(found: Draft, offer: Source, labels: dict[str, Any]) -> Offer:
    """Return what an advertisement says, and note what of it is not announced here."""
    kind, written = offer.text("advertisementType"), offer.mapping("attributes")
    listed = a_list(offer.mapping("service").get("addresses"))
    offer.take("selector")
    attributes = _communities(a_mapping(written.get("communities")))
    if written.get("localPreference") is not None:
        attributes["localPref"] = written["localPreference"]
    prefixes = {"PodCIDR": "pods", "Service": "services"}.get(kind, "")
    if [each for each in listed if each != "ClusterIP"]:
        found.lose(offer, "service.addresses", draft.CLUSTER_IPS)
    if not prefixes:
        offer.take("interface")
        why = f"{kind}: only service ranges and the pod ranges of nodes are announced"
        found.lose(offer, "advertisementType", why)
    return Offer(labels=labels, prefixes=prefixes, attributes=attributes)


def _communities(found: dict[str, Any]) -> dict[str, Any]:
    return dict(draft.communities(_flat(found.get(k) for k in ("standard", "wellKnown", "large"))))


def _flat(lists: Iterable[Any]) -> Iterable[Any]:
    return (each for found in lists for each in a_list(found))


def _attach(peer: dict[str, Any] | None, prefixes: str, attributes: dict[str, Any]) -> None:
    if peer is not None and prefixes and attributes:
        peer.setdefault("attributes", {}).setdefault(prefixes, {}).update(attributes)


def _router(found: Draft, router: Source, picked: dict[str, Any]) -> None:
    """Take one virtual router of the older policy."""
    ours = draft.as_number(router.take("localASN"))
    for key, why in (
        ("serviceSelector", draft.CLUSTER_IPS),
        ("serviceAdvertisements", draft.CLUSTER_IPS),
        ("podIPPoolSelector", "only the pod ranges of nodes are announced"),
    ):
        if router.take(key):
            found.are_services_wanted = True
            found.lose(router, key, why)
    for neighbor in router.parts("neighbors"):
        _neighbor(found, found.read(neighbor), ours, picked)


def _neighbor(
    found: Draft, neighbor: Source, ours: int | str | None, picked: dict[str, Any]
) -> None:
    address = neighbor.text("peerAddress").partition("/")[0]
    families = [found.read(each) for each in neighbor.parts("families")]
    for each in families:
        each.take("safi")
    added = found.add(
        neighbor,
        f"peer-{address}",
        address,
        ours=ours,
        asn=draft.as_number(neighbor.take("peerASN")),
        nodeSelector=picked,
        port=_port(neighbor.take("peerPort")),
        multihop=_multihop(neighbor.take("eBGPMultihopTTL")),
        holdTime=draft.hold_time(neighbor.take("holdTimeSeconds")),
        keepalive=draft.seconds(neighbor.take("keepAliveTimeSeconds"), 1, 0xFFFF),
        connectRetry=draft.seconds(
            neighbor.take("connectRetryTimeSeconds"), 1, draft.LONGEST_RETRY
        ),
        gracefulRestart=_restart(neighbor.mapping("gracefulRestart")),
        passwordFrom=_password(found, neighbor, "authSecretRef"),
        families=[_family(each) for each in families],
    )
    for said in map(a_mapping, neighbor.items("advertisedPathAttributes")):
        prefixes = SELECTED.get(str(said.get("selectorType")), "")
        attributes = _communities(a_mapping(said.get("communities")))
        if said.get("localPreference") is not None:
            attributes["localPref"] = said["localPreference"]
        _attach(added, prefixes, attributes)
