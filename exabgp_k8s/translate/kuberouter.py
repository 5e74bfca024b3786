"""kube-router: the flags of its DaemonSet, and what Nodes say in annotations (kube-router.io)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from exabgp_k8s.settings import manifests
from exabgp_k8s.translate import draft, selectors
from exabgp_k8s.translate.draft import Draft
from exabgp_k8s.translate.source import Source, a_list, a_mapping, a_text

KINDS = ("DaemonSet", "Node")
PREFIX = "kube-router.io/"
BFD = "bfd"
AS_OF_ALL = 64512
"""kube-router's own default (``--cluster-asn``)."""
LISTS = {"ips": "address", "asns": "asn", "ports": "port", "passwords": "password"}
SILENT = (
    *("run-router", "run-firewall", "run-service-proxy", "run-loadbalancer", "kubeconfig"),
    *("advertise-pod-cidr", "enable-cni", "v", "bgp-port", "health-port", "metrics-port"),
    *("advertise-cluster-ip", "enable-pod-egress", "hairpin-mode", "metrics-addr", "master"),
    *(
        "service-node-port-range",
        "enable-overlay",
        "overlay-type",
        "router-id",
        "cache-sync-timeout",
    ),
    *("bgp-graceful-restart-deferral-time", "override-nexthop", "peer-router-multihop-ttl"),
)
RANGE = (
    "kube-router announces spec.podCIDRs of each Node, and their common range is not in this "
    "file; give it as --pods"
)
WHY = {
    "advertise-external-ip": draft.CLUSTER_IPS,
    "advertise-loadbalancer-ip": draft.CLUSTER_IPS,
    "nodes-full-mesh": "nodes have sessions with routers only",
    "enable-ibgp": "nodes have sessions with routers only",
    "peer-router-passwords-file": "put each password into the Secret exabgp-k8s and name its key "
    "at the peer: passwordFrom",
    "node.bgp.customimportreject": "nothing that routers say is taken",
    "rr.client": "nodes have sessions with routers only",
    "rr.server": "nodes have sessions with routers only",
}


def write(found: Draft, sources: dict[str, list[Source]]) -> None:
    """Write our document from kube-router's flags and the Nodes' annotations."""
    common: dict[str, Any] = {}
    found.asn = AS_OF_ALL
    for source in sources.get("DaemonSet", ()):
        flags = _flags(source)
        if flags and flags.get("advertise-pod-cidr") != "false" and not found.pods:
            found.lose(source, "the pods", RANGE)
        if flags:
            common = _from_flags(found, source, flags)
    same: dict[str, tuple[Source, list[str]]] = {}
    for source in sources.get("Node", ()):
        said = _said(source)
        if said:
            key = json.dumps(said, sort_keys=True, default=str)
            same.setdefault(key, (source, []))[1].append(source.title.partition("/")[2])
    for key, (source, nodes) in same.items():
        _from_nodes(found, source, json.loads(key), nodes, common)


def _flags(source: Source) -> dict[str, str]:
    """Return the flags of the container that has kube-router's."""
    pod = a_mapping(a_mapping(source.mapping("spec").get("template")).get("spec"))
    for container in map(a_mapping, a_list(pod.get("containers"))):
        words = [*a_list(container.get("command")), *a_list(container.get("args"))]
        pairs = (str(word)[2:].partition("=") for word in words if str(word).startswith("--"))
        flags = {name: value or "true" for name, _, value in pairs}
        if "run-router" in flags or "cluster-asn" in flags or "peer-router-ips" in flags:
            return flags
    return {}


def _from_flags(found: Draft, source: Source, flags: dict[str, str]) -> dict[str, Any]:
    """Take the flags; return what all sessions have in common."""
    found.asn = draft.as_number(flags.pop("cluster-asn", "")) or AS_OF_ALL
    services = flags.pop("service-cluster-ip-range", "").replace(",", " ").split()
    found.range_of("services", services, source, "--service-cluster-ip-range")
    common: dict[str, Any] = {
        "holdTime": draft.hold_time(flags.pop("bgp-holdtime", "")),
        "multihop": _hops(flags.pop("peer-router-multihop-ttl", "")),
    }
    restart = flags.pop("bgp-graceful-restart-time", "90s")
    if flags.pop("bgp-graceful-restart", "false") == "true":
        common["gracefulRestart"] = draft.seconds(restart, 1, 4095)
    lists = {key: flags.pop(f"peer-router-{name}", "") for name, key in LISTS.items()}
    for number, peer in enumerate(_zipped(lists), 1):
        _add(found, source, f"router-{number}", peer, common)
    for name, value in flags.items():
        if name not in SILENT and value != "false":
            why = WHY.get(name, draft.NOTHING_LIKE_IT)
            found.lose(source, f"--{name}", why)
    return common


