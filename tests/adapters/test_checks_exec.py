"""Commands as checks, among them those that one would rather not run."""

from __future__ import annotations

import asyncio
import os
import pathlib
import sys

import psutil
import pytest

from exabgp_k8s.core.facts import config
from tests.adapters import probes


def sh(script: str) -> config.ExecProbe:
    return config.ExecProbe(command=("/bin/sh", "-c", script))


def run(probe: config.ExecProbe, limit: float = probes.PATIENCE) -> tuple[bool, str]:
    return asyncio.run(probes.outcome(probe, limit=limit))


def pid_in(path: pathlib.Path) -> int:
    return int(path.read_text())


def is_gone(pid: int) -> bool:
    """Return whether it ended; a zombie is its new parent's business."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("true", (True, "exited 0")),
        ("echo fine >&2", (True, "exited 0")),
        ("exit 3", (False, "exited 3")),
        ("echo broken >&2; exit 1", (False, "exited 1: broken")),
        (r"printf 'two\nlines\033[1m' >&2; exit 1", (False, "exited 1: two lines [1m")),
        ("kill -9 $$", (False, "killed by SIGKILL")),
        ("kill -36 $$", (False, "killed by signal 36")),
    ],
)
def test_the_exit_code_decides_and_stderr_explains(
    script: str, expected: tuple[bool, str]
) -> None:
    assert run(sh(script)) == expected


@pytest.mark.parametrize("path", ["/no/such/command", "/etc/passwd", "/"])
def test_a_command_that_cannot_be_executed_has_failed(path: str) -> None:
    is_ok, message = run(config.ExecProbe(command=(path,)))
    assert not is_ok
    assert message.startswith(f"cannot run {path}: ")


def test_no_shell_comes_between() -> None:
    script = "import sys; sys.exit(sys.argv[1:] != ['$HOME; *'])"
    assert run(config.ExecProbe(command=(sys.executable, "-c", script, "$HOME; *")))[0]


def test_a_command_that_hangs_and_ignores_sigterm_is_killed_at_its_timeout(
    tmp_path: pathlib.Path,
) -> None:
    script = f"trap '' TERM HUP INT; echo $$ >{tmp_path}/pid; while :; do sleep 9; done"

    async def hang() -> None:
        assert await probes.outcome(sh(script), limit=1) == (False, "no result within 1 s")
        await probes.until(lambda: is_gone(pid_in(tmp_path / "pid")))
        await probes.until(lambda: probes.children() == [])

    asyncio.run(hang())


def test_a_forked_child_that_keeps_stderr_open_neither_delays_nor_survives(
    tmp_path: pathlib.Path,
) -> None:
    script = f"sleep 3600 & echo $! >{tmp_path}/pid; exit 0"

    async def fork() -> None:
        assert await probes.outcome(sh(script)) == (True, "exited 0")
        await probes.until(lambda: is_gone(pid_in(tmp_path / "pid")))

    asyncio.run(fork())


@pytest.mark.parametrize("redirect", ["", ">&2"])
def test_a_command_may_print_50_mb(redirect: str) -> None:
    before = psutil.Process().memory_info().rss
    assert run(sh(f"head -c 50000000 /dev/zero {redirect}; exit 4"), 50)[1].startswith("exited 4")
    assert psutil.Process().memory_info().rss - before < 20_000_000


def test_the_command_gets_null_stdin_and_stdout_and_none_of_our_descriptors() -> None:
    script = (
        "import os, sys;"
        "names = [os.path.realpath(f'/proc/self/fd/{n}') for n in (0, 1)];"
        "others = [os.path.realpath(f'/proc/self/fd/{n}') for n in range(3, 99)];"
        "sys.exit(f'{names} {others.count(\"/dev/zero\")}')"
    )
    ours = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(ours, True)
    try:
        message = run(config.ExecProbe(command=(sys.executable, "-c", script)))[1]
    finally:
        os.close(ours)
    assert message == "exited 1: ['/dev/null', '/dev/null'] 0"


def test_a_hanging_command_does_not_hold_up_the_loop() -> None:
    async def measure() -> int:
        task = asyncio.create_task(probes.outcome(sh("yes >&2"), limit=0.5))
        turns = 0
        while not task.done():
            await asyncio.sleep(0.001)
            turns += 1
        return turns

    assert asyncio.run(measure()) >= 20


def test_200_runs_leave_no_descriptor_and_no_child() -> None:
    async def run_all() -> None:
        await probes.outcomes(sh("exit 0"))
        before = probes.descriptors()
        await asyncio.gather(
            probes.outcomes(sh("exit 1"), 100),
            probes.outcomes(sh("sleep 60 & exit 0"), 50),
            probes.outcomes(sh("sleep 60 >&2"), 30, limit=0.05),
            probes.outcomes(config.ExecProbe(command=("/no/such",)), 20),
        )
        await probes.until(lambda: probes.descriptors() <= before)
        await probes.until(lambda: probes.children() == [])

    asyncio.run(run_all())


def test_closing_in_the_middle_of_a_run_kills_the_command(tmp_path: pathlib.Path) -> None:
    async def interrupt() -> None:
        script = f"echo $$ >{tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; sleep 3600"
        task = asyncio.create_task(probes.outcomes(sh(script), limit=3600))
        await probes.until((tmp_path / "pid").exists)
        task.cancel()
        await asyncio.wait([task])
        # It sleeps for an hour: only a kill ends it, for which the kernel may take its time.
        await probes.until(lambda: is_gone(pid_in(tmp_path / "pid")))
        await probes.until(lambda: probes.children() == [])

    asyncio.run(interrupt())
