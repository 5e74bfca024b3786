"""One question at a time, and what breaks the conversation."""

from __future__ import annotations

import ipaddress
import itertools
import json

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import commands, events
from exabgp_k8s.errors import DialogueError
from exabgp_k8s.wire import commands as encoding
from exabgp_k8s.wire.dialogue import ANSWER_LIMIT, LINE_LIMIT, Dialogue
from tests.wire.test_replies import CAPTURED

FLUSH = commands.Flush(peer=ipaddress.ip_address("192.0.2.1"))
ANSWERED = [line for line in CAPTURED if line[:2] != b">>"]

ROW = json.dumps(
    {
        "peer": {"address": "192.0.2.1"},
        "route": {
            "nlri": {"prefix": "10.96.0.0/16", "nexthop": "192.0.2.11"},
            "attributes": {},
        },
    }
).encode()
UP = json.dumps(
    {
        "type": "state",
        "neighbor": {"address": {"local": "192.0.2.11", "peer": "192.0.2.1"}, "state": "up"},
    }
).encode()
CAME_UP = events.SessionChanged(
    peer=ipaddress.ip_address("192.0.2.1"),
    state="up",
    local=ipaddress.ip_address("192.0.2.11"),
)


def asked(command: commands.Command = FLUSH, now: float = 0) -> Dialogue:
    dialogue = Dialogue()
    assert dialogue.send(command, now) == encoding.encode(command)
    return dialogue


def test_done_answers_the_command_under_way() -> None:
    dialogue = asked()
    assert not dialogue.is_idle

    assert dialogue.receive(b"done\n") == (events.CommandDone(command=FLUSH),)
    assert dialogue.is_idle


def test_error_answers_it_too() -> None:
    dialogue = asked()

    assert dialogue.receive(b"error\n") == (events.CommandFailed(command=FLUSH, problem="error"),)
    assert dialogue.is_idle


def test_events_may_come_before_during_and_after() -> None:
    dialogue = Dialogue()

    found = dialogue.receive(UP + b"\n")
    dialogue.send(FLUSH, 0)
    found += dialogue.receive(UP + b"\ndone\n" + UP + b"\n")

    assert found == (CAME_UP, CAME_UP, events.CommandDone(command=FLUSH), CAME_UP)


def test_rows_belong_to_the_question_though_events_stand_between() -> None:
    dialogue = asked(commands.ShowRib())

    found = dialogue.receive(b"\n".join((ROW, UP, ROW, b"done", b"")))

    assert found[0] == CAME_UP
    assert isinstance(found[1], events.RibRead)
    assert len(found[1].routes) == 2


def test_the_rows_of_one_question_are_not_those_of_the_next() -> None:
    dialogue = asked(commands.ShowRib())
    dialogue.receive(ROW + b"\ndone\n")
    dialogue.send(commands.ShowRib(), 1)

    assert dialogue.receive(b"done\n") == (events.RibRead(routes=()),)


def test_a_table_of_no_neighbors_is_a_table() -> None:
    dialogue = asked(commands.ShowNeighbors())

    assert dialogue.receive(b"[]\ndone\n") == (events.NeighborsRead(rows=()),)


def test_noise_is_passed_over() -> None:
    assert asked().receive(b"exabgp 5.0.15\n\n{\n") == ()


def test_the_answer_has_a_deadline() -> None:
    dialogue = asked(now=100)

    assert dialogue.deadline == 100 + ANSWER_LIMIT
    assert not dialogue.is_late(100 + ANSWER_LIMIT - 0.1)
    assert dialogue.is_late(100 + ANSWER_LIMIT)
    with pytest.raises(DialogueError, match="no answer to Flush"):
        dialogue.give_up()


def test_silence_is_fine_while_nothing_was_asked() -> None:
    dialogue = asked()
    dialogue.receive(b"done\n")

    assert dialogue.deadline is None
    assert not dialogue.is_late(1e9)


def test_a_second_question_before_the_answer_is_a_mistake_of_ours() -> None:
    with pytest.raises(DialogueError, match="before the answer"):
        asked().send(FLUSH, 0)


@pytest.mark.parametrize("answer", [b"done\n", b"error\n"])
def test_an_answer_to_no_question_breaks_the_dialogue(answer: bytes) -> None:
    with pytest.raises(DialogueError, match="nobody asked"):
        Dialogue().receive(answer)


@pytest.mark.parametrize("query", [commands.ShowRib(), commands.ShowNeighbors()])
def test_a_refused_query_breaks_the_dialogue(query: commands.Command) -> None:
    with pytest.raises(DialogueError, match="refused"):
        asked(query).receive(b"error\n")


def test_a_table_that_cannot_be_read_breaks_the_dialogue() -> None:
    with pytest.raises(DialogueError, match="table of neighbors"):
        asked(commands.ShowNeighbors()).receive(b'[{"state": "up"}]\ndone\n')


def test_an_endless_line_breaks_the_dialogue() -> None:
    with pytest.raises(DialogueError, match="more than"):
        Dialogue().receive(b"x" * (LINE_LIMIT + 1))


def talk(chunks: list[bytes]) -> list[events.Event]:
    """Return the events of the answer to one question, however it arrives."""
    dialogue = asked()
    return [event for chunk in chunks for event in dialogue.receive(chunk)]


ANSWER = st.sampled_from(
    [UP, ROW, b"", b"noise", *(line for line in ANSWERED if line not in {b"done", b"error"})]
)


@hypothesis.given(
    lines=st.lists(ANSWER, max_size=8),
    last=st.sampled_from([b"done", b"error"]),
    cuts=st.lists(st.integers(min_value=0, max_value=4000), max_size=12),
)
def test_the_events_are_the_same_however_the_bytes_are_cut(
    lines: list[bytes], last: bytes, cuts: list[int]
) -> None:
    data = b"\n".join((*lines, last, UP, b""))
    edges = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]

    assert talk(pieces) == talk([data])
    assert talk([bytes([byte]) for byte in data]) == talk([data])


def test_the_captured_life_gives_its_routes() -> None:
    """The whole capture as a talk: ten questions, each answered in its turn."""
    asked_at = [index for index, line in enumerate(CAPTURED) if line[:2] == b">>"]
    dialogue, found = Dialogue(), list[events.Event]()
    for index, line in enumerate(CAPTURED):
        if index in asked_at:
            dialogue.send(_question(line[3:].decode()), 0)
        else:
            found.extend(dialogue.receive(line + b"\n"))

    (first, last) = (event for event in found if isinstance(event, events.RibRead))
    assert [str(route.prefix) for route in first.routes] == [
        "10.96.0.0/16",
        "fd00:96::/112",
        "10.96.0.0/16",
    ]
    assert str(last.routes[0].prefix) == "10.97.0.0/16"
    assert sum(isinstance(event, events.CommandFailed) for event in found) == 1
    assert dialogue.is_idle


def _question(text: str) -> commands.Command:
    if text == "show adj-rib out json":
        return commands.ShowRib()
    return commands.ShowNeighbors() if text == "show neighbor json" else FLUSH
