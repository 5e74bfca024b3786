"""``config convert``: what is carried over, what is said of the rest, and that a node takes it."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from exabgp_k8s import errors
from exabgp_k8s.cli import config
from exabgp_k8s.settings import load
from exabgp_k8s.translate import draft, origin, selectors

METALLB = """\
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor.a}
spec:
  myASN: 64500
  peerASN: 64501
  peerAddress: 10.0.0.1
  holdTime: 90s
  keepaliveTime: 30s
  ebgpMultiHop: true
  passwordSecret: {name: tor-a-secret}
  nodeSelectors: [{matchLabels: {rack: a}}, {matchLabels: {rack: b}}]
  bfdProfile: fast
  vrf: red
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor-b}
spec: {myASN: 64500, peerASN: 64501, peerAddress: 'fd00::1', password: hunter2, peerPort: 1179}
---
apiVersion: v1
kind: List
items:
- apiVersion: metallb.io/v1beta1
  kind: BGPAdvertisement
  metadata: {name: adv}
  spec: {communities: [64500:100, vpn-only, 'large:64500:1:2'], peers: [tor.a]}
- apiVersion: metallb.io/v1beta1
  kind: Community
  metadata: {name: names}
  spec: {communities: [{name: vpn-only, value: 64500:7}]}
- apiVersion: metallb.io/v1beta1
  kind: IPAddressPool
  metadata: {name: pool}
  spec: {addresses: [192.168.10.0/24]}
- apiVersion: metallb.io/v1beta1
  kind: BFDProfile
  metadata: {name: fast}
  spec: {receiveInterval: 20, transmitInterval: 100, detectMultiplier: 1, minimumTtl: 250}
"""
CALICO = """\
apiVersion: projectcalico.org/v3
kind: BGPConfiguration
metadata: {name: default}
spec:
  asNumber: 64512
  nodeToNodeMeshEnabled: false
  serviceClusterIPs: [{cidr: 10.96.0.0/12}]
  serviceExternalIPs: [{cidr: 203.0.113.0/24}]
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: rack1}
spec:
  peerIP: "10.1.0.1:1179"
  asNumber: 64513
  nodeSelector: "rack == 'rack-1' && !has(gpu)"
  password: {secretKeyRef: {name: bgp, key: rack1}}
  filters: [out]
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: mesh}
spec: {nodeSelector: all(), peerSelector: route-reflector == 'true'}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: pool}
spec: {cidr: 10.244.0.0/16, ipipMode: Never, natOutgoing: true}
"""
CILIUM = """\
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: rack0}
spec:
  nodeSelector: {matchLabels: {rack: rack0}}
  bgpInstances:
  - name: "65000"
    localASN: 65000
    peers:
    - {name: tor0, peerASN: 65010, peerAddress: 'fd00:10::1', peerConfigRef: {name: tor}}
    - {name: tor1, peerASN: 65011, peerAddress: 'fd00:10::2', peerConfigRef: {name: tor}}
---
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {name: tor}
spec:
  timers: {holdTimeSeconds: 9}
  authSecretRef: bgp-auth
  gracefulRestart: {enabled: true, restartTimeSeconds: 15}
  ebgpMultihop: 4
  transport: {sourceInterface: lo1}
  families:
  - {afi: ipv4, safi: unicast, advertisements: {matchLabels: {advertise: bgp}}}
