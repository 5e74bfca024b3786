"""What the routers see when a part of us, or the API server, ends without a warning."""

from __future__ import annotations

import pytest

from tests.fabric import addresses, cluster, fib, waiting

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2")
OTHERS = ("n2",)


@pytest.mark.fault(
    area="our processes",
    what="the agent is killed",
    sees="nothing: its routes stand, the next agent goes on",
    within="0 s",
)
def test_the_routers_see_nothing_of_an_agent_that_is_killed(pair: cluster.Cluster) -> None:
    """ExaBGP keeps the routes; the next agent reads them and goes on."""
    agent = pair.agents["n1"]
    before = agent.agent()

    with fib.Watch(pair.fabric.routers[0]) as watch:
        before.kill()
        waiting.until(lambda: agent.agent() != before, "another agent runs")
        waiting.until(lambda: agent.answers() and agent.status()["exabgp"]["table_known"], "known")
    assert watch.messages == ()

    pair.api.cordon("n1")
    pair.expect(services=OTHERS, pods=OTHERS)


@pytest.mark.fault(
    area="our processes",
    what="ExaBGP is killed, without graceful restart",
    sees="the sessions close, then come back with every route",
    within="about 2 s",
)
def test_a_killed_exabgp_is_back_with_all_its_routes(pair: cluster.Cluster) -> None:
    agent = pair.agents["n1"]
    before = agent.exabgp()

    with fib.Watch(pair.fabric.routers[0]) as watch:
        before.kill()
        waiting.until(lambda: agent.exabgp() != before, "another ExaBGP runs")
        # The negative control of the test above: the loss of a session is seen.
        waiting.until(
            lambda: any(addresses.SERVICES in message for message in watch.messages),
            "the router took the node out",
        )
        pair.expect(services=ALL, pods=ALL)


@pytest.mark.fault(
    area="control plane",
    what="the API server is away",
    sees="nothing; a drain by the operator still withdraws",
    within="0 s",
)
def test_without_the_api_server_nothing_changes_and_a_drain_still_works(
    pair: cluster.Cluster,
) -> None:
    """Fail static: what the routers know stays; the operator's drain needs no API server."""
    with fib.Watch(pair.fabric.routers[0]) as watch:
        pair.api.stop()
        waiting.until(
            lambda: all(agent.status()["kubernetes"]["problem"] for agent in pair.agents.values()),
            "every agent says so",
        )
    assert watch.messages == ()

    pair.agents["n1"].drain()
    # A moment for the router's own way from the table to the kernel.
    pair.expect(services=OTHERS, pods=OTHERS, limit=20)


@pytest.mark.fault(
    area="control plane",
    what="a cordon while the API server is away",
    sees="the withdrawal as soon as it is back",
    within="until the next attempt, 30 s at most",
)
def test_a_cordon_made_while_nobody_could_see_it_is_seen_afterwards(
    pair: cluster.Cluster,
) -> None:
    """The list after a lost watch shows it: level, not edge."""
    pair.api.stop()
    pair.api.cordon("n1")
    pair.listen()

    pair.expect(services=OTHERS, pods=OTHERS)
