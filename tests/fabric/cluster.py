"""A bed with our program on every node, an API server with their Node objects, and expectations.

The API server runs in this process, on a socket of the bed's own namespace for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.fabric import addresses, agents, nodes, routers, topology, volume, waiting

API_PORT = 6443
START_LIMIT = 180.0
"""Seconds until all are announced at first: nothing is proven by it, and nodes start together."""
PASSWORD_KEY = "routers"
SETTINGS = "settings.yaml"

Factory = Callable[..., "Cluster"]


class Cluster:
    """Nodes that announce themselves to the routers of one fabric."""

    def __init__(
        self,
        fabric: topology.Fabric,
        *,
        peer: Mapping[str, Any] | None = None,
        drain: Mapping[str, str] | None = None,
        passwords: Mapping[str, str] | None = None,
    ) -> None:
        """Write the settings and the Node objects; anything else with ``document`` and ``write``.

        Args:
            fabric: the bed.
            peer: options of every peer, such as ``{"holdTime": "3s"}``.
            drain: that section of the settings.
            passwords: by node name; a node without one has an empty Secret.
        """
        self.fabric = fabric
        self.api = apiserver.ApiServer(nodes=[node_object(node) for node in fabric.nodes])
        self.listen()
        secret = {} if passwords is None else {"passwordFrom": PASSWORD_KEY}
        options = {**secret, **(peer or {})}
        self._volume = volume.Volume(
            fabric.directory / "settings",
            {SETTINGS: json.dumps(settings(fabric.routers, options, drain or {}))},
        )
        kubeconfig = fabric.directory / "kubeconfig"
        kubeconfig.write_text(apiserver.kubeconfig(self.api))
        self.agents = {
            node.name: agents.NodeAgent(
                node,
                settings=self._volume.path / SETTINGS,
                kubeconfig=kubeconfig,
                passwords={PASSWORD_KEY: passwords[node.name]}
                if passwords and node.name in passwords
                else {},
            )
            for node in fabric.nodes
        }

    def listen(self) -> None:
        """Start the API server, or start it again after ``api.stop``."""
        self.api.start(self.fabric.control.listen(addresses.API_SERVER, API_PORT))

    def document(self) -> dict[str, Any]:
        """Return a copy of the settings as they were last written, to be changed at will."""
        document: dict[str, Any] = json.loads((self._volume.path / SETTINGS).read_text())
        return document

    def write(self, document: Mapping[str, Any]) -> None:
        """Write settings for all nodes, as an edit of the ConfigMap does; valid or not."""
        self._volume.write({SETTINGS: json.dumps(document)})

    def start(self) -> None:
        """Start every agent and return when every router has every route."""
        for agent in self.agents.values():
            agent.start()
        self.expect(services=self.agents, pods=self.agents, limit=START_LIMIT)

    def expect(
        self, *, services: Collection[str], pods: Collection[str], limit: float = waiting.LIMIT
    ) -> None:
        """Wait until every router's kernel has exactly these nodes as next hops.

        ``services`` names the nodes of the two service ranges' groups, ``pods`` those whose own
        pod ranges are there; the ranges of all other nodes must be absent.
        """
        for router in self.fabric.routers:
            waiting.until_equal(
                self.wanted(services, pods),
                lambda: self.routes(router),  # noqa: B023 - called before the next router
                f"the routes of {router.kind}",
                limit=limit,
            )

    def routes(self, router: routers.Router) -> dict[str, frozenset[str]]:
        """Return the next hops that a router's kernel has for each prefix of the cluster."""
        prefixes = [addresses.SERVICES, addresses.SERVICES6]
        for node in self.fabric.nodes:
            prefixes += [node.pod_cidr, node.pod_cidr6]
        found = router.routes()
        return {prefix: found.get(prefix, frozenset()) for prefix in prefixes}

    def reboot(self, name: str) -> None:
        """Reboot a node: its pods are told to end, and it comes back empty."""
        node = self.fabric.node(name)
        self.agents[name].terminate()
        node.power_off()
        self.agents[name].forget()
        node.power_on()
        self.agents[name].start()

    def stop(self) -> None:
        """Close the API server; the processes go with their namespaces."""
        self.api.stop()

    def wanted(
        self, services: Collection[str], pods: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """Return what ``routes`` shall be when these nodes, and no others, are announced."""
        serving = [self.fabric.node(name) for name in services]
        wanted = {
            addresses.SERVICES: frozenset(node.address for node in serving),
            addresses.SERVICES6: frozenset(node.address6 for node in serving),
        }
        for node in self.fabric.nodes:
            is_there = node.name in pods
            wanted[node.pod_cidr] = frozenset({node.address} if is_there else ())
            wanted[node.pod_cidr6] = frozenset({node.address6} if is_there else ())
        return wanted


def node_object(node: nodes.Node) -> dict[str, Any]:
    return apiserver.node_object(
        node.name, (node.address, node.address6), (node.pod_cidr, node.pod_cidr6)
    )


def settings(
    peers: Sequence[routers.Router], options: Mapping[str, Any], drain: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "bgp": {"asn": addresses.NODE_ASN},
        "peers": [
            {
                "name": f"r{router.number}",
                "address": router.address,
                "asn": addresses.ROUTER_ASN,
                **options,
            }
            for router in peers
        ],
        "announce": {
            "services": {"cidrs": [addresses.SERVICES, addresses.SERVICES6]},
            "pods": {"within": [addresses.PODS, addresses.PODS6]},
        },
        "health": {
            "checks": [
                {
                    "name": "kube-proxy",
                    "http": "http://127.0.0.1:10256/healthz",
                    "interval": "500ms",
                    "fall": 2,
                    "affects": ["services"],
                }
            ]
        },
        "drain": dict(drain),
    }