---
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {name: all, labels: {advertise: bgp}}
spec:
  advertisements:
  - {advertisementType: PodCIDR}
  - {advertisementType: Service, service: {addresses: [ClusterIP, LoadBalancerIP]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config}
data: {ipam: kubernetes, cluster-pool-ipv4-cidr: 10.244.0.0/16}
"""
POLICY = """\
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata: {name: rack0}
spec:
  nodeSelector: {matchLabels: {rack: rack0}}
  virtualRouters:
  - localASN: 64512
    exportPodCIDR: true
    serviceSelector: {matchLabels: {app: web}}
    neighbors:
    - {peerAddress: 10.0.0.1/32, peerASN: 64513, eBGPMultihopTTL: 10, holdTimeSeconds: 90,
       gracefulRestart: {enabled: true, restartTimeSeconds: 120}, peerPort: 179}
"""
KUBE_ROUTER = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-router}
spec:
  template:
    spec:
      containers:
      - name: kube-router
        args:
        - --run-router=true
        - --cluster-asn=64512
        - --peer-router-ips=192.168.1.1,192.168.1.2
        - --peer-router-asns=65000,65000
        - --advertise-external-ip
        - --bgp-graceful-restart=true
        - --nodes-full-mesh=false
---
apiVersion: v1
kind: Node
metadata:
  name: w1
  annotations:
    kube-router.io/node.asn: "64701"
    kube-router.io/peer.ips: "10.0.1.1"
    kube-router.io/peer.asns: "65001"
    kube-router.io/peer.passwords: "aHVudGVyMg=="
---
apiVersion: v1
kind: Node
metadata:
  name: w2
  annotations:
    kube-router.io/node.asn: "64701"
    kube-router.io/peer.ips: "10.0.1.1"
    kube-router.io/peer.asns: "65001"
    kube-router.io/peer.passwords: "aHVudGVyMg=="
---
apiVersion: v1
kind: Node
metadata:
  name: w3
  annotations:
    kube-router.io/peers: |
      - {remoteip: 10.0.2.1, remoteasn: 65002, localip: 10.0.2.9, bfd: {enabled: true}}
    kube-router.io/path-prepend.repeat-n: "3"
"""


def convert(whose: str, text: str, *options: str) -> Result:
    return CliRunner().invoke(
        config.group, ["convert", "--from", whose, "-", *options], input=text
    )


def converted(whose: str, text: str, *options: str) -> tuple[dict[str, Any], list[str]]:
    """Return the document, which a node takes, and what was said of the rest."""
    result = convert(whose, text, *options)
    assert result.exit_code == 0, result.stderr
    load.parse(result.stdout, "converted")
    return yaml.safe_load(result.stdout), result.stderr.splitlines()


def peers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {peer.pop("name"): peer for peer in document["peers"]}


def said(lines: list[str], *words: str) -> bool:
    return any(all(word in line for word in words) for line in lines)


def test_metallb_peers_keep_their_nodes_timers_and_communities() -> None:
    document, lines = converted("metallb", METALLB)
    found = peers(document)

    assert found["tor-a"].pop("keepalive") == "30s"
    assert document["bgp"] == {"asn": 64500}
    assert document["announce"] == {"services": {"cidrs": "auto"}}
    assert found["tor-a"] == {
        "address": "10.0.0.1",
        "asn": 64501,
        "nodeSelector": {
            "matchExpressions": [{"key": "rack", "operator": "In", "values": ["a", "b"]}]
        },
        "holdTime": "1m30s",
        "passwordFrom": "tor-a-secret",
        "multihop": 255,
        "bfd": {"interval": "100ms", "multiplier": 2},
        "attributes": {
            "communities": ["64500:100", "64500:7"],
            "largeCommunities": ["64500:1:2"],
        },
    }
    assert (found["tor-b"]["port"], found["tor-b"]["passwordFrom"]) == (1179, "tor-b")
    for words in (
        ("BFDProfile/fast", "spec", "the slower one is written"),
        ("BFDProfile/fast", "spec.minimumTtl", "a router can"),
        ("BGPPeer/tor.a", "spec.vrf", "not carried over"),
        ("BGPPeer/tor-b", "spec.password", "into the Secret exabgp-k8s as tor-b"),
        ("IPAddressPool/pool", "ClusterIPs"),
    ):
        assert said(lines, *words), lines


def test_a_bfd_profile_that_is_elsewhere_is_written_with_the_defaults_and_named() -> None:
    alone = "---".join(METALLB.split("---")[:1])
    document, lines = converted("metallb", alone)

    assert peers(document)["tor-a"]["bfd"] == {}
    assert said(lines, "BGPPeer/tor.a", "spec.bfdProfile", "fast is not in this file")


@pytest.mark.parametrize(
    ("profile", "written"),
    [
        ("{}", {}),
        ("{receiveInterval: 10, detectMultiplier: 255}", {"interval": "50ms", "multiplier": 50}),
        ("{transmitInterval: 60000}", {"interval": "1m"}),
        ("{receiveInterval: 1000, transmitInterval: 300}", {"interval": "1s"}),
    ],
)
def test_the_times_of_a_bfd_profile_are_brought_within_ours(
    profile: str, written: dict[str, object]
) -> None:
    one = METALLB.split("---", maxsplit=1)[0] + (
        "---\napiVersion: metallb.io/v1beta1\nkind: BFDProfile\nmetadata: {name: fast}\n"
        f"spec: {profile}\n"
    )
    document, _ = converted("metallb", one)

    load.parse(json.dumps(document), "converted")
    assert peers(document)["tor-a"]["bfd"] == written


def test_calico_peers_keep_their_selector_and_ranges() -> None:
    document, lines = converted("calico", CALICO)
    found = peers(document)

    assert document["announce"] == {
        "services": {"cidrs": ["10.96.0.0/12"]},
        "pods": {"within": ["10.244.0.0/16"], "from": "calico"},
    }
    assert found == {
        "rack1": {
            "address": "10.1.0.1",
            "asn": 64513,
            "port": 1179,
            "nodeSelector": {
                "matchLabels": {"rack": "rack-1"},
                "matchExpressions": [{"key": "gpu", "operator": "DoesNotExist"}],
            },
            "passwordFrom": "rack1",
        }
    }
    for words in (
        ("BGPPeer/mesh", "spec.peerSelector", "routers only"),
        ("BGPPeer/rack1", "spec.filters", "announce: [services]"),
        ("serviceExternalIPs", "ClusterIPs"),
        ("the pods", "daemonset/components/pods-from-calico"),
    ):
        assert said(lines, *words), lines


def test_cilium_peers_are_put_together_from_three_objects() -> None:
    document, lines = converted("cilium", CILIUM)

    assert document["bgp"] == {"asn": 65000}
    assert document["announce"] == {
        "services": {"cidrs": "auto"},
        "pods": {"within": ["10.244.0.0/16"]},
    }
    assert peers(document)["tor0"] == {
        "address": "fd00:10::1",
        "asn": 65010,
        "localAddress": {"interface": "lo1"},
        "nodeSelector": {"matchLabels": {"rack": "rack0"}},
        "holdTime": "9s",
        "passwordFrom": "bgp-auth",
        "multihop": 4,
        "gracefulRestart": "15s",
        "families": ["ipv4"],
    }
    assert said(lines, "service.addresses", "ClusterIPs")


def test_the_older_policy_of_cilium_is_read_too() -> None:
    document, lines = converted("cilium", POLICY)

    assert peers(document)["peer-10-0-0-1"] == {
        "address": "10.0.0.1",
        "asn": 64513,
        "nodeSelector": {"matchLabels": {"rack": "rack0"}},
        "holdTime": "1m30s",
        "multihop": 10,
        "gracefulRestart": "2m",
    }
    assert said(lines, "the cluster's pod range is not in this file", "--pods")


def test_kube_router_nodes_that_say_the_same_become_one_peer() -> None:
    document, lines = converted("kube-router", KUBE_ROUTER, "--pods", "10.244.0.0/16")
    found = peers(document)

    assert document["announce"]["pods"] == {"within": ["10.244.0.0/16"]}
    assert list(found) == ["router-1", "router-2", "w1-1", "w3-1"]
    assert found["router-1"]["gracefulRestart"] == "1m30s"
    assert found["w1-1"]["localASN"] == 64701
    assert found["w1-1"]["nodeSelector"] == selectors.named(["w1", "w2"])
    assert found["w3-1"]["localAddress"] == "10.0.2.9"
    assert found["w3-1"]["attributes"] == {"prepend": 3}
    assert found["w3-1"]["bfd"] == {"interval": "1s"}
    assert "bfd" not in found["w1-1"]
    assert said(lines, "Node/w1", "password", "as w1-1")
    assert said(lines, "Node/w3", "BFD with 10.0.2.1", "1s x 3")


@pytest.mark.parametrize(
    ("whose", "text"),
    [("metallb", METALLB), ("kube-router", KUBE_ROUTER)],
    ids=["plain", "in base 64"],
)
def test_no_password_is_repeated(whose: str, text: str) -> None:
    result = convert(whose, text)

    assert "hunter2" not in result.stdout + result.stderr
    assert "aHVudGVyMg" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("whose", "text", "words"),
    [
        ("metallb", CALICO, "no BGP peers of metallb that can be written"),
        ("calico", "a: [", "is not YAML"),
        ("cilium", "", "there is: none of them"),
        (
            "metallb",
            METALLB[: METALLB.index("---")].replace("peerAddress: 10.0.0.1", "interface: eth1"),
            "spec.interface: write address: fe80::",
        ),
    ],
)
def test_a_file_without_peers_is_told_what_is_looked_for(
    whose: str, text: str, words: str
) -> None:
    result = convert(whose, text)

    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_a_result_that_a_node_would_refuse_is_shown_with_its_mistakes() -> None:
    twice = METALLB.replace("'fd00::1'", "10.0.0.1")

    result = convert("metallb", twice)

    assert result.exit_code == 1
    assert "peers[1].address: 10.0.0.1" in result.stderr
    assert "bgp:" in result.stdout


