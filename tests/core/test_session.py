"""One session in depth: both sides, what came of it, and its losses."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from typing import Any

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, events, exchange
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.plan import changes
from exabgp_k8s.core.report import session
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B, after

OURS = exchange.Opening(
    asn=64512,
    hold_time=9,
    router_id="192.0.2.11",
    capabilities=(
        exchange.Capability(name="multiprotocol", words=("ipv4 unicast", "ipv6 unicast")),
        exchange.Capability(name="extended next hop", words=("ipv4 unicast over ipv6",)),
        exchange.Capability(name="route refresh"),
    ),
)
THEIRS = exchange.Opening(
    asn=64513,
    hold_time=180,
    router_id="192.0.2.1",
    capabilities=(
        exchange.Capability(name="multiprotocol", words=("ipv4 unicast", "l2vpn evpn")),
        exchange.Capability(name="extended next hop", words=("ipv4 vpn over ipv6",)),
        exchange.Capability(name="graceful restart", words=("120 s",)),
    ),
)
SAID = exchange.Exchange(
    local_port=41000,
    remote_port=179,
    sent=OURS,
    received=THEIRS,
    messages_sent={"open": 1, "total": 1},
    messages_received={"open": 1, "total": 1},
)


def read(world: World, *, is_up: bool = True) -> World:
    """Return the world after the table of neighbors was read."""
    rows = tuple(
        events.NeighborRow(
            peer=each.address,
            local=each.local_address,
            local_asn=each.local_asn,
            peer_asn=each.peer_asn,
            local_router_id=str(each.router_id),
            local_hold_time=each.hold_time,
            is_up=is_up,
            fsm="ESTABLISHED" if is_up else "IDLE",
            hold_time=9 if is_up else 0,
            exchange=SAID,
        )
        for each in world.neighbors or ()
    )
    return after(world, events.NeighborsRead(rows=rows))


def shown(world: World, name: str = "tor-a", now: float = START + 10) -> Any:
    row = session.row(step.step(world, (events.Tick(),), now), name, now)
    json.dumps(row)
    return row


def lost(world: World, problem: str = "notification received (6,2)", now: float = START) -> World:
    down = events.SessionChanged(peer=TOR_A, state="down", problem=problem)
    return after(world, down, now=now)


def test_a_session_is_found_by_name_and_by_address_and_no_other_is() -> None:
    world = read(builders.a_serving_world())

    assert shown(world)["peer"] == "tor-a"
    assert shown(world, str(TOR_B))["peer"] == "tor-b"
    assert shown(world, "tor-c") is None


def test_what_was_offered_stands_beside_what_came_of_it() -> None:
    row = shown(read(builders.a_serving_world()))

    assert (row["local_port"], row["remote_port"]) == (41000, 179)
    assert row["timers"]["hold_time"] == {
        "configured": 9,
        "sent": 9,
        "received": 180,
        "negotiated": 9,
    }
    assert row["timers"]["keepalive"] == {"configured": None, "negotiated": 3}
    assert {each["capability"]: each["negotiated"] for each in row["capabilities"]} == {
        "multiprotocol": True,
        "extended next hop": False,
        "route refresh": False,
        "graceful restart": False,
    }


def test_of_a_session_that_is_down_nothing_is_in_force() -> None:
    row = shown(read(lost(builders.a_serving_world()), is_up=False))

    assert not any(each["negotiated"] for each in row["capabilities"])
    assert row["timers"]["hold_time"]["negotiated"] is None
    assert row["opens"]["received"]["as"] == 64513


def test_losses_are_counted_and_the_last_ones_are_kept() -> None:
    world = builders.a_serving_world()
    for number in range(exchange.KEPT_FLAPS + 5):
        world = lost(world, f"loss {number}", START + number)
        # An attempt in vain is no loss.
        world = lost(world, "lost ETIMEDOUT in IDLE", START + number)
        world = after(world, *builders.up(TOR_A), now=START + number)

    row = shown(world, now=START + 20)

    assert row["times_lost"] == exchange.KEPT_FLAPS + 5
    assert len(row["flaps"]) == exchange.KEPT_FLAPS
    assert row["flaps"][0] == {"seconds": 6.0, "lasted_seconds": 1.0, "problem": "loss 14"}


def test_the_last_notification_is_told_in_parts() -> None:
    said = events.NotificationReceived(peer=TOR_A, code=6, subcode=2, message="moved to rack 7")

    row = shown(lost(after(builders.a_serving_world(), said)))

    assert row["last_notification"] == {
        "direction": "received",
        "code": 6,
        "subcode": 2,
        "name": "administrative shutdown",
        "text": "moved to rack 7",
    }


def test_one_that_we_sent_is_told_as_ours() -> None:
    row = shown(lost(builders.a_serving_world(), "notification sent (4,0)"))

    assert row["last_notification"]["direction"] == "sent"
    assert row["last_notification"]["name"] == "hold timer expired"


def test_a_session_that_came_up_is_read_at_once_and_then_as_rarely_as_others() -> None:
    """Somebody who looks at a new session would see the one before it for five seconds."""
    world = read(lost(builders.a_serving_world()), is_up=False)
    now = START + changes.REREAD
    world = after(world, *builders.up(TOR_A), now=now)

    assert commands.ShowNeighbors() in step.step(world, (events.Tick(),), now).commands
    world = dataclasses.replace(read(world), neighbors_read_at=now)
    later = step.step(world, (events.Tick(),), now + changes.REREAD)
    assert commands.ShowNeighbors() not in later.commands


def test_a_peer_that_is_held_has_no_session_to_show() -> None:
    peers = (builders.a_peer(password_from="absent"), builders.a_peer("tor-b", TOR_B))
    world = builders.a_world(settings=builders.a_config(peers=peers))

    row = shown(world)

    assert row["state"] == "Held"
    assert row["capabilities"] == []
    assert row["address"] == str(ipaddress.ip_address(TOR_A))
