"""What ExaBGP 5.0.15 really wrote, line by line, and what it never should."""

from __future__ import annotations

import collections
import ipaddress
import json
import pathlib
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import events, exchange, model, printable
from exabgp_k8s.wire import replies

CAPTURED = (pathlib.Path(__file__).parent / "captured.txt").read_bytes().splitlines()
"""A whole life with two peers, one of them never there; ">> " marks what was asked."""

LOCAL, PEER, OTHER = (ipaddress.ip_address(f"127.0.0.{last}") for last in (11, 1, 2))
SERVICES = ipaddress.ip_network("10.96.0.0/16")
SERVICES6 = ipaddress.ip_network("fd00:96::/112")
BOTH = frozenset(model.Family)


def happened(line: bytes) -> events.Event:
    reply = replies.parse(line)
    assert isinstance(reply, replies.Happened), reply
    return reply.event


def message(kind: str, **said: Any) -> bytes:
    """Return an event in the frame that all events of a neighbor have."""
    neighbor = {
        "address": {"local": "10.0.1.1", "peer": "10.0.1.2"},
        "asn": {"local": 65010, "peer": 65000},
        "router-id": "10.0.1.1",
    }
    frame = {"exabgp": "5.0.0", "counter": 3, "type": kind, "neighbor": neighbor | said}
    return json.dumps(frame).encode()


TOR = ipaddress.ip_address("10.0.1.2")


def test_the_captured_life_is_understood_line_by_line() -> None:
    """Nothing but End-of-RIB and the farewell is noise."""
    kinds = collections.Counter(
        type(reply.event).__name__ if isinstance(reply, replies.Happened) else type(reply).__name__
        for reply in map(replies.parse, (line for line in CAPTURED if line[:2] != b">>"))
    )

    assert kinds == {
        "SessionChanged": 5,
        "Negotiated": 1,
        "UpdateSent": 6,
        "RibRow": 6,
        "NeighborTable": 1,
        "Done": 10,
        "Failed": 1,
        "Noise": 2,
    }


def test_a_session_that_comes_up() -> None:
    found = [happened(line) for line in CAPTURED if b'"state": "up" } }' in line]

    assert found == [events.SessionChanged(peer=PEER, state="up", local=LOCAL)]


def test_a_session_that_goes_down_says_why() -> None:
    (line,) = (line for line in CAPTURED if b"shutting down" in line)

    assert happened(line) == events.SessionChanged(
        peer=PEER, state="down", local=LOCAL, problem="stop, message [shutting down]"
    )


def test_what_was_negotiated() -> None:
    (line,) = (line for line in CAPTURED if b'"type": "negotiated"' in line)

    assert happened(line) == events.Negotiated(peer=PEER, families=BOTH, hold_time=9)


def test_updates_on_their_way() -> None:
    found = [
        happened(line) for line in CAPTURED if b'"direction": "send"' in line and b"nlri" in line
    ]

    assert found[:2] == [
        events.UpdateSent(peer=PEER, announced=frozenset({SERVICES})),
        events.UpdateSent(peer=PEER, announced=frozenset({SERVICES6})),
    ]
    assert events.UpdateSent(peer=PEER, withdrawn=frozenset({SERVICES})) in found


def test_the_rows_of_the_table_of_routes() -> None:
    rows = [
        reply.route for reply in map(replies.parse, CAPTURED) if isinstance(reply, replies.RibRow)
    ]

    assert rows[:3] == [
        model.Route(
            peer=PEER,
            prefix=SERVICES,
            next_hop=LOCAL,
            attributes=model.Attributes(
                communities=((64512, 10),), large_communities=((64512, 1, 2),), med=5
            ),
        ),
        model.Route(peer=PEER, prefix=SERVICES6, next_hop=ipaddress.ip_address("fd00::11")),
        model.Route(peer=OTHER, prefix=SERVICES, next_hop=LOCAL),
    ]
    assert rows[3].attributes == model.Attributes(as_path=(64512,) * 3, local_pref=200)


def test_the_table_of_neighbors() -> None:
    (line,) = (line for line in CAPTURED if line.startswith(b"[{"))
    table = replies.parse(line)
    assert isinstance(table, replies.NeighborTable)

    there, absent = table.rows

    assert there == events.NeighborRow(
        peer=PEER,
        local=LOCAL,
        is_up=True,
        fsm="ESTABLISHED",
        local_asn=64512,
        peer_asn=64513,
        local_router_id="127.0.0.11",
        local_hold_time=9,
        families=BOTH,
        hold_time=9,
        duration=3,
        messages_sent=5,
        messages_received=5,
        router_id="127.0.0.1",
        graceful_restart=True,
        exchange=exchange.Exchange(
            messages_sent={
                "open": 1,
                "notification": 0,
                "keepalive": 2,
                "update": 2,
                "refresh": 0,
                "total": 5,
            },
            messages_received={
                "open": 1,
                "notification": 0,
                "keepalive": 2,
                "update": 2,
                "refresh": 0,
                "total": 5,
            },
        ),
    )
    assert (absent.peer, absent.is_up, absent.fsm) == (OTHER, False, "IDLE")
    assert (absent.hold_time, absent.router_id, absent.families) == (0, "", frozenset())


