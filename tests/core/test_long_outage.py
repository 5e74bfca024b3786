"""The API server is away for an hour of virtual time: what goes on, and what waits."""

from __future__ import annotations

import pytest

from exabgp_k8s.core.facts import events
from tests.support import builders
from tests.support.life import Life

HOUR = 3600.0


@pytest.mark.fault(
    area="control plane",
    what="the API server is away for an hour; a cordon meanwhile",
    sees="nothing for an hour; withdrawals as soon as the cordon is seen",
    within="at once",
)
def test_an_hour_without_the_api_server_costs_nothing_and_hides_no_cordon() -> None:
    life = Life(builders.a_config(checks=(builders.a_check(),)))
    life.happen(builders.outcome(is_ok=True))
    before = life.world.rib
    life.heard.clear()

    for _ in range(int(HOUR / 30)):
        life.happen(events.KubeLost(problem="connection refused"))
        life.happen(builders.outcome(is_ok=True))
        life.wait(30)
    assert (life.heard, life.world.rib) == ([], before)

    life.happen(events.NodeSeen(node=builders.a_node(is_unschedulable=True)))
    assert life.routes() == set()
    assert {each.at for each in life.heard} == {life.now}


@pytest.mark.fault(
    area="control plane",
    what="a health check fails while the API server is away",
    sees="withdrawals; the routes again after it recovered",
    within="at once",
)
def test_local_checks_go_on_deciding_while_the_api_server_is_away() -> None:
    life = Life(builders.a_config(checks=(builders.a_check(),)))
    life.happen(builders.outcome(is_ok=True))
    life.happen(events.KubeLost(problem="connection refused"))
    life.wait(100)

    life.happen(builders.outcome(is_ok=False))
    assert life.routes() == set()
    life.happen(builders.outcome(is_ok=True))
    life.wait(2)

    assert life.routes() == set(builders.ALL_RANGES)


@pytest.mark.fault(
    area="control plane",
    what="a router restarts while the API server is away",
    sees="all routes again",
    within="as soon as its session is up",
)
def test_a_router_that_comes_back_gets_its_routes_without_the_api_server() -> None:
    life = Life()
    life.happen(events.KubeLost(problem="connection refused"))
    life.wait(100)
    life.happen(builders.down(builders.TOR_A))
    assert life.world.rib is not None
    assert not life.world.rib[builders.TOR_A].is_flushed

    life.happen(*builders.up(builders.TOR_A))

    assert life.world.rib[builders.TOR_A].is_flushed
    assert set(life.world.rib[builders.TOR_A].routes) == set(builders.ALL_RANGES)
