"""Sessions that start from an interface or a network, beside a CNI's own BGP speaker.

The node's own address and port 179 are the CNI's: a BIRD in the node's namespace, which has a
session with the same router and announces the node's pod range.

    router 192.0.2.1
      |         |
    eth0 .11  eth1 .88
      |         |
    CNI's BIRD  ours        both in the namespace of node n1
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fabric import addresses, cluster, kernel, namespaces, nodes, routers, waiting
from tests.support import terminals

pytestmark = pytest.mark.fabric

NODE = "n1"
UPLINK, MOVED, UPLINK6 = "192.0.2.88", "192.0.2.89", "2001:db8:2::88"

CNI = """
log stderr all;
router id {node.address};
protocol device {{ }}
protocol static {{ ipv4; route {node.pod_cidr} blackhole; }}
protocol bgp upstream {{
  local {node.address} as {ours};
  neighbor {router.address} as {theirs};
  connect retry time 1;
  error wait time 1, 1;
  ipv4 {{ import none; export where source = RTS_STATIC; }};
}}
"""


class Cni:
    """A BIRD as Calico has one on every node: it dials the router, and listens on 179."""

    def __init__(self, node: nodes.Node, router: routers.Router) -> None:
        self._node = node
        self._control = node.directory / "cni.ctl"
        self._path: Path = node.directory / "cni.conf"
        self._path.write_text(
            CNI.format(
                node=node, router=router, ours=addresses.NODE_ASN, theirs=addresses.ROUTER_ASN
            )
        )
        self.start()

    def start(self) -> None:
        """Start it and return when its session is up."""
        argv = ("bird", "-f", "-c", str(self._path), "-s", str(self._control))
        self._bird = self._node.namespace.start(argv, log=self._node.directory / "cni.log")
        waiting.until(self.is_up, "the CNI's session is up")

    def stop(self) -> None:
        """End it."""
        namespaces.stop(self._bird)

    def is_up(self) -> bool:
        """Whether its session is Established."""
        found = terminals.ask_bird(self._control, "show protocols upstream")
        return "Established" in found


def connect(formed: cluster.Cluster) -> None:
    """Give the node a second interface in the segment."""
    formed.fabric.node(NODE).namespace.ip(
        f"link add eth1 type veth peer name up1 netns {formed.fabric.switch.name}",
        f"addr add {UPLINK}/24 dev eth1",
        f"addr add {UPLINK6}/64 dev eth1 nodad",
        "link set eth1 up",
    )
    formed.fabric.switch.ip("link set up1 master br0 up")


@pytest.fixture
def beside(kind: type[routers.Router], form: cluster.Factory) -> cluster.Cluster:
    """A node with a CNI's session, where ours is to start from another interface."""
    formed = form([kind], nodes_wanted=1, peer={"localAddress": {"interface": "eth1"}})
    document = formed.document()
    # The CNI announces the pods.
    del document["announce"]["pods"]
    formed.write(document)
    return formed


def problem(formed: cluster.Cluster) -> str:
    agent = formed.agents[NODE]
    return str(agent.rows("sessions")[0]["problem"]) if agent.answers() else ""


