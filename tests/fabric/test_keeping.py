"""What stands, stays: what vanishes from the API or from the node's volumes costs no route."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.fabric import addresses, agents, cluster, routers, waiting
from tests.fabric.untouched import untouched

pytestmark = pytest.mark.fabric

NODE = "n1"
SECOND = "192.0.2.77"
UPLINK, UPLINK6 = "192.0.2.88", "2001:db8:2::88"
LABEL = "feature.node.example/nic"


def missing(agent: agents.NodeAgent) -> list[str]:
    """Return what ``status`` names as missing."""
    return [each["cause"] for each in agent.status()["missing"]]


def is_missing(agent: agents.NodeAgent, *causes: str) -> Callable[[], bool]:
    return lambda: agent.answers() and missing(agent) == list(causes)


def internal(*ips: str) -> dict[str, object]:
    found = [{"type": "InternalIP", "address": ip} for ip in ips]
    return {"status": {"addresses": [*found, {"type": "Hostname", "address": NODE}]}}


@pytest.mark.fault(
    area="control plane",
    what="the Node's InternalIPs vanish, come in another order, or are replaced by another one "
    "of the host's addresses, and the agent is killed meanwhile",
    sees="nothing: sessions keep the address that they have while the host has it",
    within="0 s",
)
def test_the_addresses_that_the_node_lists_may_change_as_long_as_the_host_has_them(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=1)
    node, agent = formed.fabric.node(NODE), formed.agents[NODE]
    node.namespace.ip(f"addr add {SECOND}/24 dev eth0")
    formed.start()
    kept = (f"address-missing:{node.address}",)

    with untouched(formed, *formed.fabric.routers):
        for listed, found in (
            ((SECOND, node.address, node.address6), ()),
            ((), kept),
            ((SECOND,), kept),
        ):
            formed.api.patch_node(NODE, internal(*listed))
            # Something else that only this object says shows that it was seen.
            formed.api.patch_node(NODE, {"metadata": {"labels": {"seen": f"x{len(listed)}"}}})
            waiting.until(is_missing(agent, *found), f"{found} of {listed}")
            time.sleep(2)
        killed = agent.agent()
        killed.kill()
        waiting.until(lambda: not killed.is_running(), "it is dead")
        waiting.until(is_missing(agent, *kept), "another agent says the same")
        time.sleep(2)


@pytest.mark.fault(
    area="two at once",
    what="the container ends and starts again while the Node lists no InternalIP",
    sees="the session closes, then comes back from the same address with every route",
    within="about 5 s after the start",
)
def test_a_container_that_starts_again_uses_the_addresses_that_it_used(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=1)
    formed.start()
    agent = formed.agents[NODE]
    formed.api.patch_node(NODE, internal())
    agent.terminate()

    agent.start()

    formed.expect(services=[NODE], pods=[NODE])


@pytest.mark.long
@pytest.mark.fault(
    area="settings",
    what="the session leaves by an interface without an address of the other family",
    sees="the session's own family only; `no-next-hop` says why. Once the interface has an "
    "address of that family, its routes with that address as next hop",
    within="30 s after the interface has it",
)
def test_the_next_hop_of_every_family_is_on_the_interface_of_the_session(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=1, peer={"localAddress": UPLINK})
    (router,), agent = formed.fabric.routers, formed.agents[NODE]
    node = formed.fabric.node(NODE)
    node.namespace.ip(
        f"link add eth1 type veth peer name up1 netns {formed.fabric.switch.name}",
        f"addr add {UPLINK}/24 dev eth1",
        "link set eth1 up",
    )
    formed.fabric.switch.ip("link set up1 master br0 up")

    agent.start()
    waiting.until_equal(
        frozenset({UPLINK}), lambda: router.nexthops(addresses.SERVICES), "IPv4 by the uplink"
    )
    assert router.nexthops(addresses.SERVICES6) == frozenset()
    assert {reason for each in agent.status()["withheld"] for reason in each["reasons"]} == {
        "no-next-hop:ipv6"
    }
    node.namespace.ip(f"addr add {UPLINK6}/64 dev eth1 nodad")

    waiting.until_equal(
        frozenset({UPLINK6}), lambda: router.nexthops(addresses.SERVICES6), "IPv6 by the uplink"
    )


@pytest.mark.long
@pytest.mark.fault(
    area="control plane",
    what="a label that a `nodeSelector` asks for is taken off and put on again",
    sees="nothing for the first 30 s; then the end of the session",
    within="30 s",
)
def test_a_label_that_is_away_for_a_moment_costs_no_session(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    selector = {"matchLabels": {LABEL: "fast"}}
    formed = form([kind], nodes_wanted=1, peer={"nodeSelector": selector})
    agent, (router,) = formed.agents[NODE], formed.fabric.routers
    formed.api.patch_node(NODE, {"metadata": {"labels": {LABEL: "fast"}}})
    formed.start()

    with untouched(formed, router):
        formed.api.patch_node(NODE, {"metadata": {"labels": {LABEL: None}}})
        waiting.until(is_missing(agent, f"label-missing:{LABEL}"), "it is missing")
        time.sleep(2)
        formed.api.patch_node(NODE, {"metadata": {"labels": {LABEL: "fast"}}})
        waiting.until(is_missing(agent), "it is there again")

    formed.api.patch_node(NODE, {"metadata": {"labels": {LABEL: None}}})
    waiting.until(lambda: not router.connections(), "taken off for good", limit=120)
    formed.expect(services=[], pods=[])


@pytest.mark.fault(
    area="settings",
    what="the Secret vanishes, and the container starts again meanwhile; then it is there again "
    "with another password",
    sees="nothing but the restart; then a session with the new password",
    within="0 s; 6 s after both ends have the new one",
)
def test_a_secret_that_vanishes_costs_no_session(
    kind: type[routers.Router], form: cluster.Factory
) -> None:
    formed = form([kind], nodes_wanted=1, router_password="first", passwords={NODE: "first"})
    agent, (router,) = formed.agents[NODE], formed.fabric.routers
    formed.start()
    gone = f"password-missing:{cluster.PASSWORD_KEY}"

    with untouched(formed, router):
        agent.passwords.write({})
        waiting.until(is_missing(agent, gone), "it is missing")
        time.sleep(2)
        (row,) = agent.rows("sessions")
        assert (row["state"], row["missing"]) == ("Established", [gone])

    agent.terminate()
    agent.start()
    formed.expect(services=[NODE], pods=[NODE])
    waiting.until(is_missing(agent, gone), "it is still missing")
    assert "first" not in (formed.fabric.node(NODE).directory / "agent.log").read_text()

    router.change(password="second")
    agent.passwords.write({cluster.PASSWORD_KEY: "second"})
    waiting.until(is_missing(agent), "it is there again")
    waiting.until(lambda: bool(router.connections()), "a session with the new one")
    formed.expect(services=[NODE], pods=[NODE])
