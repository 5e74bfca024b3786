"""The relay of log lines, with real pipes and a reader that stops reading."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Iterator

import pytest

from exabgp_k8s.logs import lines
from exabgp_k8s.supervisor.relay import KEPT_SIZE, WRITE_SIZE, Relay


class Reader:
    """A log reader that reads when it is told to."""

    def __init__(self, form: str = lines.TEXT) -> None:
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)
        self.relay = Relay(self.sink, form)

    def log(self, text: bytes) -> None:
        """Write as ExaBGP does, and let the relay turn once."""
        os.write(self.relay.inlet, text)
        self.turn()

    def turn(self) -> None:
        """Let the relay do what it can."""
        self.relay.read()
        self.relay.write()

    def read(self) -> bytes:
        """Read until there is nothing left."""
        found = b""
        while True:
            try:
                found += os.read(self.source, 1 << 20)
            except BlockingIOError:
                if not self.relay.is_waiting:
                    return found
            self.turn()

    def close(self) -> None:
        """Close every pipe."""
        for descriptor in (self.source, self.sink, self.relay.source, self.relay.inlet):
            os.close(descriptor)


@pytest.fixture
def collector() -> Iterator[Reader]:
    """A reader that wants JSON."""
    found = Reader(lines.JSON)
    yield found
    found.close()


def fill(sink: int) -> None:
    """Write into a pipe that does not wait until it is full."""
    while True:
        os.write(sink, b"." * 4096)


@pytest.fixture
def reader() -> Iterator[Reader]:
    """A reader and its relay."""
    found = Reader()
    yield found
    found.close()


def test_what_is_logged_is_read(reader: Reader) -> None:
    reader.log(b"one\ntwo\n")

    assert reader.read() == b"one\ntwo\n"


def test_only_whole_lines_are_passed_on(reader: Reader) -> None:
    reader.log(b"beg")
    assert reader.read() == b""

    reader.log(b"un\n")
    assert reader.read() == b"begun\n"


def test_a_line_without_an_end_is_passed_on_in_the_end(reader: Reader) -> None:
    for _ in range(20):
        reader.log(b"x" * 4000)

    assert reader.read() == b"x" * 68000 + b"\n"


def test_a_long_line_arrives_whole(reader: Reader) -> None:
    long = b"x" * (3 * WRITE_SIZE) + b"\n"
    reader.log(b"before\n" + long + b"after\n")

    assert reader.read() == b"before\n" + long + b"after\n"


def test_a_reader_that_hangs_makes_nobody_wait_and_learns_what_it_missed(reader: Reader) -> None:
    written = [b"%07d\n" % number for number in range(100_000)]
    for start in range(0, len(written), 400):
        reader.log(b"".join(written[start : start + 400]))

    *kept, told = reader.read().splitlines(keepends=True)

    assert kept == written[: len(kept)]
    assert len(kept) * 8 > KEPT_SIZE
    assert told.endswith(b"log.dropped              lines=%d\n" % (len(written) - len(kept)))
    reader.log(b"again\n")
    assert reader.read() == b"again\n"


def test_memory_is_bounded_whatever_is_written(reader: Reader) -> None:
    for _ in range(300):
        reader.log(b"\n" * 4096)

    assert len(reader.relay._kept) <= KEPT_SIZE


def test_a_supervisor_that_hangs_makes_nobody_wait(reader: Reader) -> None:
    with pytest.raises(BlockingIOError):
        fill(reader.relay.inlet)


def test_a_reader_that_is_gone_costs_nothing() -> None:
    source, sink = os.pipe()
    os.close(source)
    relay = Relay(sink)

    relay.put(b"line\n" * 3000)
    relay.write()

    assert not relay.is_waiting
    for descriptor in (sink, relay.source, relay.inlet):
        os.close(descriptor)


def test_a_full_pipe_is_not_written_to(reader: Reader) -> None:
    os.set_blocking(reader.sink, False)
    with pytest.raises(BlockingIOError):
        fill(reader.sink)
    os.set_blocking(reader.sink, True)

    # It would wait here for ever.
    reader.log(b"line\n")

    assert reader.relay.is_waiting
    assert select.select([], [reader.sink], [], 0)[1] == []


TRACEBACK = b"""Traceback (most recent call last):
  File "x.py", line 1, in <module>
    fail()

ValueError: no
"""


def test_a_line_of_ours_is_passed_on_as_it_is(collector: Reader) -> None:
    collector.log(b'{"event": "a.b"}\n')

    assert collector.read() == b'{"event": "a.b"}\n'


def test_what_somebody_else_wrote_becomes_json(collector: Reader) -> None:
    collector.log(b'x.py:1: Warning: "\x1b[31m" \xff\n\n')

    (line,) = collector.read().splitlines()
    assert b"\x1b" not in line
    found = json.loads(line)
    assert found["text"] == 'x.py:1: Warning: "\x1b[31m" \ufffd'
    assert (found["event"], found["level"]) == ("output.text", "warning")


def test_a_traceback_is_one_line(collector: Reader) -> None:
    for line in TRACEBACK.splitlines(keepends=True):
        collector.log(line)
    collector.log(b'{"event": "a.b"}\n')

    trace, after = (json.loads(line) for line in collector.read().splitlines())
    assert trace["text"] == TRACEBACK.decode().rstrip()
    assert (trace["event"], trace["level"]) == ("output.traceback", "error")
    assert after == {"event": "a.b"}


def test_a_traceback_that_is_cut_off_is_told_as_far_as_it_came(collector: Reader) -> None:
    begun = b"".join(TRACEBACK.splitlines(keepends=True)[:2])
    collector.log(begun + b'{"event": "a.b"}\n' + begun)
    collector.relay.finish()

    events = [json.loads(line)["event"] for line in collector.read().splitlines()]
    assert events == ["output.traceback", "a.b", "output.traceback"]


def test_a_traceback_without_an_end_is_bounded(collector: Reader) -> None:
    collector.log(TRACEBACK.splitlines(keepends=True)[0] + b"  x\n" * 1000)

    assert len(collector.read().splitlines()) >= 1
    assert len(collector.relay._trace) < 1000


def test_what_is_held_is_passed_on_when_it_is_released(reader: Reader) -> None:
    held = Relay(reader.sink, is_held=True)
    held.put(b"{}\n")
    held.write()
    assert not held.is_waiting

    held.release()
    held.write()

    assert reader.read() == b"{}\n"
