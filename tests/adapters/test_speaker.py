"""The pipe from ExaBGP: what was written, what was read, and what was passed on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from exabgp_k8s.adapters import speaker


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    source, sink = os.pipe()
    yield source, sink
    os.close(source)


def test_a_pipe_is_read_once_everything_in_it_was_passed_on(pipe: tuple[int, int]) -> None:
    source, sink = pipe
    pipes = speaker.Speaker(source, sink)
    assert pipes.is_read()
    os.write(sink, b"done\n")
    assert not pipes.is_read()

    passed, ended = threading.Event(), threading.Event()
    pipes.start(lambda _: passed.set(), ended.set)
    assert passed.wait(60)
    assert pipes.is_read()

    os.close(sink)
    assert ended.wait(60)


def test_what_is_being_passed_on_is_not_read_yet(pipe: tuple[int, int]) -> None:
    """Otherwise an answer could be in nobody's hands for a moment, and count as late."""
    source, sink = pipe
    pipes = speaker.Speaker(source, sink)
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def received(_: bytes) -> None:
        begun.set()
        go_on.wait(60)

    pipes.start(received, ended.set)
    os.write(sink, b"done\n")
    assert begun.wait(60)
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(pipes.is_read()))
    asking.start()
    assert not answers

    go_on.set()
    asking.join(60)
    assert answers == [True]
    os.close(sink)
    assert ended.wait(60)
