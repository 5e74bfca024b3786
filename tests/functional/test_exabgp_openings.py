"""What ExaBGP shows of a session beyond what it shows by itself."""

from __future__ import annotations

import dataclasses
import ipaddress
import pathlib
from collections.abc import Iterator

import pytest

from exabgp_k8s.core.facts import commands, events
from exabgp_k8s.wire import daemon_conf, replies
from tests.functional import exabgp
from tests.support import oddrouter

pytestmark = pytest.mark.functional

ROUTER = ipaddress.ip_address("127.0.0.1")
NEIGHBOR = exabgp.neighbor(ROUTER, graceful_restart=120, hostname="n1.example")
NAMED = oddrouter.capability(73, b"\5tor-a\0")


@pytest.fixture
def us(tmp_path: pathlib.Path) -> Iterator[exabgp.ExaBGP]:
    with exabgp.running(tmp_path / "us") as found:
        yield found


def row(us: exabgp.ExaBGP) -> events.NeighborRow:
    tables = map(replies.parse, us.say(commands.ShowNeighbors()))
    (found,) = next(each.rows for each in tables if isinstance(each, replies.NeighborTable))
    return found


def start(us: exabgp.ExaBGP, port: int, **changes: int) -> None:
    neighbor = dataclasses.replace(NEIGHBOR, port=port, **changes)  # type: ignore[arg-type]
    us.start(daemon_conf.render((neighbor,), us.run))


def test_the_table_of_neighbors_has_both_openings_and_the_ports(us: exabgp.ExaBGP) -> None:
    with oddrouter.Router(
        str(ROUTER), first=oddrouter.opening(oddrouter.USUAL + NAMED, hold_time=180)
    ) as router:
        start(us, router.port)
        us.await_line(b'"state": "up"')

        found = row(us)

    said = found.exchange
    assert said.remote_port == router.port
    assert said.local_port not in {None, 0, router.port}
    assert said.sent is not None
    assert (said.sent.asn, said.sent.hold_time) == (64512, 9)
    ours = {each.name: each.words for each in said.sent.capabilities}
    assert ours["graceful restart"][0] == "120 s"
    assert ours["hostname"] == ("n1.example",)
    assert said.received is not None
    assert (said.received.asn, said.received.hold_time) == (oddrouter.ASN, 180)
    assert ("hostname", ("tor-a",)) in [
        (each.name, each.words) for each in said.received.capabilities
    ]
    assert said.messages_received["open"] == 1
    assert found.hold_time == 9


def test_the_opening_of_a_router_with_another_as_stays_readable(us: exabgp.ExaBGP) -> None:
    """The session never comes up, and who the router says that it is explains why."""
    with oddrouter.Router(str(ROUTER)) as router:
        start(us, router.port, peer_asn=64999)
        us.await_line(b"notification sent (2,2)")

        found = row(us)

    assert not found.is_up
    assert found.exchange.received is not None
    assert found.exchange.received.asn == oddrouter.ASN


def test_an_opening_with_an_unknown_capability_or_none_costs_no_session(us: exabgp.ExaBGP) -> None:
    with oddrouter.Router(
        str(ROUTER), first=oddrouter.opening(oddrouter.capability(222, b"\x1b[2J"))
    ) as router:
        start(us, router.port)
        us.await_line(b'"state": "up"')

        found = row(us)

    assert found.exchange.received is not None
    assert [each.name for each in found.exchange.received.capabilities] == ["capability 222"]
