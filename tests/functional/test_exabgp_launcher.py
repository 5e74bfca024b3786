"""What the launcher replaces in ExaBGP 5.0.15, seen from outside: at a router, and at the agent.

Each of these fails with the ExaBGP alone, so an upgrade that changes it is noticed: then the
replacement has to be looked at again, or can go.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import pathlib
from collections.abc import Callable, Iterator

import pytest

from exabgp_k8s.core import commands, events, model
from exabgp_k8s.wire import daemon_conf
from tests.functional import exabgp
from tests.support import faults, oddrouter

pytestmark = pytest.mark.functional

LOCAL = ipaddress.ip_address("127.0.0.11")
ADDRESSES = ("127.0.0.1", "127.0.0.2")
NEIGHBOR = model.Neighbor(
    name="router",
    description="",
    address=ipaddress.ip_address(ADDRESSES[0]),
    port=179,
    local_address=LOCAL,
    router_id=ipaddress.IPv4Address("127.0.0.11"),
    peer_asn=oddrouter.ASN,
    local_asn=64512,
    hold_time=9,
)

Start = Callable[..., tuple[oddrouter.Router, ...]]


@pytest.fixture
def us(tmp_path: pathlib.Path) -> Iterator[exabgp.ExaBGP]:
    with exabgp.running(tmp_path / "us") as found:
        yield found


@pytest.fixture
def start(us: exabgp.ExaBGP) -> Iterator[Start]:
    """Start one router for each set of options, and ExaBGP with a session to each."""
    with contextlib.ExitStack() as stack:

        def started(*options: dict[str, object]) -> tuple[oddrouter.Router, ...]:
            routers = tuple(
                stack.enter_context(oddrouter.Router(address, **each))  # type: ignore[arg-type]
                for address, each in zip(ADDRESSES, options, strict=False)
            )
            neighbors = tuple(
                dataclasses.replace(
                    NEIGHBOR, address=ipaddress.ip_address(address), port=router.port
                )
                for address, router in zip(ADDRESSES, routers, strict=False)
            )
            us.start(daemon_conf.render(neighbors, us.run, show_secrets=True))
            return routers

        yield started


def routes(count: int) -> tuple[model.Route, ...]:
    """Return so many routes with the same attributes."""
    prefixes = (ipaddress.ip_network(f"10.100.{number}.0/24") for number in range(count))
    return tuple(
        model.Route(peer=NEIGHBOR.address, prefix=prefix, next_hop=LOCAL) for prefix in prefixes
    )


def announcement(route: model.Route) -> commands.Announce:
    return commands.Announce(route=route)


def withdrawal(route: model.Route) -> commands.Withdraw:
    return commands.Withdraw(route=route)


def test_a_router_that_left_does_not_make_exabgp_sleep(
    us: exabgp.ExaBGP,
    start: Start,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Alone it polls the closed socket, and sleeps a tenth of a second before each command."""
    slept = tmp_path / "slept"
    slept.touch()
    monkeypatch.setenv("PYTHONPATH", str(faults.DIRECTORY))
    monkeypatch.setenv("EXABGP_SLEEPS", str(slept))
    stays, leaves = start({}, {})
    stays.wait_up()
    leaves.wait_up()

    leaves.leave()
    us.await_line(b'"state": "down"')
    before = slept.stat().st_size
    for _ in range(50):
        us.say(commands.ShowNeighbors())

    assert stays.keeps_session_through(2)
    assert slept.stat().st_size == before


@pytest.mark.parametrize("count", [1, 49, 50, 51, 64, 130])
def test_done_comes_before_every_update_of_a_long_command(
    us: exabgp.ExaBGP, start: Start, count: int
) -> None:
    """Alone it sends the first 50 prefixes before it says so, where there are 50 or more."""
    (router,) = start({})
    us.await_line(b'"state": "up"')
    router.wait_up()
    every = frozenset(route.prefix for route in routes(count))

    announce = commands.Together(changes=tuple(map(announcement, routes(count))))
    withdraw = commands.Together(changes=tuple(map(withdrawal, routes(count))))
    for command, field in ((announce, "announced"), (withdraw, "withdrawn")):
        since = us.mark()
        us.say(command)

        def echoed(since: int = since, field: str = field) -> frozenset[model.Network]:
            seen = us.happened(since)
            sent = (each for each in seen if isinstance(each, events.UpdateSent))
            return frozenset().union(*(getattr(each, field) for each in sent))

        us.wait(lambda echoed=echoed: echoed() == every, "not every echo")  # type: ignore[misc]
        lines = us.lines(since)
        updates = (n for n, line in enumerate(lines) if b'"update"' in line)
        first_echo = next(n for n in updates if b'"eor"' not in lines[n])
        assert lines.index(b"done\n") < first_echo
