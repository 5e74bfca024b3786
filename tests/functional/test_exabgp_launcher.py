"""What the launcher replaces in ExaBGP 5.0.15, seen from outside: at a router, and at the agent.

Each of these fails with the ExaBGP alone, so an upgrade that changes it is noticed: then the
replacement has to be looked at again, or can go.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
import pathlib
import random
import struct
from collections.abc import Callable, Iterator

import pytest

from exabgp_k8s.core.facts import commands, events, model
from exabgp_k8s.launcher import unused
from exabgp_k8s.wire import commands as encoding
from exabgp_k8s.wire import daemon_conf, replies
from tests.functional import exabgp
from tests.support import faults, oddrouter

pytestmark = pytest.mark.functional

LOCAL = ipaddress.ip_address("127.0.0.11")
ADDRESSES = ("127.0.0.1", "127.0.0.2")
NEIGHBOR = exabgp.neighbor(ipaddress.ip_address(ADDRESSES[0]))

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


@pytest.mark.fault(
    area="routers",
    what="another router is away",
    sees="changes of the node's routes as fast as ever",
    within="as with all up",
)
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
    # ExaBGP waits for a socket only once a session had nothing to do for a turn.
    assert leaves.keeps_session_through(1)

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


PLAIN = model.Route(
    peer=NEIGHBOR.address, prefix=ipaddress.ip_network("10.96.0.0/16"), next_hop=LOCAL
)
PLAIN_BYTES = bytes((16, 10, 96))


def announcements(router: oddrouter.Router) -> int:
    """Return how often it was sent the plain route."""
    return sum(body.endswith(PLAIN_BYTES) for body in router.heard(oddrouter.UPDATE))


def test_a_router_is_told_before_the_agent(us: exabgp.ExaBGP, start: Start) -> None:
    """Alone it writes its answer first, and waits for an agent whose pipe is full."""
    (router,) = start({})
    us.await_line(b'"state": "up"')
    helper = us.helper()
    pipes = pathlib.Path("/proc", str(helper.pid), "fd")
    with (pipes / "0").open("wb", buffering=0) as answers, (pipes / "1").open("wb") as said:
        helper.suspend()
        os.set_blocking(answers.fileno(), False)
        while answers.write(b"\n" * 512):
            pass
        since = us.mark()
        said.write(encoding.encode(commands.Announce(route=PLAIN)))
        said.flush()

        router.wait(lambda: announcements(router) == 1, "no announcement")
        helper.resume()

    us.await_line(b"done", since)
    us.await_event(
        events.UpdateSent(
            peer=NEIGHBOR.address, announced=frozenset({PLAIN.prefix}), withdrawn=frozenset()
        ),
        since,
    )


DEAF = """\
import os, socket, sys
wire = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
wire.sendall(os.read(0, 65536))
os.close(0)
while data := wire.recv(65536):
    os.write(1, data)
