"""The folders, and the node of each whose exabgp.conf is shown."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from exabgp_k8s.cli import config

HERE = Path(__file__).parent
NODES: dict[str, tuple[str, ...]] = {
    "metallb-two-tors": ("--node-ip", "10.10.0.11"),
    "metallb-anycast-gateway": (
        *("--node-ip", "172.20.0.12"),
        *("--label", "topology.example.com/rack=2"),
    ),
    "metallb-unnumbered": (
        *("--node-ip", "10.0.0.5"),
        *("--node-ip", "fe80::7%eth1", "--node-ip", "fe80::8%eth2"),
    ),
    "calico-as-per-rack": (
        *("--node-ip", "10.51.1.7", "--label", "rack=rack1"),
        *("--label", "example.com/asn=65001"),
    ),
    "calico-internal-spines": ("--node-ip", "10.0.4.7"),
    "cilium-dual-stack": (
        *("--node-ip", "10.1.0.7", "--node-ip", "fd00:10:0:1::7"),
        *("--label", "rack=rack0"),
    ),
    "cilium-gateway": (
        *("--node-ip", "192.168.1.21", "--gateway", "192.168.1.1"),
        *("--label", "kubernetes.io/os=linux"),
    ),
    "kube-router-annotations": (
        *("--node-ip", "10.30.1.11", "--label", "example.com/rack=1"),
        *("--annotation", "kube-router.io/node.asn=65511"),
    ),
    "exabgp-anycast-dns": ("--node-ip", "10.53.255.11"),
    "exabgp-two-upstreams": ("--node-ip", "198.51.100.10"),
}


WITH_BFD = ("metallb-two-tors", "metallb-unnumbered")


def rendered(name: str, *options: str) -> str:
    """Return what a node of a folder gets, without the path of the helper, which differs."""
    arguments = ["render", str(HERE / name / "settings.yaml"), *NODES[name], *options]
    result = CliRunner().invoke(config.group, arguments)
    assert result.exit_code == 0, result.stderr
    return re.sub(r"(?m)^  run .*;$", "  run AGENT;", result.stdout)
