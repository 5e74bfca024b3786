"""A password is changed at both ends, in the order that the page about upgrades says.

TCP MD5 has no moment in which both passwords are right, so the session ends. What the router does
with its routes until the next one is up is the question.
"""

from __future__ import annotations

import pytest

from tests.fabric import cluster, fib, frr, waiting

pytestmark = pytest.mark.fabric

OLD, NEW = "2025", "2026"


@pytest.mark.fault(
    area="settings",
    what="a password is changed, first at the nodes and then at FRR, with graceful restart",
    sees="a session that closes and comes back; no route moves",
    within="0 s, if both are changed within `gracefulRestart`",
)
def test_frr_keeps_its_routes_while_a_password_is_changed_at_the_nodes_first(
    form: cluster.Factory,
) -> None:
    formed = form(
        [frr.Frr],
        nodes_wanted=1,
        peer={"gracefulRestart": "120s"},
        passwords={"n1": OLD},
        router_password=OLD,
    )
    formed.start()
    (router,), agent = formed.fabric.routers, formed.agents["n1"]

    with fib.Watch(router) as watch:
        agent.passwords.write({cluster.PASSWORD_KEY: NEW})
        waiting.until(lambda: not router.connections(), "the session has ended")
        waiting.until(
            lambda: "Established" not in router.sessions().values(), "and bgpd has noticed"
        )
        router.change(password=NEW)
        waiting.until(lambda: agent.rows("sessions")[0]["times_up"] == 2, "the next one is up")
        # End-of-RIB is behind the routes: what was not announced anew would be gone after it.
        waiting.until(lambda: agent.run_cli("status").returncode == 0, "all is announced")
        waiting.until_equal(
            formed.wanted(["n1"], ["n1"]), lambda: formed.routes(router), "all routes are there"
        )

    assert not watch.messages
