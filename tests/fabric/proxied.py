"""Nodes whose ClusterIPs are the work of a real kube-proxy, behind a real API server.

Used where ``KUBEBUILDER_ASSETS`` names a directory with ``kube-proxy`` beside the control plane.
The nodes of the other beds have rules that somebody wrote by hand; what a page says about
masquerading, traffic policies and loops has to be true of the rules that kube-proxy writes.
Pods of other nodes are reached by plain routes, as flannel's host-gw makes them, or by a VXLAN.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.fabric import (
    addresses,
    agents,
    cluster,
    dnsserver,
    kernel,
    nodes,
    relay,
    routers,
    topology,
    volume,
    waiting,
    workload,
)
from tests.support import controlplane

NODES = 3
ASKED_FIRST, WITH_THE_POD = "n1", "n2"
"""Where packets are led to, and where alone most Services have a pod."""
MASQUERADING = f"--cluster-cidr={addresses.PODS}"

EVERYWHERE, FAR = "10.96.0.20", "10.96.0.11"
INSIDE_LOCAL, OUTSIDE_LOCAL, WITHOUT_PODS = "10.96.0.12", "10.96.0.13", "10.96.0.14"
UNUSED = addresses.UNUSED
DNS = "10.96.0.10"
"""As on the pages, and as kubeadm has it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service; ``nodes`` are those with a pod of it."""

    address: str
    nodes: Sequence[str] = (WITH_THE_POD,)
    policies: Mapping[str, str] = dataclasses.field(default_factory=dict)
    port: int = 80
    target: int = workload.WEB_PORT
    protocol: str = "TCP"


SERVICES = {
    "everywhere": Service(address=EVERYWHERE, nodes=("n1", "n2", "n3")),
    "far": Service(address=FAR),
    "inside-local": Service(address=INSIDE_LOCAL, policies={"internalTrafficPolicy": "Local"}),
    "outside-local": Service(
        address=OUTSIDE_LOCAL, policies={"type": "NodePort", "externalTrafficPolicy": "Local"}
    ),
    "without-pods": Service(address=WITHOUT_PODS, nodes=()),
    "dns": Service(address=DNS, port=53, target=dnsserver.PORT, protocol="UDP"),
}

REFUSED, SILENT, NO_ROUTE, NO_NETWORK = "refused", "silent", "no route to host", "no network"
METRICS_PORT = 10249
SYNCED = re.compile(r"^kubeproxy_sync_proxy_rules_last_timestamp_seconds.* (\S+)$", re.MULTILINE)
SOON_GIVEN_UP = 3.0
"""Seconds after which silence is believed; for an answer a client waits longer."""


class ProxiedNode(nodes.Node):
    """A node with routes to the pods of all others, and without any rule of its own."""

    def start_kube_proxy(self, *how: str) -> None:
        """Start the real one; not while the node boots, when there is no API server yet."""
        if how:
            program = str(controlplane.kube_proxy())
            self.kube_proxy = self.namespace.start(
                [program, f"--hostname-override={self.name}", *how],
                log=self.directory / "kube-proxy.log",
            )

    def _connect(self) -> None:
        super()._connect()
        self.route_to_other_pods()

    def route_to_other_pods(self) -> None:
        """Write the plain routes."""
        self.namespace.ip(
            *(
                f"route replace {addresses.pod_cidr(other)[0]} via {addresses.node(other)[0]}"
                for other in range(1, NODES + 1)
                if other != self.number
            )
        )

    def _write_rules(self) -> None:
        pass

    def _end_loops(self) -> None:
        pass

    def _is_serving(self) -> bool:
        # Not the health port: kube-proxy comes later.
        return workload.WEB_PORT in self.pod.inside(kernel.listening)


class Proxied:
    """Three nodes with kube-proxy and our program, one router, one client outside."""

    def __init__(self, kind: type[routers.Router], mode: str) -> None:
        self.mode = mode
        self.agents: dict[str, agents.NodeAgent] = {}
        self._stack = contextlib.ExitStack()
        try:
            self.fabric = topology.Fabric([kind], nodes_wanted=NODES, node_kind=ProxiedNode)
            self.nodes = [node for node in self.fabric.nodes if isinstance(node, ProxiedNode)]
            self._stack.callback(self.fabric.delete)
            (self.router,) = self.fabric.routers
            self._serve_the_api()
            for name, service in SERVICES.items():
                self.create(name, service)
            self.run_kube_proxies(MASQUERADING)
            self._start_agents()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove everything."""
        self._stack.close()

    def run_kube_proxies(self, *options: str) -> None:
        """Start kube-proxy on every node with these options, in place of the one that runs.

        While none answers a node's check fails: this returns once every node is back.
        """
        common = [
            f"--kubeconfig={self.kubeconfig}",
            f"--proxy-mode={self.mode}",
            # The size of the table is the whole machine's.
            "--conntrack-max-per-core=0",
        ]
        for node in self.fabric.nodes:
            if hasattr(node, "kube_proxy"):
                node.kill_kube_proxy()
            node.start_kube_proxy(*common, *options)
        for node in self.fabric.nodes:
            waiting.until(
                lambda: node.namespace.inside(_has_written_rules),  # noqa: B023 - called at once
                f"kube-proxy of {node.name} has written its rules",
            )
        # The agents first: a router has what was withdrawn a moment ago for a moment more.
        for name, agent in self.agents.items():
            waiting.until(
                lambda: agent.status()["classes"]["services"]["state"] == "announced",  # noqa: B023
                f"{name} announces the services",
            )
        self.expect(*self.agents)

    @contextlib.contextmanager
    def through(self, node: str, *services: str) -> Iterator[None]:
        """Lead the packets for some addresses to one node, past the choice of the group."""
        hop = self.fabric.node(node).address
        self.router.namespace.ip(*(f"route add {each} via {hop}" for each in services))
        yield
        self.router.namespace.ip(*(f"route del {each} via {hop}" for each in services))

    def ask(self, address: str, port: int = 80, path: str = "/source") -> str:
        """Return the address that the pod saw as the client's, or what the client saw instead."""
        return self.fabric.client.inside(lambda: ask(address, port, path))

    def is_silent(self, address: str) -> bool:
        """Whether a client waits in vain."""
        return self.fabric.client.inside(lambda: ask(address, patience=SOON_GIVEN_UP)) == SILENT

    def syns(self, address: str, act: Callable[[], object]) -> int:
        """Return how many SYNs for an address the router forwarded meanwhile."""
        match = ["FORWARD", "-d", address, "-p", "tcp", "--syn"]
        run = self.router.namespace.run
        run("iptables", "-I", *match)
        act()
        first = run("iptables", "-L", "FORWARD", "1", "-v", "-x", "-n").split()
        run("iptables", "-D", *match)
        return int(first[0])

    def create(self, name: str, service: Service) -> None:
        """Create a Service, and the EndpointSlice that a controller would write for it."""
        common = {"name": "it", "protocol": service.protocol}
        ports = [{**common, "port": service.port, "targetPort": service.target}]
        spec = {"clusterIP": service.address, "ports": ports, **service.policies}
        at = "/api/v1/namespaces/default/services"
        self.plane.ask("POST", at, {"metadata": {"name": name}, "spec": spec})
        endpoints = [
            {
                "addresses": [self.fabric.node(node).pod_ip],
                "nodeName": node,
                "conditions": {"ready": True, "serving": True, "terminating": False},
            }
            for node in service.nodes
        ]
        self._create_slice(name, endpoints, {**common, "port": service.target})

    def _create_slice(
        self, name: str, endpoints: Sequence[object], port: Mapping[str, object]
    ) -> None:
        found = {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [port],
        }
        at = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
        self.plane.ask("POST", at, found)

    # -- how it comes to be -----------------------------------------------------------------------

    def _serve_the_api(self) -> None:
        folder = self.fabric.directory / "control-plane"
        folder.mkdir()
        self.plane = self._stack.enter_context(controlplane.ControlPlane(folder))
        listener = self.fabric.control.listen(addresses.API_SERVER, cluster.API_PORT)
        self._stack.callback(relay.Relay(listener, self.plane.port).close)
        for node in self.fabric.nodes:
            found = apiserver.node_object(node.name, (node.address,), (node.pod_cidr,))
            self.plane.put_node(found)
            self.plane.patch_node(node.name, {"status": found["status"]})
        self.kubeconfig = self._write_kubeconfig("admin", controlplane.ADMIN_TOKEN)
        # What kube-apiserver itself would write if it listened where the nodes see it.
        itself = {"name": "https", "protocol": "TCP", "port": cluster.API_PORT}
        self._create_slice("kubernetes", [{"addresses": [addresses.API_SERVER]}], itself)

    def _write_kubeconfig(self, name: str, token: str) -> Path:
        url = f"https://{addresses.API_SERVER}:{cluster.API_PORT}"
        document = json.loads(apiserver.kubeconfig(controlplane.Admin(url, self.plane.ca, token)))
        # The certificate is for the loopback address that it listens on.
        document["clusters"][0]["cluster"]["tls-server-name"] = "localhost"
        path = self.fabric.directory / f"kubeconfig-{name}"
        path.write_text(json.dumps(document))
        return path

    def _start_agents(self) -> None:
        document = cluster.settings(self.fabric.routers, {}, {})
        document["announce"] = {
            "services": {"cidrs": [addresses.SERVICES]},
            "pods": {"within": [addresses.PODS]},
        }
        document["health"] = {"checks": [{"preset": "kube-proxy", "interval": "500ms", "fall": 2}]}
        settings = volume.Volume(
            self.fabric.directory / "settings", {cluster.SETTINGS: json.dumps(document)}
        )
        self.agents = {
            node.name: agents.NodeAgent(
                node,
                settings=settings.path / cluster.SETTINGS,
                kubeconfig=self._write_kubeconfig(node.name, self.plane.token_of(node.name)),
                passwords={},
            )
            for node in self.fabric.nodes
        }
        for agent in self.agents.values():
            agent.start()
        self.expect(*self.agents, limit=cluster.START_LIMIT)

    def expect(self, *names: str, limit: float = waiting.LIMIT) -> None:
        """Wait until exactly these nodes are next hops of the service range."""
        waiting.until_equal(
            frozenset(self.fabric.node(name).address for name in names),
            lambda: self.router.nexthops(addresses.SERVICES),
            "the next hops of the service range",
            limit=limit,
        )


def _has_written_rules() -> bool:
    """Whether kube-proxy has been through all Services: its health port says less."""
    try:
        with socket.create_connection(("127.0.0.1", METRICS_PORT), timeout=10) as asking:
            asking.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            answer = _whole(asking)
    except OSError:
        return False
    return any(float(each) > 0 for each in SYNCED.findall(answer))


def _whole(asking: socket.socket) -> str:
    return b"".join(iter(lambda: asking.recv(65536), b"")).decode()


def ask(
    address: str, port: int = 80, path: str = "/source", *, patience: float = waiting.LIMIT
) -> str:
    """Return the last word of an HTTP answer, or why there is none."""
    try:
        with socket.create_connection((address, port), timeout=patience) as asking:
            asking.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = _whole(asking)
    except ConnectionRefusedError:
        return REFUSED
    except TimeoutError:
        return SILENT
    except OSError as error:
        return {113: NO_ROUTE, 101: NO_NETWORK}.get(error.errno or 0, str(error))
    return answer.split()[-1]
