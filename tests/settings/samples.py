"""Settings documents to build tests from."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from exabgp_k8s import errors
from exabgp_k8s.core.facts import config
from exabgp_k8s.settings import load

SAMPLE = """
bgp:
  asn: 64512                 # local AS; a peer may override (localASN)
  routerID: auto             # the node's IPv4 InternalIP
  hostname: true             # routers are told the node's name
peers:
  - name: tor-a1
    description: rack a, upper
    address: 192.0.2.1       # IPv4 or IPv6
    asn: 64513
    nodeSelector: {matchLabels: {rack: a}}
    holdTime: 9s
    passwordFrom: tor-a1
    ttlSecurity: true
    gracefulRestart: 120s
    families: [ipv4, ipv6]
    attributes:
      {communities: ["64512:10"], largeCommunities: [], med: 100, localPref: 100, prepend: 0}
announce:
  services: {cidrs: [10.96.0.0/16, "fd00:96::/112"]}
  pods: {within: [10.244.0.0/16]}
withdraw:
  cordoned: {pods: keep}
health:
  checks:
    - {name: kube-proxy, http: "http://127.0.0.1:10256/healthz", interval: 1s, timeout: 500ms,
       fall: 3, rise: 2, affects: [services]}
    - {name: uplink, interface: eth0}
    - {name: dns, dns: {server: 10.96.0.10, name: kubernetes.default.svc.cluster.local}}
drain: {gracefulShutdown: 0s, settle: 1s}
"""

SMALLEST: dict[str, Any] = {
    "bgp": {"asn": 64512},
    "peers": [{"name": "tor", "address": "192.0.2.1", "asn": 64513}],
    "announce": {"services": {"cidrs": ["10.96.0.0/16"]}},
}


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return the smallest document with one value put at a path; sections are made as needed."""
    document = copy.deepcopy(SMALLEST)
    place: Any = document
    for part in path[:-1]:
        place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
    place[path[-1]] = value
    return document


def parse(document: Any) -> config.Config:
    """Read a document given as plain values, by way of YAML."""
    return load.parse(yaml.safe_dump(document, sort_keys=False), "test")


def problems(document: Any) -> list[str]:
    """Return what is wrong with a document, one sentence each."""
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    try:
        load.parse(text, "test")
    except errors.SettingsError as error:
        return [str(problem) for problem in error.problems]
    return []