"""


@pytest.mark.fault(
    area="our processes",
    what="the agent ends while ExaBGP tells it much",
    sees="nothing",
    within="0 s",
)
def test_an_agent_that_reads_no_more_ends_no_session(
    us: exabgp.ExaBGP, tmp_path: pathlib.Path
) -> None:
    """Alone it shuts down over the closed pipe, and ends every session."""
    deaf = tmp_path / "deaf.py"
    deaf.write_text(DEAF)
    with oddrouter.Router(ADDRESSES[0]) as router:
        neighbor = dataclasses.replace(NEIGHBOR, port=router.port)
        run = (us.run[0], str(deaf), us.run[-1])
        us.start(daemon_conf.render((neighbor,), run, show_secrets=True))
        router.wait_up()

        # More than a buffer of the standard library holds: before that, ExaBGP does not notice.
        for _ in range(20):
            us.send(commands.ShowNeighbors())
        us.send(commands.Announce(route=PLAIN))
        router.wait(lambda: announcements(router) == 1, "no announcement")

        assert router.keeps_session_through(2)
        assert router.sessions == 1


def counters(us: exabgp.ExaBGP) -> events.NeighborRow:
    found = map(replies.parse, us.say(commands.ShowNeighbors()))
    (table,) = (each for each in found if isinstance(each, replies.NeighborTable))
    return table.rows[0]


def updates_read(us: exabgp.ExaBGP) -> int:
    return counters(us).exchange.messages_received["update"]


@pytest.mark.fault(
    area="routers",
    what="a router knows no route refresh, or no enhanced one",
    sees="its routes, and no message that it did not negotiate",
    within="at once",
)
@pytest.mark.parametrize(
    ("offered", "markers"),
    [
        (b"", []),
        (oddrouter.REFRESH, []),
        (oddrouter.ENHANCED_REFRESH, [b"\0\1\1\1", b"\0\1\2\1"]),
        (oddrouter.REFRESH + oddrouter.ENHANCED_REFRESH, [b"\0\1\1\1", b"\0\1\2\1"]),
    ],
    ids=["none", "plain", "enhanced", "both"],
)
def test_no_refresh_is_sent_that_was_not_negotiated(
    us: exabgp.ExaBGP, start: Start, offered: bytes, markers: list[bytes]
) -> None:
    """Alone it sends the markers of both families to all four."""
    ipv4 = oddrouter.capability(1, b"\0\1\0\1") + oddrouter.FOUR_OCTETS
    (router,) = start({"first": oddrouter.opening(ipv4 + offered)})
    us.await_line(b'"state": "up"')
    us.say(commands.Announce(route=PLAIN))
    router.wait(lambda: announcements(router) == 1, "no announcement")

    us.say(commands.Flush(peer=NEIGHBOR.address))
    router.wait(lambda: announcements(router) == 2, "no second announcement")
    us.say("neighbor 127.0.0.1 announce route-refresh ipv4 unicast")

    assert router.keeps_session_through(1)
    asked = [b"\0\1\0\1"] if offered else []
    assert router.heard(oddrouter.ROUTE_REFRESH) == markers + asked


@pytest.mark.fault(
    area="routers",
    what="a router asks for its routes as fast as it can",
    sees="them once a second",
    within="1 s",
)
def test_refreshes_are_answered_but_not_each_of_them(us: exabgp.ExaBGP, start: Start) -> None:
    """Alone it answers all of them, and the agent has to read each answer."""
    (router,) = start({})
    us.await_line(b'"state": "up"')
    us.say(commands.Announce(route=PLAIN))
    router.wait(lambda: announcements(router) == 1, "no announcement")

    router.send(oddrouter.message(oddrouter.ROUTE_REFRESH, b"\0\1\0\1") * 2000)
    router.wait(lambda: counters(us).messages_received > 2000, "not every request was read")
    router.wait(lambda: announcements(router) > 1, "no answer")
    assert announcements(router) < 200

    before = announcements(router)
    router.send(oddrouter.message(oddrouter.ROUTE_REFRESH, b"\0\1\0\1"))
    router.wait(lambda: announcements(router) > before, "no answer any more")


@pytest.mark.fault(
    area="routers",
    what="a router sends routes and AS numbers without end",
    sees="nothing",
    within="0 s",
)
def test_routers_may_send_what_they_like_and_exabgp_keeps_none_of_it(
    us: exabgp.ExaBGP, start: Start
) -> None:
    """Alone it keeps every AS number: some 60 MB of these 250,000."""
    (router,) = start({})
    us.await_line(b'"state": "up"')
    before = us.memory()

    for _ in range(1000):
        asns = tuple(random.randrange(1, 1 << 32) for _ in range(250))
        router.send(oddrouter.update(oddrouter.path(asns), oddrouter.PREFIX))
    router.wait(
        lambda: counters(us).exchange.messages_received["update"] >= 1000,
        "not every UPDATE was read",
    )

    assert us.memory() - before < 10 * 1024 * 1024


USELESS = {
    "CLUSTER_LIST of 5 bytes over eBGP": oddrouter.update(
        oddrouter.path() + oddrouter.attribute(0x80, 10, b"\2" * 5), oddrouter.PREFIX
    ),
    "End-of-RIB of a family not negotiated": oddrouter.update(
        oddrouter.attribute(0x80, 15, b"\0\1\x80")
    ),
    "an attribute that nobody knows": oddrouter.update(
        oddrouter.path() + oddrouter.attribute(0xC0, 254, b"x" * 3000), oddrouter.PREFIX
    ),
    "communities of 3 bytes": oddrouter.update(
        oddrouter.path() + oddrouter.attribute(0xC0, 8, b"\1\2\3"), oddrouter.PREFIX
    ),
    "an UPDATE of random bytes": oddrouter.message(
        oddrouter.UPDATE, random.Random(1).randbytes(200)
    ),
    "a refresh of an unknown subtype": oddrouter.message(oddrouter.ROUTE_REFRESH, b"\0\1\x09\1"),
    "a refresh of a family not negotiated": oddrouter.message(
        oddrouter.ROUTE_REFRESH, b"\xff\xff\0\xff"
    ),
    "a refresh's begin and end": oddrouter.message(oddrouter.ROUTE_REFRESH, b"\0\1\1\1")
    + oddrouter.message(oddrouter.ROUTE_REFRESH, b"\0\1\2\1"),
}


@pytest.mark.fault(
    area="routers",
    what="a router sends what is odd, or of no use to anybody",
    sees="nothing",
    within="0 s",
)
def test_what_is_of_no_use_ends_no_session(us: exabgp.ExaBGP, start: Start) -> None:
    """Alone it ends the session at three of these, and again after each return."""
    (router,) = start({})
    us.await_line(b'"state": "up"')

    for name, data in USELESS.items():
        router.send(data)
        received = counters(us).messages_received
        router.wait(
            lambda received=received: counters(us).messages_received > received,  # type: ignore[misc]
            f"{name}: nothing more is read",
        )
        assert router.sessions == 1, name
    assert router.keeps_session_through(1)


@pytest.mark.fault(
    area="routers",
    what="a router offers no capability, or one that nobody knows",
    sees="the IPv4 routes",
    within="at once",
)
@pytest.mark.parametrize(
    "offered",
    [
        b"",
        oddrouter.FOUR_OCTETS,
        oddrouter.USUAL + oddrouter.capability(9, b"\0"),
        oddrouter.USUAL + oddrouter.capability(200, b"what") + oddrouter.capability(99),
        oddrouter.USUAL + oddrouter.USUAL,
    ],
    ids=["none", "no family", "role", "unknown", "twice"],
)
def test_a_router_has_the_ipv4_routes_whatever_it_offers(
    us: exabgp.ExaBGP, start: Start, offered: bytes
) -> None:
    """Alone it announces nothing to one that offers no family."""
    (router,) = start({"first": oddrouter.opening(offered)})
    us.await_line(b'"state": "up"')

    us.say(commands.Announce(route=PLAIN))

    router.wait(lambda: announcements(router) == 1, "no announcement")
    assert model.Family.IPV4 in counters(us).families


def test_waiting_for_the_first_keepalive_is_no_work(us: exabgp.ExaBGP, start: Start) -> None:
    """Alone it turns in circles and never waits for anything."""
    first = oddrouter.opening(hold_time=180)
    (router,) = start({"first": first, "is_confirming": False})
    router.wait_for(oddrouter.KEEPALIVE)
    assert counters(us).fsm == "OPENCONFIRM"

    before = us.waits()
    router.wait(lambda: us.waits() > before + 20, "it never waits")

    assert counters(us).fsm == "OPENCONFIRM"


HEADERS = {
    "a marker of zeros": (b"\0" * 19, (1, 1)),
    "a length of 0": (oddrouter.message(oddrouter.KEEPALIVE, length=0), (1, 2)),
    "a length of 18": (oddrouter.message(oddrouter.KEEPALIVE, length=18), (1, 2)),
    "a length of 65535": (oddrouter.message(oddrouter.UPDATE, b"x", length=65535), (1, 2)),
    "a KEEPALIVE with a body": (oddrouter.message(oddrouter.KEEPALIVE, b"x"), (1, 2)),
    "an UPDATE of 20 bytes": (oddrouter.message(oddrouter.UPDATE, b"x"), (1, 2)),
    "type 0": (oddrouter.message(0, b"x"), (1, 3)),
    "type 6": (oddrouter.message(6, b"xxxxxxxx"), (1, 3)),
    "type 99": (oddrouter.message(99, b"x"), (1, 3)),
}


@pytest.mark.fault(
    area="routers",
    what="a router sends bytes that are no BGP message",
    sees="the NOTIFICATION that says so (RFC 4271 section 6.1), then the next attempt",
    within="0 s; 4.5 s and the handshake",
)
@pytest.mark.parametrize("is_first", [True, False], ids=["instead of an OPEN", "established"])
@pytest.mark.parametrize("name", HEADERS)
def test_what_is_no_message_is_answered_by_the_right_notification(
    us: exabgp.ExaBGP, start: Start, name: str, *, is_first: bool
) -> None:
    """Alone it closes without a word and leaves a traceback; RFC 4271 section 6.1."""
    data, (code, subcode) = HEADERS[name]
    (router,) = start({"first": data} if is_first else {})
    if not is_first:
        us.await_line(b'"state": "up"')
        router.send(data)

    said = router.wait_for(oddrouter.NOTIFICATION)[0]

    assert tuple(said[:2]) == (code, subcode)
    if subcode == 2:
        assert said[2:] == struct.pack("!H", struct.unpack_from("!H", data, 16)[0])
    problem = f"notification sent ({code},{subcode})"
    us.wait(
        lambda: any(
            isinstance(each, events.SessionChanged) and each.problem == problem
            for each in us.happened()
        ),
        f"no word of {problem}",
    )
    assert "Traceback" not in us.log()


def test_nothing_is_loaded_late_by_a_session_and_its_routes(
    us: exabgp.ExaBGP, start: Start, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``launcher.unused`` postpones is not loaded by anything that we do."""
    seen = tmp_path / "imports"
    monkeypatch.setenv("PYTHONPATH", str(faults.DIRECTORY))
    monkeypatch.setenv("EXABGP_IMPORTS", str(seen))
    (router,) = start({})
    router.wait_up()
    (route,) = routes(1)
    since = us.mark()
    us.say(announcement(route))
    us.await_event(events.UpdateSent(peer=route.peer, announced=frozenset({route.prefix})), since)
    us.say(commands.ShowRib())
    us.say(withdrawal(route))
    us.reload(us.path.read_text())
    router.leave()
    us.await_line(b'"state": "down"')

    imported = set(seen.read_text().split())
    assert "exabgp.reactor.peer" in imported
    assert imported.isdisjoint(unused.LATER)


def test_an_idle_exabgp_waits_for_whole_seconds(us: exabgp.ExaBGP, start: Start) -> None:
    """Alone it takes ten turns a second, and here there are six or more."""
    (router,) = start({})
    router.wait_up()
    router.wait_for(oddrouter.KEEPALIVE, 2)
    before, heard = us.waits(), len(router.heard(oddrouter.KEEPALIVE))

    router.wait_for(oddrouter.KEEPALIVE, heard + 2)

    assert us.waits() - before < 30