def test_ranges_that_are_given_count_more_than_those_in_the_file() -> None:
    document, _ = converted("calico", CALICO, "--services", "10.96.0.0/16")

    assert document["announce"]["services"]["cidrs"] == ["10.96.0.0/16"]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key, inner in ((key, value[key]) for key in keys):
        yield from places(inner, (*path, key))


def with_junk(document: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    changed = copy.copy(document)
    changed[path[0]] = with_junk(document[path[0]], path[1:], junk)
    return changed


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metallb", METALLB),
        ("calico", CALICO),
        ("cilium", CILIUM),
        ("cilium", POLICY),
        ("kube-router", KUBE_ROUTER),
    ],
)
def test_whatever_stands_in_a_manifest_is_written_or_refused_in_sentences(
    name: str, text: str
) -> None:
    documents = list(yaml.safe_load_all(text))
    junk_of_each = itertools.cycle((None, [5], 5, {"a": "b"}, []))
    for path, junk in zip(places(documents), junk_of_each, strict=False):
        changed = with_junk(documents, path, junk) if len(path) else documents
        written = "\n---\n".join(json.dumps(each) for each in changed)
        with contextlib.suppress(errors.SettingsError):
            found = origin.translate(name, written, "x", services=(), pods=())
            assert all(str(loss) for loss in found.losses())
            load.parse(json.dumps(found.document()), "x")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("all()", {}),
        ("has(a)", {"matchExpressions": [{"key": "a", "operator": "Exists"}]}),
        ("a == 'b'", {"matchLabels": {"a": "b"}}),
        ("a != 'b'", {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}),
        (
            "a in {'b', 'c'}",
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]},
        ),
        (
            "a not in {'b'}",
            {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]},
        ),
        ("a == 'b' || c == 'd'", None),
    ],
)
def test_selectors_of_calico_are_read_as_far_as_ours_can_say_them(text: str, meant: Any) -> None:
    assert selectors.calico(text) == meant


@pytest.mark.parametrize(
    ("value", "written"),
    [(90, "1m30s"), ("3s", "3s"), ("1500ms", "3s"), (0, "0s"), (None, ""), ("soon", "")],
)
def test_times_are_whole_seconds_that_bgp_knows(value: Any, written: str) -> None:
    assert draft.hold_time(value) == written
