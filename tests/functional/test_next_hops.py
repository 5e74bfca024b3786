"""IPv4 routes over an IPv6 next hop, as ExaBGP alone sends them to whoever there is (RFC 8950)."""

from __future__ import annotations

import dataclasses
import ipaddress
import pathlib
from collections.abc import Iterator

import pytest

from exabgp_k8s.core.facts import commands, events, model
from exabgp_k8s.wire import daemon_conf, replies
from tests.functional import exabgp
from tests.support import oddrouter

pytestmark = pytest.mark.functional

LOCAL, NEXT_HOP = ipaddress.ip_address("127.0.0.11"), ipaddress.ip_address("fe80::11")
AGREEING, REFUSING = "127.0.0.1", "127.0.0.2"
NEIGHBOR = exabgp.neighbor(LOCAL, is_extended=True)
EXTENDED_NEXT_HOP = oddrouter.capability(5, b"\0\1\0\1\0\2")
"""IPv4 unicast with a next hop of IPv6 (RFC 8950 section 4)."""
PREFIX, PREFIX6 = ipaddress.ip_network("10.100.0.0/16"), ipaddress.ip_network("fd00:96::/112")
IN_UPDATE = bytes((16, 10, 100))


@pytest.fixture
def us(tmp_path: pathlib.Path) -> Iterator[exabgp.ExaBGP]:
    with exabgp.running(tmp_path / "us") as found:
        yield found


def announce(us: exabgp.ExaBGP, peer: str, prefix: model.Network) -> None:
    route = model.Route(peer=ipaddress.ip_address(peer), prefix=prefix, next_hop=NEXT_HOP)
    us.say(commands.Announce(route=route))


def agreed(us: exabgp.ExaBGP) -> dict[str, bool]:
    """Return what the table of neighbors says of each router."""
    tables = (replies.parse(line) for line in us.say(commands.ShowNeighbors()))
    rows = next(each.rows for each in tables if isinstance(each, replies.NeighborTable))
    return {str(row.peer): row.is_extended for row in rows}


def test_an_ipv6_next_hop_leaves_only_where_the_router_agreed_to_it(us: exabgp.ExaBGP) -> None:
    """ExaBGP alone sends it to both, and ends the session with the one that did not agree."""
    opening = oddrouter.opening(oddrouter.USUAL + EXTENDED_NEXT_HOP)
    with (
        oddrouter.Router(AGREEING, first=opening) as agreeing,
        oddrouter.Router(REFUSING) as refusing,
    ):
        neighbors = tuple(
            dataclasses.replace(NEIGHBOR, address=ipaddress.ip_address(address), port=router.port)
            for address, router in ((AGREEING, agreeing), (REFUSING, refusing))
        )
        us.start(daemon_conf.render(neighbors, us.run, show_secrets=True))
        for router in (agreeing, refusing):
            router.wait_up()
        for neighbor in neighbors:
            us.wait(
                lambda address=neighbor.address: any(  # type: ignore[misc]
                    isinstance(each, events.SessionChanged)
                    and (each.peer, each.state) == (address, "up")
                    for each in us._events_locked(0)
                ),
                "not up",
            )

        for peer in (AGREEING, REFUSING):
            announce(us, peer, PREFIX)
            # What comes after it has come shows that it will not come any more.
            announce(us, peer, PREFIX6)

        for router, is_agreed in ((agreeing, True), (refusing, False)):
            router.wait(
                lambda router=router: any(  # type: ignore[misc]
                    PREFIX6.network_address.packed[:14] in body
                    for body in router.heard(oddrouter.UPDATE)
                ),
                "the IPv6 route",
            )
            updates = router.heard(oddrouter.UPDATE)
            assert any(IN_UPDATE in body for body in updates) is is_agreed
            assert router.sessions == 1
        assert agreed(us) == {AGREEING: True, REFUSING: False}
