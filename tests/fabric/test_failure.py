"""What the routers see when a part of us, or the API server, ends without a warning."""

from __future__ import annotations

import pytest

from tests.fabric import addresses, cluster, fib, waiting

pytestmark = pytest.mark.fabric

ALL = ("n1", "n2", "n3")
OTHERS = ("n2", "n3")


def test_the_routers_see_nothing_of_an_agent_that_is_killed(running: cluster.Cluster) -> None:
    """ExaBGP keeps the routes; the next agent reads them and goes on."""
    agent = running.agents["n1"]
    before = agent.agent()

    with fib.Watch(running.fabric.routers[0]) as watch:
        before.kill()
        waiting.until(lambda: agent.agent() != before, "another agent runs")
        waiting.until(lambda: agent.answers() and agent.status()["exabgp"]["table_known"], "known")
    assert watch.messages == ()

    running.api.cordon("n1")
    running.expect(services=OTHERS, pods=OTHERS)


def test_a_killed_exabgp_is_back_with_all_its_routes(running: cluster.Cluster) -> None:
    agent = running.agents["n1"]
    before = agent.exabgp()

    with fib.Watch(running.fabric.routers[0]) as watch:
        before.kill()
        waiting.until(lambda: agent.exabgp() != before, "another ExaBGP runs")
        running.expect(services=OTHERS, pods=OTHERS)
        running.expect(services=ALL, pods=ALL)
    # The negative control of the test above: a loss of the session is seen.
    assert any(addresses.SERVICES in message for message in watch.messages)


def test_without_the_api_server_nothing_changes_and_a_drain_still_works(
    running: cluster.Cluster,
) -> None:
    """Fail static: what the routers know stays; the operator's drain needs no API server."""
    with fib.Watch(running.fabric.routers[0]) as watch:
        running.api.stop()
        waiting.until(
            lambda: all(
                agent.status()["kubernetes"]["problem"] for agent in running.agents.values()
            ),
            "every agent says so",
        )
    assert watch.messages == ()

    running.agents["n1"].drain()
    assert running.routes(running.fabric.routers[0]) == running.wanted(OTHERS, OTHERS)


def test_a_cordon_made_while_nobody_could_see_it_is_seen_afterwards(
    running: cluster.Cluster,
) -> None:
    """The list after a lost watch shows it: level, not edge."""
    running.api.stop()
    running.api.cordon("n1")
    running.listen()

    running.expect(services=OTHERS, pods=OTHERS)
