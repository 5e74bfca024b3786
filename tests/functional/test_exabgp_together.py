"""What we rely on of ExaBGP 5.0.15 when several changes are told in one line."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest

from exabgp_k8s.core.facts import commands, events, model
from tests.functional.test_exabgp_facts import (  # noqa: F401 - fixtures are found by name
    ABSENT,
    MARKED,
    ROUTER,
    Pair,
    pair,
    reload_with_the_absent,
    table,
    up,
)

pytestmark = pytest.mark.functional

PODS = ipaddress.ip_network("10.244.1.0/24")
BOTH = (MARKED, dataclasses.replace(MARKED, prefix=PODS))
PREFIXES = frozenset(route.prefix for route in BOTH)
ANNOUNCE = commands.Together(changes=tuple(commands.Announce(route=each) for each in BOTH))
WITHDRAW = commands.Together(changes=tuple(commands.Withdraw(route=each) for each in BOTH))


def test_they_are_one_answer_and_one_update(up: Pair) -> None:  # noqa: F811
    assert up.us.say(ANNOUNCE)[-1] == b"done\n"
    up.us.await_event(events.UpdateSent(peer=ROUTER, announced=PREFIXES))
    assert sorted(table(up.us), key=_by_prefix) == sorted(BOTH, key=_by_prefix)

    assert up.us.say(WITHDRAW)[-1] == b"done\n"
    up.us.await_event(events.UpdateSent(peer=ROUTER, withdrawn=PREFIXES))
    assert table(up.us) == []


def test_one_by_one_takes_back_what_was_told_together(up: Pair) -> None:  # noqa: F811
    """The attribute sets are the same, whichever way a change was told."""
    up.us.say(ANNOUNCE)
    up.us.await_event(events.UpdateSent(peer=ROUTER, announced=PREFIXES))

    for route in BOTH:
        up.us.say(commands.Withdraw(route=route))
        gone = frozenset({route.prefix})
        up.us.await_event(events.UpdateSent(peer=ROUTER, withdrawn=gone))

    assert table(up.us) == []


def test_a_peer_that_is_down_does_not_hold_up_the_others(up: Pair) -> None:  # noqa: F811
    reload_with_the_absent(up)
    everywhere = (*BOTH, *(dataclasses.replace(each, peer=ABSENT) for each in BOTH))
    changes = tuple(commands.Announce(route=each) for each in everywhere)

    assert up.us.say(commands.Together(changes=changes))[-1] == b"done\n"
    up.us.await_event(events.UpdateSent(peer=ROUTER, announced=PREFIXES))

    assert {(route.peer, route.prefix) for route in table(up.us)} == {
        (route.peer, route.prefix) for route in everywhere
    }


def test_a_peer_that_is_not_there_is_passed_over(up: Pair) -> None:  # noqa: F811
    gone = tuple(dataclasses.replace(each, peer=ABSENT) for each in BOTH)
    changes = tuple(commands.Announce(route=each) for each in (*gone, *BOTH))

    assert up.us.say(commands.Together(changes=changes))[-1] == b"done\n"

    assert {route.peer for route in table(up.us)} == {ROUTER}


def _by_prefix(route: model.Route) -> str:
    return str(route.prefix)
