"""Calico: BGPConfiguration, BGPPeer, IPPool (projectcalico.org, or crd.projectcalico.org)."""

from __future__ import annotations

import ipaddress
from typing import Any

from exabgp_k8s.translate import draft, selectors
from exabgp_k8s.translate.draft import Draft
from exabgp_k8s.translate.source import Source, a_list, a_mapping

KINDS = ("BGPConfiguration", "BGPPeer", "IPPool", "BGPFilter")
AS_OF_ALL = 64512
"""Calico's own default."""
FAR = "GTSM is for directly connected routers here; multihop is written instead"
NOT_OF_PEERS = {
    "keepOriginalNextHop": "the next hop is always the node",
    "filters": "write announce: [services] or [pods] at the peer",
}
MESH = "nodes have sessions with routers only; write the routers that connect them as peers"


def write(found: Draft, sources: dict[str, list[Source]]) -> None:
    """Write our document from Calico's objects."""
    found.asn = AS_OF_ALL
    found.pods_from = "calico"
    found.are_services_wanted = False
    advertised: list[tuple[str, list[str]]] = []
    for source in sources.get("BGPConfiguration", ()):
        advertised += _configuration(found, source)
    for source in sources.get("IPPool", ()):
        is_hidden = source.take("spec.disableBGPExport") or source.take("spec.disabled")
        cidr = source.text("spec.cidr")
        for key in (
            "blockSize",
            "ipipMode",
            "vxlanMode",
            "natOutgoing",
            "nodeSelector",
            "allowedUses",
            "assignmentMode",
        ):
            source.take(f"spec.{key}")
        if not is_hidden:
            found.range_of("pods", [cidr], source, "spec.cidr")
    for source in sources.get("BGPPeer", ()):
        _peer(found, source)
    for source in sources.get("BGPFilter", ()):
        source.take("spec")
        found.lose(
            source, "", "announce says what is announced; nothing that routers say is taken"
        )
    _attach(found, advertised)


def _configuration(found: Draft, source: Source) -> list[tuple[str, list[str]]]:
    """Take the configuration; return the ranges that carry communities."""
    number = draft.as_number(source.take("spec.asNumber"))
    if source.title.endswith("/default"):
        found.asn = number or AS_OF_ALL
    elif number:
        found.lose(
            source,
            "spec.asNumber",
            "a configuration of one node: give that node a label "
            "with its AS and write bgp.asn: {fromLabel: …}",
        )
    ranges = [
        each.get("cidr")
        for each in source.items("spec.serviceClusterIPs")
        if isinstance(each, dict)
    ]
    found.range_of("services", ranges, source, "spec.serviceClusterIPs")
    for key in ("serviceExternalIPs", "serviceLoadBalancerIPs"):
        if source.take(f"spec.{key}"):
            found.lose(source, f"spec.{key}", draft.CLUSTER_IPS)
    if source.take("spec.nodeToNodeMeshEnabled", default=True):
        found.lose(source, "spec.nodeToNodeMeshEnabled", MESH)
    for key in ("logSeverityScreen", "serviceLoadBalancerAggregation", "bindMode", "listenPort"):
        source.take(f"spec.{key}")
    names = {
        str(each.get("name")): str(each.get("value"))
        for each in source.items("spec.communities")
        if isinstance(each, dict)
    }
    return [
        (
            str(each.get("cidr")),
            [names.get(str(one), str(one)) for one in a_list(each.get("communities"))],
        )
        for each in source.items("spec.prefixAdvertisements")
        if isinstance(each, dict)
    ]


def _peer(found: Draft, source: Source) -> None:
    name = source.title.partition("/")[2]
    if source.text("spec.peerSelector"):
        found.lose(source, "spec.peerSelector", MESH)
        source.take("spec")
        return
    address, port = _endpoint(source.text("spec.peerIP"))
    hops = source.take("spec.ttlSecurity")
    if hops not in (None, 1):
        found.lose(source, "spec.ttlSecurity", FAR)
    for key, why in NOT_OF_PEERS.items():
        if source.take(f"spec.{key}"):
            found.lose(source, f"spec.{key}", why)
    # Directly connected, or a route of the host: the kernel's to find.
    source.take("spec.reachableBy")
    found.add(
        source,
        name,
        address,
        asn=draft.as_number(source.take("spec.asNumber")),
        localASN=draft.as_number(source.take("spec.localASNumber")),
        port=port,
        localAddress="route" if source.take("spec.sourceAddress") == "None" else "",
        nodeSelector=_nodes(found, source),
        passwordFrom=_password(found, source),
        ttlSecurity=True if hops == 1 else None,
        multihop=hops if isinstance(hops, int) and hops > 1 else None,
        gracefulRestart=draft.seconds(source.take("spec.maxRestartTime"), 1, 4095),
        keepalive=draft.seconds(source.take("spec.keepaliveTime"), 1, 0xFFFF),
    )


def _password(found: Draft, source: Source) -> str:
    secret = a_mapping(source.mapping("spec.password").get("secretKeyRef"))
    if secret:
        found.lose(
            source,
            "spec.password",
            f"put {secret.get('key')} of the Secret {secret.get('name')} into the Secret "
            "exabgp-k8s under the same key",
        )
    return str(secret.get("key") or "")


def _nodes(found: Draft, source: Source) -> dict[str, Any]:
    if node := source.text("spec.node"):
        return selectors.named([node])
    text = source.text("spec.nodeSelector")
    selector = selectors.calico(text) if text else {}
    if selector is None:
        found.lose(
            source,
            "spec.nodeSelector",
            f"{text!r} is more than a conjunction; the peer is "
            "written for every node: write its nodeSelector, or a peer for each part",
        )
    return selector or {}


def _endpoint(text: str) -> tuple[str, int | None]:
    """Return the address and the port of ``192.0.2.1:179`` or ``[2001:db8::1]:179``."""
    host, colon, port = text.rpartition(":")
    is_pair = bool(colon) and (host.startswith("[") or ":" not in host)
    if not is_pair or not port.isdecimal():
        return text, None
    return host.strip("[]"), int(port) if int(port) != 179 else None  # noqa: PLR2004 - BGP's own


def _attach(found: Draft, advertised: list[tuple[str, list[str]]]) -> None:
    """Give each class the communities of the ranges that lie in it."""
    for cidr, names in advertised:
        for name, ranges in (("services", found.services), ("pods", found.pods)):
            if _is_among(cidr, ranges):
                for peer in found.peers:
                    part = peer.setdefault("attributes", {}).setdefault(name, {})
                    part |= draft.communities([*part.get("communities", ()), *names])


def _is_among(cidr: str, ranges: list[str]) -> bool:
    try:
        network = ipaddress.ip_network(cidr)
        return any(
            network.version == other.version and network.overlaps(other)
            for other in map(ipaddress.ip_network, ranges)
        )
    except ValueError:
        return False
