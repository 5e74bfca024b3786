"""ExaBGP tries a configuration before it takes it; one that it cannot read costs nothing."""

from __future__ import annotations

import dataclasses
import ipaddress
import pathlib
from collections.abc import Iterator

import pytest

from exabgp_k8s import candidate
from exabgp_k8s.core.facts import commands, model
from exabgp_k8s.wire import daemon_conf, replies
from tests.functional import exabgp
from tests.support import lab, ports

pytestmark = pytest.mark.functional

FIRST, SECOND = (
    model.Neighbor(
        name="router",
        description="",
        address=ipaddress.ip_address(f"127.0.0.{number}"),
        port=ports.claim(),
        local_address=ipaddress.ip_address("127.0.0.11"),
        router_id=ipaddress.IPv4Address("127.0.0.11"),
        peer_asn=64513,
        local_asn=64512,
        hold_time=9,
    )
    for number in (1, 2)
)


@pytest.fixture
def us(tmp_path: pathlib.Path) -> Iterator[exabgp.ExaBGP]:
    with exabgp.running(tmp_path / "us") as found:
        yield found


def rendered(us: exabgp.ExaBGP, *neighbors: model.Neighbor) -> str:
    return daemon_conf.render(neighbors, us.run)


def unreadable(us: exabgp.ExaBGP) -> str:
    return rendered(us, FIRST, SECOND).replace("hold-time 9", "hold-time 2")


def configured(us: exabgp.ExaBGP) -> set[model.Address]:
    """Return the neighbors that ExaBGP has."""
    found = map(replies.parse, us.say(commands.ShowNeighbors()))
    (read,) = (reply for reply in found if isinstance(reply, replies.NeighborTable))
    return {row.peer for row in read.rows}


def offer(us: exabgp.ExaBGP, text: str) -> None:
    """Lay a candidate down and wait for what becomes of it."""
    candidate.lay_down(us.path, text)
    us.read_again()
    lab.until(lambda: not candidate.is_waiting(us.path), "nobody looks at the candidate")


def test_a_candidate_is_taken_at_the_start_and_by_a_reload(us: exabgp.ExaBGP) -> None:
    candidate.lay_down(us.path, rendered(us, FIRST))

    us.start(rendered(us))
    assert configured(us) == {FIRST.address}
    offer(us, rendered(us, FIRST, SECOND))

    assert candidate.refusal(us.path) is None
    lab.until(
        lambda: configured(us) == {FIRST.address, SECOND.address}, "it was not read in its place"
    )
    assert us.path.read_text() == rendered(us, FIRST, SECOND)


def test_a_candidate_that_cannot_be_read_changes_nothing_and_says_why(us: exabgp.ExaBGP) -> None:
    """Nor does it spoil the next one, as a reload of it does to ExaBGP alone."""
    us.start(rendered(us, FIRST))

    offer(us, unreadable(us))

    assert "hold-time" in (candidate.refusal(us.path) or "")
    assert us.path.read_text() == rendered(us, FIRST)
    assert configured(us) == {FIRST.address}
    offer(us, rendered(us, FIRST, dataclasses.replace(SECOND, hold_time=30)))
    lab.until(lambda: SECOND.address in configured(us), "a good one is not taken after it")


def test_exabgp_starts_although_a_candidate_cannot_be_read(us: exabgp.ExaBGP) -> None:
    candidate.lay_down(us.path, unreadable(us))

    us.start(rendered(us, FIRST))

    assert configured(us) == {FIRST.address}
    assert "hold-time" in (candidate.refusal(us.path) or "")