def _hops(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) > 1 else None


def _zipped(lists: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield the entries that stand at the same place of several comma-separated lists."""
    columns = {key: [each.strip() for each in text.split(",")] for key, text in lists.items()}
    for number, address in enumerate(columns["address"]):
        if address:
            yield {key: column[number] for key, column in columns.items() if number < len(column)}


def _said(source: Source) -> dict[str, Any]:
    """Return what a Node's annotations say of BGP."""
    return {
        key.removeprefix(PREFIX): a_text(value)
        for key, value in source.mapping("metadata.annotations").items()
        if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in ("pod-cidr", "pod-cidrs")
    }


def _from_nodes(
    found: Draft, source: Source, said: dict[str, Any], nodes: list[str], common: dict[str, Any]
) -> None:
    """Add the peers of the nodes that say the same."""
    ours = draft.as_number(said.pop("node.asn", ""))
    named = said.pop("node.bgp.communities", "").replace(",", " ").replace('"', "").split()
    attributes: dict[str, Any] = dict(draft.communities(each.strip("[]") for each in named))
    said.pop("path-prepend.as", "")
    times = said.pop("path-prepend.repeat-n", "")
    if times.isdecimal():
        attributes["prepend"] = min(int(times), 10)
    local = said.pop("bgp-local-addresses", "")
    lists = {key: said.pop(f"peer.{name}", "") for name, key in LISTS.items()}
    lists["localAddress"] = said.pop("peer.localips", "")
    listed = [*_zipped(lists), *_listed(said.pop("peers", ""))]
    where = {"nodeSelector": selectors.named(nodes), "attributes": attributes, "ours": ours}
    for number, peer in enumerate(listed, 1):
        _add(found, source, f"{nodes[0]}-{number}", peer, common | where)
    if not listed and (ours or attributes):
        found.lose(
            source,
            "metadata.annotations",
            "an AS or attributes of this node: write "
            "bgp.asn: {fromAnnotation: kube-router.io/node.asn}, or a peer for it",
        )
    if local:
        found.lose(
            source, "bgp-local-addresses", "nodes only dial; write localAddress at the peer"
        )
    for name in said:
        why = WHY.get(name, draft.NOTHING_LIKE_IT)
        found.lose(source, f"{PREFIX}{name}", why)


def _listed(text: str) -> Iterator[dict[str, str]]:
    """Yield the peers of the newer annotation, which is YAML."""
    names = {
        "remoteip": "address",
        "remoteasn": "asn",
        "localip": "localAddress",
        "port": "port",
        "password": "password",
    }
    for document in manifests.objects(text, "annotation") if text else ():
        for each in document.plain if isinstance(document.plain, list) else ():
            if isinstance(each, dict):
                beside = {BFD: "asked"} if a_mapping(each.get("bfd")).get("enabled") else {}
                yield {
                    names[key]: str(value) for key, value in each.items() if key in names
                } | beside


def _add(
    found: Draft, source: Source, name: str, peer: dict[str, str], more: dict[str, Any]
) -> None:
    beside: dict[str, Any] = {}
    if BFD in peer:
        beside["bfd"] = {"interval": "1s"}
        found.lose(
            source,
            f"BFD with {peer['address']}",
            "written with kube-router's default, 1s x 3; 300ms x 3 notices faster",
        )
    port = int(peer["port"]) if peer.get("port", "").isdecimal() else None
    secret = name if peer.get("password") else ""
    if secret:
        found.lose(
            source,
            f"the password of {peer['address']}",
            f"put it, decoded, into the Secret exabgp-k8s as {secret}",
        )
    found.add(
        source,
        name,
        peer["address"],
        asn=draft.as_number(peer.get("asn", "")) or "external",
        port=port if port != 179 else None,  # noqa: PLR2004 - BGP's own
        localAddress=peer.get("localAddress", ""),
        passwordFrom=secret,
        **beside,
        **more,
    )
