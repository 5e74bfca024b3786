"""A checker that fails says nothing of the settings: real processes that do not do their work."""

from __future__ import annotations

import asyncio
import pathlib
import subprocess
import sys

import pytest
import structlog
import yaml

from exabgp_k8s.adapters import checker, files, kept
from exabgp_k8s.core.facts import events
from tests.settings import samples
from tests.support import descriptors

PATIENCE = 60
TEXT = yaml.safe_dump(samples.SMALLEST)


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


HANGS = program("import time; time.sleep(600)")
KILLED = program("import os; os.kill(os.getpid(), 9)")
SHORT_OF_MEMORY = program("raise MemoryError")
SAYS_NOTHING = program("pass")
SAYS_SOMETHING_ELSE = program("print('{}')")
SAYS_HALF_OF_IT = program("print('{\"digest\": ')")
REFUSES_WITHOUT_A_REASON = program(f"import sys; sys.exit({checker.REFUSED})")
ABSENT = ("/absent/python",)


def test_good_settings_are_what_they_are_in_this_process() -> None:
    assert checker.check(samples.SAMPLE, "x") == samples.parse(yaml.safe_load(samples.SAMPLE))


def test_a_refusal_has_every_mistake_word_for_word() -> None:
    document = samples.changed(("bgp", "asn"), 0)
    document["peers"][0]["holdTime"] = "1s"
    text = yaml.safe_dump(document, sort_keys=False)

    with pytest.raises(checker.Refused) as found:
        checker.check(text, "x")

    told = [problem.partition(": ")[2] for problem in found.value.problems]
    assert told == samples.problems(text)
    assert len(told) == 2


@pytest.mark.parametrize(
    "command",
    [
        HANGS,
        KILLED,
        SHORT_OF_MEMORY,
        SAYS_NOTHING,
        SAYS_SOMETHING_ELSE,
        SAYS_HALF_OF_IT,
        REFUSES_WITHOUT_A_REASON,
        ABSENT,
    ],
)
def test_a_checker_that_fails_has_found_nothing_out(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(checker, "COMMAND", command)
    if command is HANGS:
        monkeypatch.setattr(checker, "LIMIT", 1.0)

    with pytest.raises(checker.Unchecked):
        checker.check(TEXT, "x")


def test_an_answer_to_another_text_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    other = subprocess.run(
        [*checker.COMMAND, "x"], input=samples.SAMPLE.encode(), capture_output=True, check=True
    )
    echo = program(f"import sys; sys.stdout.write({other.stdout.decode()!r})")
    monkeypatch.setattr(checker, "COMMAND", echo)

    with pytest.raises(checker.Unchecked, match="without a usable answer"):
        checker.check(TEXT, "x")


def test_a_document_without_end_for_memory_ends_only_the_checker() -> None:
    """The limit is the checker's own: more than it may have is refused to it."""
    greedy = (
        "import runpy, sys; from exabgp_k8s.settings import load;"
        "load.parse = lambda *_: bytearray(2**30); sys.argv = ['checker', 'x'];"
        "runpy.run_module('exabgp_k8s.settings', run_name='__main__')"
    )
    ended = subprocess.run(program(greedy), input=TEXT.encode(), capture_output=True, check=False)

    assert ended.returncode not in (0, checker.REFUSED)
    assert b"MemoryError" in ended.stderr


def test_an_error_of_ours_in_checking_is_a_refusal_that_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same text would meet the same error: it is not asked about again."""
    broken = (
        "import runpy, sys; from exabgp_k8s.settings import load;"
        "load.parse = lambda *_: [][1]; sys.argv = ['checker', 'x'];"
        "runpy.run_module('exabgp_k8s.settings', run_name='__main__')"
    )
    monkeypatch.setattr(checker, "COMMAND", program(broken))

    with structlog.testing.capture_logs() as lines, pytest.raises(checker.Refused) as found:
        checker.check(TEXT, "x")

    (problem,) = found.value.problems
    assert problem.startswith("the settings could not be read: IndexError(")
    assert "Traceback" in lines[0]["trace"]


class Edited:
    """An agent's settings in force, and an edit of them."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._path = folder / "settings.yaml"
        self._path.write_text(TEXT)
        kept.keep(folder, TEXT, samples.parse(samples.SMALLEST))
        self.files = files.Files(self._path, folder / "passwords", folder)
        self.files.first()
        self._path.write_text(yaml.safe_dump(samples.changed(("bgp", "asn"), 64999)))


@pytest.fixture(name="edited")
def _edited(tmp_path: pathlib.Path) -> Edited:
    return Edited(tmp_path)


@pytest.mark.parametrize("command", [KILLED, SHORT_OF_MEMORY, ABSENT])
def test_an_edit_that_could_not_be_checked_is_tried_again(
    edited: Edited, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    works = checker.COMMAND
    found: list[events.Event] = []

    async def run() -> None:
        is_loaded = asyncio.Event()

        def deliver(event: events.Event) -> None:
            found.append(event)
            monkeypatch.setattr(checker, "COMMAND", works)
            if isinstance(event, events.ConfigLoaded):
                is_loaded.set()

        following = asyncio.create_task(edited.files.follow(deliver))
        await asyncio.wait_for(is_loaded.wait(), PATIENCE)
        following.cancel()

    monkeypatch.setattr(checker, "COMMAND", command)
    asyncio.run(run())

    first, *_, last = found
    assert isinstance(first, events.ConfigRefused)
    assert first.problems[0].endswith("what is in force stays, and it is tried again")
    assert isinstance(last, events.ConfigLoaded)
    assert last.config.asn == 64999


def test_settings_that_cannot_be_opened_for_want_of_descriptors_are_not_refused_for_good(
    edited: Edited,
) -> None:
    with descriptors.used_up():
        (found,) = edited.files.read()

    assert isinstance(found, events.ConfigRefused)
    assert "too many open files" in found.problems[0]
    assert "tried again" in found.problems[0]
