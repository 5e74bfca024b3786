"""A Kubernetes node: its uplink, one pod, and the rules kube-proxy would have written.

A node that is powered off is gone with everything in it, conntrack included, and comes back empty:
that is what a reboot is to the network. The BGP speaker is not part of it (see ``speaker`` and
``agent``); it is started in ``namespace``.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.fabric import addresses, dnsserver, kernel, namespaces, routers, waiting, workload

NODE_SETTINGS = routers.FORWARDING | routers.HASHING

SERVICES = (
    (addresses.WEB, "tcp", 80, workload.WEB_PORT),
    (addresses.ECHO, "tcp", 7, workload.ECHO_PORT),
    (addresses.MYSQL, "tcp", 3306, workload.MYSQL_PORT),
    (addresses.DNS, "udp", 53, dnsserver.PORT),
    (addresses.DNS, "tcp", 53, dnsserver.PORT),
)
SERVICES6 = ((addresses.WEB6, "tcp", 80, workload.WEB_PORT),)


class Node:
    """One node of the bed; ``number`` counts from 1."""

    namespace: namespaces.Namespace
    pod: namespaces.Namespace
    kube_proxy: subprocess.Popen[bytes]

    def __init__(self, *, number: int, switch: namespaces.Namespace, directory: Path) -> None:
        self.number = number
        self.name = f"n{number}"
        self.address, self.address6 = addresses.node(number)
        self.pod_cidr, self.pod_cidr6 = addresses.pod_cidr(number)
        self.pod_ip, self.pod_ip6 = addresses.pod(number)
        self.directory = directory
        directory.mkdir()
        self._log = directory / "log"
        self._switch = switch
        self._boots = 0
        self.is_on = False

    def power_on(self) -> None:
        """Build the node as it is after a boot: network, kube-proxy's rules, the pod."""
        self._boots += 1
        name = f"{self._switch.name}-{self.name}-{self._boots}"
        self.namespace = namespaces.Namespace(name)
        self.pod = namespaces.Namespace(f"{name}-pod")
        self.is_on = True
        for each in (self.namespace, self.pod):
            each.sysctl(NODE_SETTINGS)
        self._connect()
        self._write_rules()
        self._end_loops()
        self.pod.start_module("tests.fabric.workload", "pod", self.name, log=self._log)
        self.start_kube_proxy()
        waiting.until(self._is_serving, f"the pod of {self.name} serves")

    def power_off(self) -> None:
        """Take the node down without warning: cable first, then everything in it."""
        if not self.is_on:
            return
        self.is_on = False
        self._switch.ip(f"link del {self.name}")
        self.pod.delete()
        self.namespace.delete()

    def start_kube_proxy(self, *how: str) -> None:
        """Start what answers on kube-proxy's health port."""
        self.kube_proxy = self.namespace.start_module(
            "tests.fabric.workload", "kube-proxy", *how, log=self._log
        )

    def kill_kube_proxy(self) -> None:
        """Kill it; its rules stay, as the real ones do."""
        namespaces.stop(self.kube_proxy)

    def _connect(self) -> None:
        router, router6 = addresses.router(1)
        gateway, gateway6 = f"10.244.{self.number}.1", f"fd00:244:0:{self.number}::1"
        self.namespace.ip(
            f"link add eth0 type veth peer name {self.name} netns {self._switch.name}",
            f"link add pod0 type veth peer name eth0 netns {self.pod.name}",
            f"addr add {self.address}/24 dev eth0",
            f"addr add {self.address6}/64 dev eth0 nodad",
            f"addr add {gateway}/24 dev pod0",
            f"addr add {gateway6}/64 dev pod0 nodad",
            "link set eth0 up",
            "link set pod0 up",
            f"route add default via {router}",
            f"route add ::/0 via {router6}",
        )
        self.pod.ip(
            f"addr add {self.pod_ip}/24 dev eth0",
            f"addr add {self.pod_ip6}/64 dev eth0 nodad",
            "link set eth0 up",
            f"route add default via {gateway}",
            f"route add ::/0 via {gateway6}",
        )
        self._switch.ip(f"link set {self.name} master br0 up")

    def _end_loops(self) -> None:
        """What no service takes must not go back to the router that sent it."""
        self.namespace.ip(f"rule add iif eth0 to {addresses.SERVICES} blackhole")
        rule6 = ["rule", "add", "iif", "eth0", "to", addresses.SERVICES6, "blackhole"]
        self.namespace.run("ip", "-6", *rule6)

    def _write_rules(self) -> None:
        for command, services, pod in (
            ("iptables-restore", SERVICES, self.pod_ip),
            ("ip6tables-restore", SERVICES6, f"[{self.pod_ip6}]"),
        ):
            lines = ["*nat"]
            for address, protocol, port, pod_port in services:
                match = f"-d {address} -p {protocol} --dport {port}"
                target = f"-j DNAT --to-destination {pod}:{pod_port}"
                lines += [f"-A {chain} {match} {target}" for chain in ("PREROUTING", "OUTPUT")]
            lines += [
                "-A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE",
                "COMMIT",
                "*filter",
                "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
                "COMMIT",
            ]
            self.namespace.run(command, stdin="\n".join(lines) + "\n")

    def _is_serving(self) -> bool:
        """Whether pod and kube-proxy listen, seen from the sockets: no connection is made."""
        pod = self.pod.inside(kernel.listening)
        return dnsserver.PORT in pod and workload.HEALTH_PORT in self.namespace.inside(
            kernel.listening
        )
