"""The BGPSpeaker object: its moments stand still, its size has a limit, its text is text."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from exabgp_k8s.core.facts import bfd, events, model
from exabgp_k8s.core.report import speaker
from exabgp_k8s.wire import bgpspeaker, speaker_fields
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B, after

AT = 1_700_000_000.25
NOW = START + 10
WORLD = builders.a_serving_world()


def shaped(
    world: Any = WORLD, before: bgpspeaker.Row | None = None, *, later: float = 0, clock: float = 0
) -> dict[str, Any]:
    """Return the status of a world, some time later, by a clock that is some seconds off."""
    rows = speaker.status(builders.turn(world, NOW + later), NOW + later)
    at = AT + later + clock
    return bgpspeaker.status(rows, before or {}, at, version="1", digest="0123456789abcdef01")


def long_rows(
    peers: int = 8, prefixes: int = 8, *, name: int = 20, letter: str = "ж"
) -> dict[str, Any]:
    """Return the rows of a node on which all is wrong, at length."""
    names = [f"{number:02}-{'n' * (name - 3)}" for number in range(peers)]
    rows: dict[str, Any] = copy.deepcopy(dict(speaker.status(builders.turn(WORLD, NOW), NOW)))
    (session, _), prefix = rows["sessions"], rows["prefixes"][0]
    rows["sessions"] = [
        {**session, "peer": each, "address": "2001:db8:1234:5678:9abc:def0:1234:5678",
         "local_address": "2001:db8:1234:5678:9abc:def0:1234:9999", "last_error": letter * 500}
        for each in names
    ]  # fmt: skip
    reasons = [
        {"reason": f"password-missing:{each}", "peers": [each], "seconds": 5} for each in names
    ]
    reasons.append({"reason": "unhealthy:" + letter * 300, "peers": None, "seconds": 7})
    rows["prefixes"] = [
        {**prefix, "prefix": f"2001:db8:{number:x}::/112", "reasons": reasons}
        for number in range(prefixes)
    ]
    rows["settings"] = {"stale": True, "problems": [letter * 600] * 20}
    for each in rows["conditions"]:
        each["message"] = letter * 5000
    return rows


def test_ages_become_moments() -> None:
    found = shaped()

    assert found["sessions"][0]["since"] == "2023-11-14T22:13:10Z"
    assert found["conditions"][0]["lastTransitionTime"] == "2023-11-14T22:13:20Z"
    assert found["prefixes"][0]["sentTo"] == ["tor-a", "tor-b"]
    assert found["settings"]["digest"] == "0123456789abcdef"


@pytest.mark.parametrize("clock", [0, 2, -2])
def test_nothing_changes_while_nothing_happens(clock: float) -> None:
    """The two clocks part by a second now and then, and the core does not know every beginning."""
    world = after(WORLD, builders.down(TOR_B))
    first = shaped(world)

    assert shaped(world, first, later=3600, clock=clock) == first


def test_a_clock_that_was_put_right_moves_the_moments() -> None:
    first = shaped()

    assert (
        shaped(before=first, later=5, clock=600)["sessions"][0]["since"]
        > first["sessions"][0]["since"]
    )


def test_what_is_another_way_has_another_since_when() -> None:
    first = shaped()
    cordoned = builders.obeyed(
        after(WORLD, events.NodeSeen(node=builders.a_node(is_unschedulable=True)))
    )
    found = shaped(cordoned, first, later=100)

    assert found["summary"]["reason"] == "cordoned"
    assert found["summary"]["since"] == "2023-11-14T22:13:10Z"
    assert found["prefixes"][0]["since"] == "2023-11-14T22:15:00Z"
    (announcing, sessions, _) = found["conditions"]
    assert announcing["lastTransitionTime"] == "2023-11-14T22:15:00Z"
    assert sessions["lastTransitionTime"] == first["conditions"][1]["lastTransitionTime"]


def test_the_words_of_a_router_that_does_not_answer_are_one() -> None:
    """Otherwise every attempt at it would be a write."""
    first = shaped(after(WORLD, builders.down(TOR_B)))
    other = copy.deepcopy(first)
    other["sessions"][1]["state"] = "Connect"
    other["sessions"][1]["lastErrorTime"] = "2030-01-01T00:00:00Z"
    assert first["sessions"][1]["state"] != "Connect"

    assert bgpspeaker.is_same(first, other)
    other["sessions"][1]["state"] = "Established"
    assert not bgpspeaker.is_same(first, other)


def test_another_error_can_wait_and_counts_in_the_end() -> None:
    first = shaped(after(WORLD, builders.down(TOR_B)))
    other = copy.deepcopy(first)
    other["sessions"][1]["lastError"] = "no answer"

    assert bgpspeaker.is_same(first, other)
    assert not bgpspeaker.is_same(first, other, with_minor=True)


def test_that_it_was_published_is_no_change() -> None:
    first = shaped()

    assert bgpspeaker.is_same(first, {**first, "lastContact": "x"}, with_minor=True)


def test_the_text_of_a_stranger_is_one_printable_line() -> None:
    evil = "\x1b[31mred\n<script>alert(1)</script>\u202e" + "x" * 1000
    world = after(WORLD, builders.down(TOR_B, problem=f"notification received ({evil})"))

    found = shaped(world)["sessions"][1]["lastError"]

    assert found.isprintable()
    assert len(found) <= speaker_fields.LONGEST_TEXT


@pytest.mark.parametrize(
    ("peers", "prefixes", "name"),
    [(8, 8, 8), (8, 8, 20), (8, 8, 63), (2, 8, 63), (8, 2, 63), (1, 1, 63)],
)
def test_eight_peers_and_eight_prefixes_are_at_most_8_kib(
    peers: int, prefixes: int, name: int
) -> None:
    rows = long_rows(peers, prefixes, name=name)

    found = bgpspeaker.status(rows, {}, AT, version="1", digest="0" * 64)

    assert bgpspeaker.size(found) <= bgpspeaker.FEWEST * bgpspeaker.EACH
    left_out = peers + prefixes - len(found["sessions"]) - len(found["prefixes"])
    assert found.get("omitted", 0) == left_out


def test_eight_peers_without_a_password_on_eight_prefixes_have_room() -> None:
    found = bgpspeaker.status(long_rows(name=8, letter="x"), {}, AT, version="1", digest="")

    assert "omitted" not in found
    assert len(found["sessions"]) == len(found["prefixes"]) == 8
    assert found["prefixes"][7]["reasons"][-1] == {
        "reason": "password-missing",
        "peers": [each["peer"] for each in found["sessions"]],
        "since": "2023-11-14T22:13:15Z",
    }


@pytest.mark.parametrize(("peers", "prefixes"), [(100, 2), (2, 100), (500, 500)])
def test_what_has_no_room_is_counted(peers: int, prefixes: int) -> None:
    found = bgpspeaker.status(long_rows(peers, prefixes), {}, AT, version="1", digest="")

    assert len(found["sessions"]) <= speaker_fields.MOST
    assert len(found["prefixes"]) <= speaker_fields.MOST
    shown = len(found["sessions"]) + len(found["prefixes"])
    assert found["omitted"] == peers + prefixes - shown
    assert bgpspeaker.size(found) <= speaker_fields.MOST * bgpspeaker.EACH


def test_the_object_belongs_to_its_node() -> None:
    made = bgpspeaker.new(model.NodeFacts(name="n1", uid="5b0f"))

    assert made["metadata"]["name"] == "n1"
    assert made["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "5b0f"}
    ]
    assert "status" not in made


def test_every_field_is_one_that_a_row_has() -> None:
    """A field that no row fills would be a promise that the object never keeps."""
    rows = speaker.status(builders.turn(WORLD, NOW), NOW)
    session, prefix, condition = rows["sessions"][0], rows["prefixes"][0], rows["conditions"][0]
    known = {
        "": {*rows, "version", "lastContact", "omitted"},
        "sessions[]": set(session),
        "prefixes[]": set(prefix),
        "conditions[]": {*condition, "seconds"},
        "settings": {*rows["settings"], "digest"},
    }
    for path, field in speaker_fields.walk(speaker_fields.STATUS):
        parent = path.rpartition(".")[0]
        if parent in known:
            assert field.source in known[parent], path


def test_a_session_has_its_bfd_where_it_is_asked_for() -> None:
    peers = (builders.a_peer(bfd=bfd.Timing()), builders.a_peer("tor-b", TOR_B))
    world = builders.a_serving_world(settings=builders.a_config(peers=peers))
    down = bfd.Session(address=TOR_A, state=bfd.State.DOWN, since=NOW - 5, diagnostic=1, downs=1)

    first, second = shaped(after(world, bfd.Seen(sessions={TOR_A: down})))["sessions"]

    assert first["bfd"] == {
        "state": "Down",
        "since": "2023-11-14T22:13:15Z",
        "problem": "bfd-down: nothing heard in the detection time",
    }
    assert "bfd" not in second
