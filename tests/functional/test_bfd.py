"""The engine of BFD: a real BIRD that is told what to do, refuses, is away and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exabgp_k8s.adapters import bird
from exabgp_k8s.agent.bfd import Beside
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.core.facts import bfd
from exabgp_k8s.wire import bird_conf
from tests.core.test_bfd import NOW, serving
from tests.support import builders, terminals
from tests.support.lab import until
from tests.wire.test_bird_conf import ALL_KINDS, wanted

pytestmark = pytest.mark.functional

FIRST = ALL_KINDS[:1]


def bird_says(path: Path) -> str:
    """Return what ``bird -p`` has against a configuration; nothing: it takes it."""
    command = ["bird", "-p", "-c", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return found.stderr or found.stdout if found.returncode else ""


@pytest.mark.parametrize("number", range(len(ALL_KINDS) + 1))
def test_bird_takes_every_kind_of_session_and_none(tmp_path: Path, number: int) -> None:
    path = tmp_path / "bird.conf"
    path.write_text(bird_conf.render(ALL_KINDS[:number]))

    assert bird_says(path) == ""


def configure(directory: Path, *wanted: bfd.Wanted) -> str:
    """Configure an engine, and return what it has against it."""

    async def tell() -> str:
        engine = bird.Engine(directory)
        try:
            return await engine.configure(wanted)
        finally:
            await engine.close()

    return asyncio.run(tell())


def problem(directory: Path) -> str:
    """Return what a look at the engine complains of."""

    async def look() -> str:
        engine = bird.Engine(directory)
        found = await engine.look(time.time)
        await engine.close()
        return found.problem

    return asyncio.run(look())


@contextlib.contextmanager
def running(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the engine as its manifest does."""
    configuration, control = directory / bird.CONFIGURATION, directory / bird.CONTROL
    if not configuration.exists():
        configuration.write_text("router id 0.0.0.1; protocol device { }\n")
    command = ["bird", "-f", "-c", str(configuration), "-s", str(control)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: bool(terminals.ask_bird(control, "show status")), "BIRD answers")
        yield process
    finally:
        process.kill()
        process.wait(120)


def neighbors(directory: Path) -> str:
    return terminals.ask_bird(directory / bird.CONTROL, "show bfd sessions")


def test_what_was_configured_runs_and_is_what_the_next_process_finds(tmp_path: Path) -> None:
    with running(tmp_path):
        assert configure(tmp_path, *FIRST) == ""

        assert "bfd1" in neighbors(tmp_path)
    assert bird.Engine(tmp_path).standing() == FIRST


def test_a_configuration_that_bird_refuses_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path):
        configure(tmp_path, *FIRST)
        monkeypatch.setattr(bird_conf, "HEAD", bird_conf.HEAD + "nonsense;\n")

        refused = configure(tmp_path, *ALL_KINDS)

        assert "refuses" in refused
        assert "syntax error" in refused
        assert "bfd1" in neighbors(tmp_path)
    assert bird.Engine(tmp_path).standing() == FIRST
    assert {each.name for each in tmp_path.iterdir()} <= {bird.CONFIGURATION, bird.CONTROL}


def test_an_engine_that_is_away_begins_with_what_it_was_told(tmp_path: Path) -> None:
    assert configure(tmp_path, *FIRST) == ""

    with running(tmp_path):
        assert "bfd1" in neighbors(tmp_path)


def test_an_engine_is_heard_again_when_it_is_back(tmp_path: Path) -> None:
    async def look_thrice() -> list[bool]:
        engine = bird.Engine(tmp_path)
        heard = [(await engine.look(time.time)).is_heard]
        with running(tmp_path):
            heard.append((await engine.look(time.time)).is_heard)
        heard.append((await engine.look(time.time)).is_heard)
        await engine.close()
        return heard

    assert asyncio.run(look_thrice()) == [False, True, False]


def test_another_user_may_read_the_configuration(tmp_path: Path) -> None:
    configure(tmp_path, *FIRST)

    assert (tmp_path / bird.CONFIGURATION).stat().st_mode & 0o777 == 0o644


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "bird.new").symlink_to(other)

    configure(tmp_path, *FIRST)
    (tmp_path / bird.CONFIGURATION).unlink()
    (tmp_path / bird.CONFIGURATION).symlink_to(other)

    assert other.read_text() == "mine"
    assert bird.Engine(tmp_path).standing() == ()


@contextlib.contextmanager
def saying(directory: Path, words: bytes) -> Iterator[None]:
    """Have something else than BIRD at the socket, which says this to who comes."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / bird.CONTROL))
        server.listen()

        def talk() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as link:
                link.sendall(words)
                link.recv(1)

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield
        thread.join(120)


def test_an_engine_that_does_not_answer_keeps_nobody_waiting_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bird, "PATIENCE", 0.2)

    with saying(tmp_path, b""):
        assert "takes too long" in problem(tmp_path)


def test_an_answer_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    with saying(tmp_path, b"0001 ready\n" + b" more and more\n" * bird.LARGEST):
        assert "too long" in problem(tmp_path)


@contextlib.contextmanager
def answering(directory: Path, rows: Callable[[], str]) -> Iterator[None]:
    """Have a slow or changing BIRD at the socket, which lists these sessions when it is asked."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / bird.CONTROL))
        server.listen()

        def talk() -> None:
            with (
                contextlib.suppress(OSError),
                server.accept()[0] as link,
                link.makefile() as asked,
            ):
                link.sendall(b"0001 BIRD ready.\n")
                for command in asked:
                    said = rows() if command == "show bfd sessions\n" else ""
                    link.sendall(f"{said}0003 done\n".encode())

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield
        thread.join(120)


