"""A bare ExaBGP on a node, with static routes: what the bed itself is tried with."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

from tests.fabric import addresses, namespaces, nodes

ENVIRONMENT = {
    "exabgp_api_cli": "false",
    "exabgp_daemon_user": "root",
    "exabgp_log_destination": "stderr",
    "exabgp_log_level": "WARNING",
}


class Speaker:
    """ExaBGP without any of our own program."""

    def __init__(self, node: nodes.Node, routers: Sequence[str], *, password: str = "") -> None:
        self._node = node
        self._routers = routers
        self._password = password
        self._log = node.directory / "speaker.log"

    def start(self) -> None:
        """Announce the service ranges and the node's pod ranges to every router."""
        path = self._node.directory / "speaker.conf"
        path.write_text("".join(self._neighbor(router) for router in self._routers))
        self._process: subprocess.Popen[bytes] = self._node.namespace.start(
            [sys.executable, "-m", "exabgp", "server", str(path)], log=self._log, env=ENVIRONMENT
        )

    def terminate(self) -> None:
        """End it with SIGTERM: the sessions close."""
        namespaces.stop(self._process, number=signal.SIGTERM)

    def _neighbor(self, router: str) -> str:
        node = self._node
        password = f'md5-password "{self._password}";' if self._password else ""
        return f"""
neighbor {router} {{
  local-address {node.address}; router-id {node.address};
  local-as {addresses.NODE_ASN}; peer-as {addresses.ROUTER_ASN}; hold-time 9;
  {password}
  family {{ ipv4 unicast; ipv6 unicast; }}
  static {{
    route {addresses.SERVICES} next-hop self community [ 64512:10 ] large-community [ 64512:1:2 ];
    route {node.pod_cidr} next-hop self med 50;
    route {addresses.SERVICES6} next-hop {node.address6};
    route {node.pod_cidr6} next-hop {node.address6};
  }}
}}
"""