@pytest.mark.long
@pytest.mark.fault(
    area="routers",
    what="a CNI on the node has a session with the same router, from the node's own address, and "
    "listens on 179; ours starts from an interface that comes, changes its address, and goes",
    sees="both sessions, the CNI's routes untouched throughout; the former address's routes until "
    "the hold time ends, then the new one's",
    within="5 s until the node notices, and the hold time",
)
def test_a_session_by_interface_lives_beside_the_one_of_a_cni(beside: cluster.Cluster) -> None:
    (router,), agent = beside.fabric.routers, beside.agents[NODE]
    node = beside.fabric.node(NODE)
    cni = Cni(node, router)
    pods = {node.pod_cidr: frozenset({node.address})}

    def services(hop: str, hop6: str = UPLINK6) -> None:
        waiting.until_equal(
            {addresses.SERVICES: frozenset({hop}), addresses.SERVICES6: frozenset({hop6}), **pods},
            lambda: {
                prefix: router.nexthops(prefix)
                for prefix in (addresses.SERVICES, addresses.SERVICES6, node.pod_cidr)
            },
            f"the routes by {hop}",
        )

    agent.start()
    waiting.until(lambda: problem(beside) == "no-local-address:there is no interface eth1", "held")
    assert router.nexthops(addresses.SERVICES) == frozenset()
    connect(beside)
    services(UPLINK)
    assert cni.is_up()

    # What the CNI does is nothing to ours, and the other way round.
    waiting.until(lambda: agent.rows("sessions")[0]["up"], "the agent has heard of it, too")
    before = agent.rows("sessions")[0]["times_up"]
    cni.stop()
    waiting.until(lambda: not router.nexthops(node.pod_cidr), "the CNI's routes are gone")
    cni.start()
    services(UPLINK)
    assert agent.rows("sessions")[0]["times_up"] == before
    assert 179 in node.namespace.inside(kernel.listening)  # The CNI, not ours.
    beside.api.cordon(NODE)
    waiting.until(lambda: not router.nexthops(addresses.SERVICES), "withdrawn")
    assert router.nexthops(node.pod_cidr) == frozenset({node.address})
    assert cni.is_up()
    beside.api.cordon(NODE, is_cordoned=False)
    services(UPLINK)

    # Another address in place of the one in use: the router has to forget that one by itself.
    node.namespace.ip(f"addr del {UPLINK}/24 dev eth1", f"addr add {MOVED}/24 dev eth1")
    waiting.until(lambda: MOVED in router.nexthops(addresses.SERVICES), "by the new address")

    # Without any address the session is tried on, and status says what is missing.
    node.namespace.ip(f"addr del {MOVED}/24 dev eth1")
    missing = f"address-missing:{MOVED}"
    waiting.until(
        lambda: missing in [each["cause"] for each in agent.status()["missing"]], "it is missing"
    )
    waiting.until(lambda: not router.nexthops(addresses.SERVICES), "the hold time")
    waiting.until(lambda: "is not on this host" in problem(beside), "why it is down")
    node.namespace.ip(f"addr add {MOVED}/24 dev eth1")
    services(MOVED)
    waiting.until(lambda: agent.status()["missing"] == [], "nothing is missing")


def test_the_next_hop_may_be_another_address_of_the_node_that_the_host_has(
    beside: cluster.Cluster,
) -> None:
    (router,), agent = beside.fabric.routers, beside.agents[NODE]
    node = beside.fabric.node(NODE)
    connect(beside)

    def name(hop: object) -> None:
        document = beside.document()
        document["peers"][0]["nextHop"] = hop
        beside.write(document)

    def both() -> tuple[frozenset[str], frozenset[str]]:
        return router.nexthops(addresses.SERVICES), router.nexthops(addresses.SERVICES6)

    def expect(hop: str, hop6: str) -> None:
        wanted = (frozenset({hop} - {""}), frozenset({hop6} - {""}))
        waiting.until_equal(wanted, both, f"next hops {wanted}")

    agent.start()
    expect(UPLINK, UPLINK6)
    waiting.until(lambda: agent.rows("sessions")[0]["up"], "the agent has heard of it, too")
    started = agent.rows("sessions")[0]["times_up"]
    name("node")
    expect(node.address, node.address6)
    name({"interface": "eth1"})
    expect(UPLINK, UPLINK6)
    # Only the family of the address; the other one follows the session.
    name(MOVED)
    expect("", UPLINK6)
    waiting.until_equal(
        {f"no-next-hop:ipv4: {MOVED} is not on this host"},
        lambda: {each for row in agent.status()["withheld"] for each in row["reasons"]},
        "why",
    )
    node.namespace.ip(f"addr add {MOVED}/32 dev lo")
    expect(MOVED, UPLINK6)
    (row,) = agent.rows("sessions")
    assert (row["local_address"], row["times_up"]) == (UPLINK, started)