def test_a_session_is_up_from_its_first_second_on() -> None:
    """ExaBGP writes "state": "down" until the session is a whole second old."""
    (line,) = (line for line in CAPTURED if line.startswith(b"[{"))
    young = line.replace(b'"state": "up", "duration": 3', b'"state": "down", "duration": 0')
    assert young != line

    table = replies.parse(young)

    assert isinstance(table, replies.NeighborTable)
    assert table.rows[0].is_up
    assert table.rows[0].families == BOTH


def test_a_notification_of_the_router() -> None:
    said = {
        "code": 6,
        "subcode": 2,
        "data": "0x5368",
        "message": 'Shutdown Communication: "planned maintenance"',
    }

    assert happened(message("notification", direction="receive", notification=said)) == (
        events.NotificationReceived(
            peer=TOR,
            code=6,
            subcode=2,
            message='Shutdown Communication: "planned maintenance"',
        )
    )


@pytest.mark.parametrize(
    ("message_of_router", "kept"),
    [
        ("a" * 4000, "a" * (printable.LIMIT - 1) + "…"),
        ("a\x1b[31m" * 1000, ""),
        ("maintenance until noon", "maintenance until noon"),
    ],
)
def test_what_a_notification_says_is_at_most_one_printable_line(
    message_of_router: str, kept: str
) -> None:
    said = {"code": 6, "subcode": 2, "data": "0x", "message": message_of_router}

    event = happened(message("notification", direction="receive", notification=said))

    assert isinstance(event, events.NotificationReceived)
    assert event.message == kept


def test_several_prefixes_in_one_update() -> None:
    nlris = [{"nlri": "203.0.113.0/24"}, {"nlri": "198.51.100.0/25"}]
    update = {"announce": {"ipv4 unicast": {"10.0.3.1": nlris}}}

    event = happened(message("update", direction="send", message={"update": update}))

    assert event == events.UpdateSent(
        peer=TOR,
        announced=frozenset(
            ipaddress.ip_network(text) for text in ("203.0.113.0/24", "198.51.100.0/25")
        ),
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"exabgp 5.0.15",
        b"shutdown in progress",
        b"{",
        b"[1]",
        b"{}",
        b"[[]]",
        b'{"route": 1}',
        b'{"neighbor": 1, "type": "state"}',
        b'{ "exabgp": "5.0.0", "type": "notification", "notification": "shutdown" }',
        message("keepalive"),
        message("fsm", state="ACTIVE"),
        message("update", direction="receive", message={"update": {"withdraw": {}}}),
        message("update", direction="send", message={"eor": {"afi": "ipv4", "safi": "unicast"}}),
        message("update", direction="send", message={"update": {"announce": {"l2vpn evpn": {}}}}),
        message("negotiated", negotiated={"families": [], "hold_time": float("inf")}),
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_says_nothing_of_use_is_noise(line: bytes) -> None:
    assert isinstance(replies.parse(line), replies.Noise)


@pytest.mark.parametrize("end", [b"", b"\r", b" "])
def test_answers_are_words_of_their_own(end: bytes) -> None:
    assert replies.parse(b"done" + end) == replies.Done()
    assert replies.parse(b"error" + end) == replies.Failed()
    assert isinstance(replies.parse(b"done it"), replies.Noise)


@pytest.mark.parametrize(("name", "numbers"), replies.WELL_KNOWN.items())
def test_well_known_communities_are_read_by_their_name(
    name: str, numbers: tuple[int, int]
) -> None:
    row = {
        "peer": {"address": "10.0.1.2"},
        "route": {
            "nlri": {"prefix": "10.96.0.0/16", "nexthop": "10.0.1.1"},
            "attributes": {"community": [name]},
        },
    }

    reply = replies.parse(json.dumps(row).encode())

    assert isinstance(reply, replies.RibRow)
    assert reply.route.attributes.communities == (numbers,)


words = st.sampled_from(
    sorted(
        {
            word
            for line in CAPTURED
            for word in line.decode().replace('"', " ").replace(",", " ").split()
        }
    )
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@hypothesis.given(st.binary(max_size=200))
def test_bytes_never_raise(line: bytes) -> None:
    replies.parse(line)


@hypothesis.given(values)
def test_json_never_raises(value: object) -> None:
    replies.parse(json.dumps(value).encode())


@hypothesis.given(st.data())
def test_a_captured_line_with_a_part_replaced_never_raises(data: st.DataObject) -> None:
    line = data.draw(st.sampled_from([line for line in CAPTURED if line[:1] in b"{["]))
    value = json.loads(line)
    spot: Any = value
    while True:
        key = data.draw(
            st.sampled_from(list(spot) if isinstance(spot, dict) else [*range(len(spot))])
        )
        if isinstance(spot[key], dict | list) and spot[key] and data.draw(st.booleans()):
            spot = spot[key]
            continue
        spot[key] = data.draw(values)
        break

    replies.parse(json.dumps(value).encode())
