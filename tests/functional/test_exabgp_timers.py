"""Keepalive and connect retry, as two routers of one ExaBGP see them.

No moment is measured: what one router sees in the meantime is counted at the other one, so that a
machine that is busy makes both wait.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import pathlib
import socket
import threading
from collections.abc import Iterator

import pytest

from exabgp_k8s.core.facts import events, model
from exabgp_k8s.wire import daemon_conf
from tests.functional import exabgp
from tests.support import oddrouter

pytestmark = pytest.mark.functional

ADDRESSES = ("127.0.0.1", "127.0.0.2")
NEIGHBOR = exabgp.neighbor(ipaddress.ip_address(ADDRESSES[0]))


@pytest.fixture
def us(tmp_path: pathlib.Path) -> Iterator[exabgp.ExaBGP]:
    with exabgp.running(tmp_path / "us") as found:
        yield found


def neighbor(address: str, port: int, **changes: int) -> model.Neighbor:
    found = dataclasses.replace(NEIGHBOR, address=ipaddress.ip_address(address), port=port)
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


class Refusing:
    """A router that closes every connection at once, and counts them."""

    def __init__(self, address: str) -> None:
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self.attempts = 0
        threading.Thread(target=self._accept, daemon=True, name="refusing").start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.attempts += 1

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.mark.parametrize(
    ("keepalive", "hold_time"),
    [(1, 9), (3, 3)],
    ids=["as the settings say", "as often as the router's own hold time needs"],
)
def test_a_keepalive_leaves_as_often_as_it_is_asked_for(
    us: exabgp.ExaBGP, keepalive: int, hold_time: int
) -> None:
    """The other router gets one every third of nine seconds."""
    opening = oddrouter.opening(hold_time=hold_time)
    with (
        oddrouter.Router(ADDRESSES[0], first=opening) as often,
        oddrouter.Router(ADDRESSES[1]) as usual,
    ):
        wanted = (
            neighbor(ADDRESSES[0], often.port, keepalive=keepalive),
            neighbor(ADDRESSES[1], usual.port),
        )
        us.start(daemon_conf.render(wanted, us.run))
        usual.wait_up()

        often.wait_for(oddrouter.KEEPALIVE, 16)

        assert len(usual.heard(oddrouter.KEEPALIVE)) <= 10
        assert (often.sessions, usual.sessions) == (1, 1)


def test_an_edit_of_the_keepalive_makes_its_own_session_anew(us: exabgp.ExaBGP) -> None:
    with oddrouter.Router(ADDRESSES[0]) as edited, oddrouter.Router(ADDRESSES[1]) as other:
        first, second = neighbor(ADDRESSES[0], edited.port), neighbor(ADDRESSES[1], other.port)
        us.start(daemon_conf.render((first, second), us.run))
        for address in ADDRESSES:
            # Not before ExaBGP, too, takes both for up: an edit then is one of a session.
            peer, local = ipaddress.ip_address(address), NEIGHBOR.local_address
            us.await_event(events.SessionChanged(peer=peer, state="up", local=local))

        first = dataclasses.replace(first, keepalive=1)
        us.reload(daemon_conf.render((first, second), us.run))
        edited.wait_up(sessions=2)

        assert other.keeps_session_through()
        assert other.sessions == 1


def test_a_reload_touches_no_session_that_comes_up_at_that_moment(tmp_path: pathlib.Path) -> None:
    """ExaBGP alone ends a session whose first turn it is; nobody has edited that peer."""
    router = oddrouter.Router(ADDRESSES[0])
    with (
        oddrouter.Router(ADDRESSES[1]) as added,
        exabgp.running(tmp_path / "us", module="tests.functional.reload_when_up") as us,
    ):
        first, second = neighbor(ADDRESSES[0], router.port), neighbor(ADDRESSES[1], added.port)
        us.start(daemon_conf.render((first,), us.run))
        us.path.write_text(daemon_conf.render((first, second), us.run))
        with router:
            added.wait_up()

            assert router.keeps_session_through()
            assert router.sessions == 1


def test_a_router_that_refuses_is_tried_as_often_as_it_is_asked_for(us: exabgp.ExaBGP) -> None:
    """The other one is tried every three seconds on average."""
    often, usual = (Refusing(address) for address in ADDRESSES)
    wanted = (
        neighbor(ADDRESSES[0], often.port, connect_retry=1),
        neighbor(ADDRESSES[1], usual.port),
    )
    try:
        us.start(daemon_conf.render(wanted, us.run))
        us.wait(lambda: often.attempts >= 12, "not tried twelve times")

        assert 1 <= usual.attempts <= 8
    finally:
        often.close()
        usual.close()
