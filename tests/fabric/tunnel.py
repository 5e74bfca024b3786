"""A VXLAN between the nodes of a bed with kube-proxy, with flannel's addresses, routes and MTU.

flannel's ``host-gw`` writes plain routes between nodes, and so has every bed. With ``vxlan``, what
is for the pods of another node goes into a tunnel whose end has the first address of the node's
pod range: another address for pods to see, and less room in each packet.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.fabric import addresses, proxied

MTU = 1450


@contextlib.contextmanager
def between(bed: proxied.Proxied) -> Iterator[None]:
    """Lead what is for pods of other nodes into a VXLAN meanwhile, as flannel does."""
    ends = {node.number: _end_of_tunnel(node) for node in bed.nodes}
    for node in bed.nodes:
        for other in ends.keys() - {node.number}:
            far, outer = f"10.244.{other}.0", addresses.node(other)[0]
            node.namespace.ip(
                f"neigh replace {far} lladdr {ends[other]} dev flannel.1 nud permanent",
                f"route replace {far}/24 via {far} dev flannel.1 onlink",
            )
            entry = f"bridge fdb append {ends[other]} dev flannel.1 dst {outer}"
            node.namespace.run(*entry.split())
    yield
    for node in bed.nodes:
        node.namespace.ip("link del flannel.1", "link set pod0 mtu 1500")
        node.pod.ip("link set eth0 mtu 1500")
        node.route_to_other_pods()


def _end_of_tunnel(node: proxied.ProxiedNode) -> str:
    """Make a node's end of it, with the address that flannel gives it; return its MAC address."""
    node.namespace.ip(
        f"link add flannel.1 type vxlan id 1 dstport 8472 local {node.address} nolearning",
        f"addr add 10.244.{node.number}.0/32 dev flannel.1",
        f"link set flannel.1 mtu {MTU} up",
        f"link set pod0 mtu {MTU}",
    )
    node.pod.ip(f"link set eth0 mtu {MTU}")
    (link,) = node.namespace.ip_json("link", "show", "flannel.1")
    return str(link["address"])