def a_row(since: float, state: str = "Up") -> str:
    return f" {FIRST[0].address}  eth0  {state}  {since:.3f}  0.300  0.900\n"


def looked(directory: Path, times: int, *wanted: bfd.Wanted) -> list[bfd.Session]:
    """Return the one session that there is, at each of several looks."""

    async def look() -> list[bfd.Session]:
        engine = bird.Engine(directory)
        found = [await engine.look(time.time, wanted) for _ in range(times)]
        await engine.close()
        return [session for each in found for session in each.sessions.values()]

    return asyncio.run(look())


def test_a_slow_answer_is_no_loss_of_a_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bird, "PATIENCE", 60.0)
    began, delays = time.time() - 60, iter([0, 2 * bird.SAME, 0])

    def rows() -> str:
        time.sleep(next(delays))
        return a_row(began)

    with answering(tmp_path, rows):
        found = looked(tmp_path, 3)

    assert [each.downs for each in found] == [0, 0, 0]
    assert len({each.since for each in found}) == 1


def test_a_session_that_came_back_between_two_looks_was_lost(tmp_path: Path) -> None:
    began = time.time() - 60
    listed = iter([a_row(began), a_row(began + 50), a_row(began + 50)])

    with answering(tmp_path, lambda: next(listed)):
        found = looked(tmp_path, 3)

    assert [each.downs for each in found] == [0, 1, 1]


def test_a_session_that_bird_lists_no_more_is_lost_once_and_counted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bird, "SOON", 0.0)
    began = time.time() - 60
    listed = iter([a_row(began), "", "", a_row(began + 50, "Down"), a_row(began + 55)])

    with answering(tmp_path, lambda: next(listed)):
        found = looked(tmp_path, 5, *FIRST)

    assert [(str(each.state), each.is_listed, each.downs) for each in found] == [
        ("Up", True, 0),
        ("Down", False, 1),
        ("Down", False, 1),
        ("Down", True, 1),
        ("Up", True, 1),
    ]
    assert found[1].since == found[2].since


def test_a_session_that_bird_has_on_no_network_is_down_and_not_merely_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A link of this name is on no machine.
    nowhere = wanted("tor", "fe80::1%nolink0", "fe80::2%nolink0")
    configure(tmp_path, nowhere)
    monkeypatch.setattr(bird, "SOON", 0.0)

    with running(tmp_path):
        (found,) = looked(tmp_path, 1, nowhere)

    assert (found.state, found.is_listed) == (bfd.State.DOWN, False)


def test_bird_has_a_moment_to_list_what_it_was_just_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bird, "SOON", 600.0)
    began = time.time() - 60
    listed = iter([a_row(began), "", a_row(began + 50, "Down")])

    with answering(tmp_path, lambda: next(listed)):
        found = looked(tmp_path, 3, *FIRST)

    assert [(str(each.state), each.downs) for each in found] == [("Up", 0), ("Down", 1)]


def test_what_bird_refuses_once_it_is_heard_again_is_a_problem_until_it_takes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could check the file that was written while it was silent."""

    async def write_while_it_is_stopped(process: subprocess.Popen[bytes]) -> list[str]:
        engine, head = bird.Engine(tmp_path), bird_conf.HEAD
        assert await engine.configure(FIRST) == ""
        process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(bird, "PATIENCE", 0.2)
        monkeypatch.setattr(bird_conf, "HEAD", head + "nonsense;\n")
        assert await engine.configure(ALL_KINDS) == ""
        monkeypatch.setattr(bird, "PATIENCE", 60.0)
        process.send_signal(signal.SIGCONT)
        found = [(await engine.look(time.time)).problem for _ in range(2)]
        monkeypatch.setattr(bird_conf, "HEAD", head)
        assert await engine.configure(ALL_KINDS) == ""
        found.append((await engine.look(time.time)).problem)
        await engine.close()
        return found

    with running(tmp_path) as process:
        first, again, mended = asyncio.run(write_while_it_is_stopped(process))

    assert "has not taken its configuration" in first
    assert "syntax error" in first
    assert again == first
    assert mended == ""


def test_an_engine_that_comes_back_without_its_file_is_told_again(tmp_path: Path) -> None:
    """Its pod begins with an empty configuration where there is none."""
    engine = bird.Engine(tmp_path)
    latest = Latest("n1", time.time)

    async def until_configured() -> None:
        await asyncio.to_thread(until, lambda: bool(engine.standing()), "it has its sessions")

    async def live() -> None:
        beside = Beside(engine, latest, lambda _: None)
        beside.note(builders.turn(serving(), NOW))
        task = asyncio.create_task(beside.run())
        with running(tmp_path):
            await until_configured()
        (tmp_path / bird.CONFIGURATION).unlink()
        with running(tmp_path):
            await until_configured()
        task.cancel()
        await engine.close()

    asyncio.run(live())
