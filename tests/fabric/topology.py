"""The bed: client - routers - one segment - nodes, and the API server beside them.

    client 198.51.100.100
      |   10.0.1.0/31, 10.0.2.0/31: one link to each router
    router r1 192.0.2.1    router r2 192.0.2.2
      |                      |
    --+----------+-----------+-----+---------- 192.0.2.0/24, 2001:db8:2::/64 (a switch)
      |          |                 |
    node n1 .11  node n2 .12  ..   API server .250
      |          |
    pod 10.244.1.10  pod 10.244.2.10

The client reaches the cluster only by what the routers learn. Nodes answer by the first router.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.fabric import addresses, namespaces, nodes, routers

LOG_LINES = 40

Factory = Callable[..., "Fabric"]


class Fabric:
    """One bed with its routers running and its nodes powered on, without any BGP speaker."""

    def __init__(
        self, kinds: Sequence[type[routers.Router]], *, nodes_wanted: int, password: str = "",
        node_kind: type[nodes.Node] = nodes.Node,
    ) -> None:  # fmt: skip
        self._node_kind = node_kind
        self._name = namespaces.serial()
        self._temporary = tempfile.TemporaryDirectory(prefix="ek8s-")
        self.directory = Path(self._temporary.name)
        # FRR gives up root, and its sockets and files are below this directory.
        self.directory.chmod(0o755)
        self._removed: list[namespaces.Namespace] = []
        self.routers: list[routers.Router] = []
        self.nodes: list[nodes.Node] = []
        try:
            self._build(kinds, nodes_wanted, password)
        except BaseException:
            self.delete()
            raise

    def node(self, name: str) -> nodes.Node:
        """Return the node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def logs(self) -> str:
        """Return the end of every log file of the bed, for the report of a failure."""
        parts = []
        for path in sorted(self.directory.rglob("*log")):
            lines = path.read_text(errors="replace").splitlines()
            parts += [f"==> {path.relative_to(self.directory)}", *lines[-LOG_LINES:]]
        return "\n".join(parts)

    def delete(self) -> None:
        """Remove everything, in whatever state it is."""
        for node in self.nodes:
            node.power_off()
        for router in self.routers:
            router.delete()
        for namespace in self._removed:
            namespace.delete()
        self._temporary.cleanup()

    def _build(
        self, kinds: Sequence[type[routers.Router]], nodes_wanted: int, password: str
    ) -> None:
        self.switch = self._namespace("sw")
        self.switch.ip("link add br0 type bridge", "link set br0 up")
        self.client = self._namespace("client")
        self.client.sysctl(routers.HASHING | {"ipv4/conf/all/rp_filter": "0"})
        self.control = self._namespace("api")
        self._attach(self.control, "api", addresses.API_SERVER)
        for number, kind in enumerate(kinds, start=1):
            router = kind(
                name=f"{self._name}-r{number}",
                number=number,
                directory=self.directory / f"r{number}",
                password=password,
            )
            self.routers.append(router)
            self._attach(router.namespace, f"r{number}", router.address, router.address6)
            self._link_client(router)
            router.start()
        self._route_client()
        for number in range(1, nodes_wanted + 1):
            node = self._node_kind(
                number=number, switch=self.switch, directory=self.directory / f"n{number}"
            )
            self.nodes.append(node)
            node.power_on()

    def _namespace(self, role: str) -> namespaces.Namespace:
        namespace = namespaces.Namespace(f"{self._name}-{role}")
        self._removed.append(namespace)
        return namespace

    def _attach(
        self, host: namespaces.Namespace, port: str, address: str, address6: str = ""
    ) -> None:
        host.ip(
            f"link add eth0 type veth peer name {port} netns {self.switch.name}",
            f"addr add {address}/24 dev eth0",
            *([f"addr add {address6}/64 dev eth0 nodad"] if address6 else []),
            "link set eth0 up",
        )
        self.switch.ip(f"link set {port} master br0 up")

    def _link_client(self, router: routers.Router) -> None:
        number = router.number
        self.client.ip(
            f"link add up{number} type veth peer name client netns {router.namespace.name}",
            f"addr add 10.0.{number}.0/31 dev up{number}",
            f"addr add fd00:{number}::2/64 dev up{number} nodad",
            f"link set up{number} up",
        )
        router.namespace.ip(
            f"addr add 10.0.{number}.1/31 dev client",
            f"addr add fd00:{number}::1/64 dev client nodad",
            "link set client up",
            f"route add {addresses.CLIENT} via 10.0.{number}.0",
            f"route add {addresses.CLIENT6} via fd00:{number}::2",
        )

    def _route_client(self) -> None:
        numbers = [router.number for router in self.routers]
        hops = " ".join(f"nexthop via 10.0.{number}.1" for number in numbers)
        hops6 = " ".join(f"nexthop via fd00:{number}::1" for number in numbers)
        self.client.ip(
            f"addr add {addresses.CLIENT}/32 dev lo",
            f"addr add {addresses.CLIENT6}/128 dev lo nodad",
            f"route add default src {addresses.CLIENT} {hops}",
            f"route add ::/0 src {addresses.CLIENT6} {hops6}",
        )
