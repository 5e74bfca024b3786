"""What we rely on of ExaBGP 5.0.15, so that an upgrade that changes it is noticed.

Two daemons on loopback: ``us``, configured by our own renderer, and ``router``, passive.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import ipaddress
import itertools
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from exabgp_k8s.core.facts import commands, events, extended, model
from exabgp_k8s.wire import daemon_conf, replies
from tests.functional import exabgp
from tests.support import ports

pytestmark = pytest.mark.functional

VALIDATE = (sys.executable, "-m", "exabgp", "validate")
LOCAL = ipaddress.ip_address("127.0.0.11")
ROUTER = ipaddress.ip_address("127.0.0.1")
ABSENT = ipaddress.ip_address("127.0.0.2")
SERVICES = ipaddress.ip_network("10.96.0.0/16")
SERVICES6 = ipaddress.ip_network("fd00:96::/112")
PLAIN = model.Route(peer=ROUTER, prefix=SERVICES, next_hop=LOCAL)
EXTENDED = tuple(
    found
    for kind in extended.SUBTYPES
    for what in ("0:0", "64512:1", "65535:4294967295", "65536:1", "4294967295:65535", "0.0.0.7:9")
    if (found := extended.read(f"{kind}:{what}")) is not None
)
MARKED = dataclasses.replace(
    PLAIN,
    attributes=model.Attributes(
        communities=(
            model.GRACEFUL_SHUTDOWN,
            (64512, 10),
            *replies.WELL_KNOWN.values(),
        ),
        large_communities=((64512, 1, 2), (4294967295, 0, 0)),
        extended_communities=EXTENDED,
        med=7,
        as_path=(64512, 64512, 64512),
    ).normalised(),
)
ROUTE6 = model.Route(peer=ROUTER, prefix=SERVICES6, next_hop=ipaddress.ip_address("fd00::11"))

NEIGHBOR = exabgp.neighbor(ROUTER, graceful_restart=120)

ROUTER_CONF = """
process agent {{ run {run}; encoder json; }}
neighbor 127.0.0.11 {{
  local-address 127.0.0.1; local-as 64513; peer-as 64512; router-id 127.0.0.1;
  hold-time 9; passive true; listen {port}; {password}
  capability {{ graceful-restart 120; }}
  family {{ ipv4 unicast; ipv6 unicast; }}
  api {{ processes [ agent ]; neighbor-changes; receive {{ parsed; update; }} }}
}}
"""


class Pair:
    """The two daemons, and what is configured between them."""

    def __init__(self, us: exabgp.ExaBGP, router: exabgp.ExaBGP) -> None:
        self.us, self.router = us, router
        self.neighbor = dataclasses.replace(NEIGHBOR, port=ports.claim())
        self.absent = dataclasses.replace(
            self.neighbor, address=ABSENT, port=ports.claim(), graceful_restart=None
        )

    def start(self, *, password: str = "") -> None:
        """Start both and wait until each has said that the session is up."""
        neighbor, asked = self.neighbor, ""
        if password:
            neighbor = dataclasses.replace(neighbor, password=model.Secret(password))
            asked = f'md5-password "{password}";'
        run = " ".join(self.router.run)
        self.router.start(ROUTER_CONF.format(run=run, port=self.neighbor.port, password=asked))
        self.us.start(self.rendered(neighbor))
        up = events.SessionChanged(peer=ROUTER, state="up", local=LOCAL)
        self.us.await_event(up)
        self.router.await_event(events.SessionChanged(peer=LOCAL, state="up", local=ROUTER))

    def rendered(self, *neighbors: model.Neighbor) -> str:
        return daemon_conf.render(neighbors, self.us.run, show_secrets=True)


@pytest.fixture
def pair(tmp_path: pathlib.Path) -> Iterator[Pair]:
    with (
        exabgp.running(tmp_path / "us") as us,
        exabgp.running(tmp_path / "router", is_router=True) as router,
    ):
        yield Pair(us, router)


@pytest.fixture
def up(pair: Pair) -> Pair:
    pair.start()
    return pair


def announced(route: model.Route) -> events.UpdateSent:
    return events.UpdateSent(peer=route.peer, announced=frozenset({route.prefix}))


def withdrawn(route: model.Route) -> events.UpdateSent:
    return events.UpdateSent(peer=route.peer, withdrawn=frozenset({route.prefix}))


def table(us: exabgp.ExaBGP) -> list[model.Route]:
    """Return what ``show adj-rib out json`` says."""
    rows = map(replies.parse, us.say(commands.ShowRib()))
    return [row.route for row in rows if isinstance(row, replies.RibRow)]


def neighbors(us: exabgp.ExaBGP) -> dict[model.Address, events.NeighborRow]:
    """Return what ``show neighbor json`` says."""
    found = map(replies.parse, us.say(commands.ShowNeighbors()))
    (read,) = (reply for reply in found if isinstance(reply, replies.NeighborTable))
    return {row.peer: row for row in read.rows}


def reload_with_the_absent(up: Pair) -> dict[model.Address, events.NeighborRow]:
    """Add a neighbor that nobody answers for; return the table that has it."""
    up.us.reload(up.rendered(up.neighbor, up.absent))
    end = time.monotonic() + exabgp.LIMIT
    while ABSENT not in (rows := neighbors(up.us)):
        assert time.monotonic() < end, "the reload was not taken"
    return rows


def test_the_version_is_the_one_these_facts_are_about() -> None:
    assert importlib.metadata.version("exabgp") == "5.0.15"


def test_done_comes_before_the_update(up: Pair) -> None:
    for command, echo in (
        (commands.Announce(route=PLAIN), announced(PLAIN)),
        (commands.Withdraw(route=PLAIN), withdrawn(PLAIN)),
    ):
        since = up.us.mark()
        assert up.us.say(command)[-1] == b"done\n"
        assert echo not in up.us.happened(since)[: up.us.lines(since).index(b"done\n")]
        up.us.await_event(echo, since)


def test_what_is_announced_reaches_the_router_and_so_does_its_withdrawal(up: Pair) -> None:
    up.us.say(commands.Announce(route=MARKED))
    up.router.await_line(b'"community": [ [ 64512, 10 ], [ 65535, 0 ]')
    up.router.await_line(b'"value": [64512, 64512, 64512]')

    since = up.router.mark()
    up.us.say(commands.Withdraw(route=MARKED))
    up.router.await_line(b'"withdraw": { "ipv4 unicast": [ { "nlri": "10.96.0.0/16" } ] }', since)


def test_the_table_gives_back_exactly_what_was_announced(up: Pair) -> None:
    up.us.say(commands.Announce(route=MARKED))
    up.us.say(commands.Announce(route=ROUTE6))

    assert table(up.us) == [MARKED, ROUTE6]


def test_the_table_gives_back_what_was_announced_together(up: Pair) -> None:
    second = dataclasses.replace(MARKED, prefix=ipaddress.ip_network("10.97.0.0/16"))
    changes = tuple(commands.Announce(route=route) for route in (MARKED, second))

    up.us.say(commands.Together(changes=changes))

    assert sorted(table(up.us), key=lambda route: route.prefix) == [MARKED, second]


def test_an_announcement_that_the_table_has_is_not_sent_again(up: Pair) -> None:
    up.us.say(commands.Announce(route=PLAIN))
    up.us.await_event(announced(PLAIN))

    since = up.us.mark()
    up.us.say(commands.Announce(route=PLAIN))
    up.us.say(commands.Announce(route=ROUTE6))
    up.us.await_event(announced(ROUTE6), since)

    assert announced(PLAIN) not in up.us.happened(since)


def test_a_flush_sends_everything_again_after_its_done(up: Pair) -> None:
    up.us.say(commands.Announce(route=PLAIN))
    up.us.await_event(announced(PLAIN))

    since = up.us.mark()
    assert up.us.say(commands.Flush(peer=ROUTER)) == [b"done\n"]
    up.us.await_event(announced(PLAIN), since)


def test_end_of_rib_leaves_when_it_is_told_to(up: Pair) -> None:
    assert not any(b'"eor"' in line for line in up.router.lines())

    for family in model.Family:
        assert up.us.say(commands.EndOfRib(peer=ROUTER, family=family))[-1] == b"done\n"
        text = f'"eor": {{ "afi" : "{family}", "safi" : "unicast" }}'.encode()
        up.us.await_line(text)
        up.router.await_line(text)


def test_a_neighbor_is_matched_by_its_whole_address(up: Pair) -> None:
    stranger = dataclasses.replace(PLAIN, peer=ipaddress.ip_address("127.0.0.111"))
    prefix = dataclasses.replace(PLAIN, peer=ipaddress.ip_address("127.0.0.0"))

    assert up.us.say(commands.Announce(route=stranger)) == [b"error\n"]
    assert up.us.say(commands.Announce(route=prefix)) == [b"error\n"]
    assert table(up.us) == []


def test_the_table_of_neighbors_says_who_is_there(up: Pair) -> None:
    row = neighbors(up.us)[ROUTER]

    assert (row.is_up, row.fsm, row.hold_time) == (True, "ESTABLISHED", 9)
    assert (row.local, row.local_asn, row.peer_asn) == (LOCAL, 64512, 64513)
    assert (row.local_router_id, row.router_id) == ("127.0.0.11", "127.0.0.1")
    assert row.families == frozenset(model.Family)
    assert row.graceful_restart


def test_a_reload_adds_a_neighbor_and_touches_no_session(up: Pair) -> None:
    up.us.say(commands.Announce(route=PLAIN))
    up.us.await_event(announced(PLAIN))
    since = up.us.mark()

    rows = reload_with_the_absent(up)

    assert rows[ROUTER].is_up
    assert not rows[ABSENT].is_up
    # A neighbor that is down shows the parameters that tell whether a reload was taken.
    assert rows[ABSENT].local_router_id == "127.0.0.11"
    assert table(up.us) == [PLAIN]
    changed = (each for each in up.us.happened(since) if isinstance(each, events.SessionChanged))
    assert {each.peer for each in changed} <= {ABSENT}


def test_a_router_that_ends_every_session_at_once_is_not_tried_in_a_storm(pair: Pair) -> None:
    """By ``launcher.redial``; ExaBGP alone tries twice at once, then after one second."""
    with socket.create_server((str(ROUTER), 0)) as router:
        neighbor = dataclasses.replace(pair.neighbor, port=router.getsockname()[1])
        pair.us.start(pair.rendered(neighbor))
        tried = []
        for _ in range(4):
            connection, _ = router.accept()
            # Before it is closed: the next pause begins with that, however late we are ourselves.
            tried.append(time.monotonic())
            connection.close()

    assert all(after - before > 1.5 for before, after in itertools.pairwise(tried)), tried


def test_changes_for_a_neighbor_that_is_down_are_stored(up: Pair) -> None:
    reload_with_the_absent(up)
    waiting = dataclasses.replace(PLAIN, peer=ABSENT)

    assert up.us.say(commands.Announce(route=waiting))[-1] == b"done\n"
    assert table(up.us) == [waiting]
    assert up.us.say(commands.Flush(peer=ABSENT))[-1] == b"error\n"
    assert up.us.say(commands.Withdraw(route=waiting))[-1] == b"done\n"


def test_a_helper_that_dies_is_replaced_and_its_routes_stand(up: Pair) -> None:
    up.us.say(commands.Announce(route=MARKED))
    up.us.await_event(announced(MARKED))
    heard = up.router.mark()

    up.us.kill_helper()
    up.us.wait(lambda: up.us.helpers == 2, "no second helper")

    assert table(up.us) == [MARKED]
    assert neighbors(up.us)[ROUTER].is_up
    assert not up.router.happened(heard)
    assert not any(b"withdraw" in line for line in up.router.lines(heard))


def test_a_password_in_base64_is_the_password(pair: Pair) -> None:
    pair.start(password="pass word; } #1")

    assert neighbors(pair.us)[ROUTER].is_up


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"password": model.Secret('x" ; } } neighbor {')},
        {"password": model.Secret("p" * 80)},
        {"multihop": 2},
        {"ttl_security": True},
        {"graceful_restart": 120},
        {"graceful_restart": 4095},
        {"families": (model.Family.IPV6,)},
        {"families": (model.Family.IPV4,)},
        {"hold_time": 3},
        {"hold_time": 65535},
        {"port": 1790},
        {"peer_asn": 4294967295, "local_asn": 4200000000},
        {"peer_asn": 64512},
        {
            "address": ipaddress.ip_address("2001:db8::1"),
            "local_address": ipaddress.ip_address("2001:db8::11"),
        },
    ],
    ids=lambda change: " ".join(change) or "plain",
)
def test_what_is_rendered_is_accepted(change: dict[str, object], tmp_path: pathlib.Path) -> None:
    neighbor = dataclasses.replace(NEIGHBOR, graceful_restart=None)
    neighbor = dataclasses.replace(neighbor, **change)  # type: ignore[arg-type]
    path = tmp_path / "exabgp.conf"
    path.write_text(daemon_conf.render((neighbor,), ("/bin/cat",), show_secrets=True))

    done = subprocess.run([*VALIDATE, str(path)], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()


def test_what_is_wrong_is_refused(tmp_path: pathlib.Path) -> None:
    """Without this the tests above would say nothing."""
    path = tmp_path / "exabgp.conf"
    text = daemon_conf.render((NEIGHBOR,), ("/bin/cat",)).replace("hold-time 9", "hold-time 2")
    path.write_text(text)

    done = subprocess.run([*VALIDATE, str(path)], capture_output=True, check=False)

    assert done.returncode != 0
