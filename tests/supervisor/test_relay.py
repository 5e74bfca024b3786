"""The relay of log lines, with real pipes and a reader that stops reading."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest

from exabgp_k8s.relay import KEPT_SIZE, WRITE_SIZE, Relay


class Reader:
    """A log reader that reads when it is told to."""

    def __init__(self) -> None:
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)
        self.relay = Relay(self.sink)

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
    lines = [b"%07d\n" % number for number in range(100_000)]
    for start in range(0, len(lines), 400):
        reader.log(b"".join(lines[start : start + 400]))

    *kept, told = reader.read().splitlines(keepends=True)

    assert kept == lines[: len(kept)]
    assert len(kept) * 8 > KEPT_SIZE
    missing = len(lines) - len(kept)
    assert told == b'{"event": "log.dropped", "lines": %d, "level": "warning"}\n' % missing
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
