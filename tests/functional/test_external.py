"""A router that may be of any AS but ours, as ExaBGP itself does not know it."""

from __future__ import annotations

import dataclasses
import ipaddress
import pathlib
from collections.abc import Iterator

import pytest

from exabgp_k8s.core.facts import asns, commands, model
from exabgp_k8s.core.observe import notifications
from exabgp_k8s.wire import daemon_conf, replies
from tests.functional import exabgp
from tests.support import oddrouter, ports

pytestmark = pytest.mark.functional

ROUTER, LOCAL = ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("127.0.0.11")
NEIGHBOR = exabgp.neighbor(ROUTER, peer_asn=asns.ANY_EXTERNAL)
PREFIX = ipaddress.ip_network("10.100.0.0/24")


@pytest.fixture
def us(tmp_path: pathlib.Path) -> Iterator[exabgp.ExaBGP]:
    with exabgp.running(tmp_path / "us") as found:
        yield found


def start(us: exabgp.ExaBGP, router: oddrouter.Router, local_asn: int) -> None:
    neighbor = dataclasses.replace(NEIGHBOR, port=router.port, local_asn=local_asn)
    us.start(daemon_conf.render((neighbor,), us.run, show_secrets=True))


def asn_shown(us: exabgp.ExaBGP) -> int:
    """Return the router's AS number in the table of neighbors."""
    lines = us.say(commands.ShowNeighbors())
    tables = (replies.parse(line) for line in lines)
    (row,) = next(each.rows for each in tables if isinstance(each, replies.NeighborTable))
    return row.peer_asn


def test_a_router_of_any_as_but_ours_is_taken_and_shown(us: exabgp.ExaBGP) -> None:
    """Alone ExaBGP expects AS 0, and with "auto" its table of neighbors fails."""
    with oddrouter.Router(str(ROUTER)) as router:
        start(us, router, 64512)
        us.await_line(b'"state": "up"')

        us.say(commands.Announce(route=model.Route(peer=ROUTER, prefix=PREFIX, next_hop=LOCAL)))

        router.wait_for(oddrouter.UPDATE)
        assert asn_shown(us) == oddrouter.ASN


def test_before_the_router_has_said_its_as_number_none_is_shown(us: exabgp.ExaBGP) -> None:
    neighbor = dataclasses.replace(NEIGHBOR, port=ports.claim())
    us.start(daemon_conf.render((neighbor,), us.run, show_secrets=True))

    assert asn_shown(us) == asns.ANY_EXTERNAL


def test_a_router_of_our_own_as_is_no_external_one(us: exabgp.ExaBGP) -> None:
    with oddrouter.Router(str(ROUTER)) as router:
        start(us, router, oddrouter.ASN)

        assert router.wait_for(oddrouter.NOTIFICATION)[0].startswith(b"\2\2"), "Bad Peer AS"
    us.await_line(b"notification sent (2,2) peer-as 64513")
    assert notifications.named("notification sent (2,2) peer-as 64513", NEIGHBOR).endswith(
        "the router is AS 64513, and the settings say external, any but ours"
    )
